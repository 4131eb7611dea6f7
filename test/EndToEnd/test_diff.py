"""What a program computes on its way, tensor by tensor, beside ONNX Runtime: serrano-diff, and faults that it has to find."""

import pathlib
import re
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import serrano
import tiny_encoder
from onnx import numpy_helper

TARGETS = ["serrano-1", "serrano-edge"]
DECODERS = ["llama-dynamo18", "llama-dynamo23", "gpt2-optimum", "qwen2-genai", "phi3-dynamo23"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("encoder") / "model.onnx"
    onnx.save(tiny_encoder.make_model(), path)
    return path


def compile_to(model: pathlib.Path, output: pathlib.Path, target: str = "serrano-1", precision: str = "f32") -> pathlib.Path:
    serrano.compile(model, output=output, target=target, precision=precision, max_tokens=32, max_context=256)
    return output


def diff(*arguments: object) -> tuple[int, str, str]:
    result = subprocess.run(["serrano-diff", *map(str, arguments)], capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


def rows(output: str) -> dict[str, bool]:
    """Each tensor of the table, and whether it departs, in the table's order."""
    lines = output.splitlines()[1:-1]
    return {line.split()[0]: line.endswith("departs") for line in lines}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_an_encoder_agrees_in_every_tensor(encoder, tmp_path, target, precision):
    program = compile_to(encoder, tmp_path / "p.srn", target, precision)
    code, output, errors = diff(program, encoder)
    assert (code, errors) == (0, ""), output
    found = rows(output)
    assert not any(found.values())
    # Of both layers: the embedding, queries, keys and values, attention, both norms and both projections of the MLP.
    for layer in (0, 1):
        assert sum(name.startswith(f"/layer.{layer}/") for name in found) >= 10, found
    assert list(found)[-1] == "last_hidden_state"
    limit = "60" if precision == "f32" else "20"
    assert output.splitlines()[-1] == f"all {len(found)} tensors agree within sqnr {limit}"


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("past", [0, 20])
def test_a_decoder_agrees_in_every_tensor(models, tmp_path, name, past):
    model = models / "tiny" / name / "model.onnx"
    program = compile_to(model, tmp_path / "p.srn")
    code, output, errors = diff(program, model, "--past", past, "--count", 7)
    assert (code, errors) == (0, ""), output
    found = rows(output)
    # An exporter that writes attention with rope as one node gives names to few tensors: the embedding and the logits, and
    # of each of two layers attention, the sum after it and what the MLP's last projection reads.
    assert len(found) >= (8 if name == "qwen2-genai" else 15) and "logits" in found, output


def test_tensors_have_the_shapes_and_types_of_the_model(models, tmp_path):
    """Also those of which the chip has a transposition: queries and keys after rope, with heads before positions."""
    folder = models / "tiny" / "llama-dynamo18"
    llm = serrano.LLM(serrano.load(compile_to(folder / "model.onnx", tmp_path / "p.srn", "serrano-edge", "bf16")))
    tokens = np.load(folder / "io.npz")["step0.in.input_ids"][0]
    sequence = llm.open()
    llm.step([(sequence, tokens)], range(len(tokens)), tensors=True)
    model = onnx.load(folder / "model.onnx")
    names = list(llm.last_tensors)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in {o.name for o in model.graph.output})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feed = {}
    for argument in session.get_inputs():
        if "float" in argument.type:
            feed[argument.name] = np.zeros([1, argument.shape[1], 0, argument.shape[3]], np.float32)
        else:
            feed[argument.name] = {"input_ids": tokens[None], "attention_mask": np.ones_like(tokens[None])}.get(
                argument.name, np.arange(len(tokens))[None]
            )
    heads_first = 0
    for name, expected in zip(names, session.run(names, feed)):
        found = llm.last_tensors[name]
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape), name
        assert np.abs(found - expected).max() <= 0.02 * np.abs(expected).max(), name
        heads_first += found.ndim == 4 and found.shape[1] < len(tokens) and found.shape[2] == len(tokens)
    # Of each layer the query and the key at least.
    assert heads_first >= 4, [(n, llm.last_tensors[n].shape) for n in names]


def consumers(model: onnx.ModelProto, name: str) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if name in node.input]


@pytest.mark.parametrize(
    "weight",
    [
        "/embeddings.types",
        "/layer.0/attention.key.weight",
        "/layer.1/attention.value.weight",
        "/layer.1/attention.output.bias",
        "/layer.0/mlp.intermediate.weight",
        "/layer.1/mlp.norm.weight",
    ],
)
def test_the_operator_of_a_changed_weight_is_named(encoder, tmp_path, weight):
    """The model that the program is compared with has one other weight than it was compiled from."""
    model = onnx.load(encoder)
    (initializer,) = [i for i in model.graph.initializer if i.name == weight]
    values = numpy_helper.to_array(initializer) + np.float32(0.25)
    initializer.CopyFrom(numpy_helper.from_array(values, weight))
    changed = tmp_path / "changed.onnx"
    onnx.save(model, changed)
    program = compile_to(encoder, tmp_path / "p.srn")
    code, output, _ = diff(program, changed)
    assert code == 1
    found = rows(output)
    departing = [name for name, departs in found.items() if departs]
    match = re.search(r"the first operator that departs is '([^']*)'( in layer (\d))?, which computes '([^']*)'", output)
    assert match and match.group(4) == departing[0], output
    # The first tensor that can be seen behind the weight: what is computed of it alone or, where that is fused, next.
    behind = {weight}
    order = [output for node in model.graph.node for output in node.output]
    for node in model.graph.node:
        if behind & set(node.input):
            behind |= set(node.output)
    expected = next(name for name in order if name in behind and name in found)
    assert departing[0] == expected, output
    assert all(name in behind for name in departing), output
    # What does not depend on the weight agrees.
    assert not any(found[name] for name in found if name not in behind)


def test_two_programs_of_one_model(encoder, tmp_path):
    exact = compile_to(encoder, tmp_path / "f32.srn")
    rounded = compile_to(encoder, tmp_path / "bf16.srn", "serrano-edge", "bf16")
    code, output, _ = diff(exact, rounded)
    assert code == 0 and len(rows(output)) >= 20, output
    # That they round differently shows if more is asked for.
    code, output, _ = diff(exact, rounded, "--sqnr", 60, "--only-departing")
    assert code == 1 and all(rows(output).values()), output
    # The order of sums and so the bits are those of the instruction set, whatever the chip.
    other = compile_to(encoder, tmp_path / "edge.srn", "serrano-edge")
    code, output, _ = diff(exact, other, "--max-abs", 1e-6)
    assert code == 0, output


def test_limits_that_are_asked_for(encoder, tmp_path):
    program = compile_to(encoder, tmp_path / "p.srn")
    assert diff(program, encoder, "--max-abs", 1e-4, "--cosine", 0.999999)[0] == 0
    code, output, _ = diff(program, encoder, "--max-abs", 0)
    assert code == 1 and "depart by more than max abs 0" in output


def test_random_inputs_are_one_sequence_whatever_its_dimensions_are_called(encoder, tmp_path):
    model = onnx.load(encoder)
    for value in [*model.graph.input, *model.graph.output]:
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = {"batch_size": "s18", "sequence_length": "s41"}[dimension.dim_param]
    onnx.save(model, tmp_path / "model.onnx")
    program = compile_to(tmp_path / "model.onnx", tmp_path / "p.srn")
    code, output, errors = diff(program, tmp_path / "model.onnx")
    assert (code, errors) == (0, ""), output


def test_inputs_of_a_file_are_taken(encoder, tmp_path):
    program = compile_to(encoder, tmp_path / "p.srn")
    ids = np.array([[5, 6, 7], [8, 9, 10]])
    np.savez(tmp_path / "in.npz", input_ids=ids, attention_mask=np.array([[1, 1, 1], [1, 1, 0]]), token_type_ids=0 * ids)
    assert diff(program, encoder, "--inputs", tmp_path / "in.npz")[0] == 0


def test_what_cannot_be_compared_is_said(encoder, models, tmp_path):
    program = compile_to(encoder, tmp_path / "p.srn")
    model = models / "tiny" / "llama-dynamo18" / "model.onnx"
    decoder = compile_to(model, tmp_path / "d.srn")
    (tmp_path / "text.onnx").write_text("nonsense")
    for arguments, message in [
        ((program, model), "the two have no tensor in common; compile the program from the model that it is compared with"),
        ((program, decoder), "one of the programs is a decoder's step, the other is not"),
        ((program, tmp_path / "none.onnx"), f"{tmp_path}/none.onnx: cannot read: No such file or directory"),
        ((program, tmp_path / "text.onnx"), f"{tmp_path}/text.onnx: not an ONNX model"),
        ((program, encoder, "--tokens", "1,2"), "--tokens and --past are for decoders; give arrays with --inputs"),
        ((program, encoder, "--inputs", tmp_path / "none.npz"), f"{tmp_path}/none.npz: cannot read: "),
        ((decoder, model, "--tokens", "1,2", "--past", 2), "--past is 2, but there are 2 tokens, of which one at least is new"),
        ((decoder, model, "--tokens", "1,200000"), "token id 200000 is outside the vocabulary"),
        ((tmp_path / "none.srn", model), "none.srn"),
    ]:
        code, output, errors = diff(*arguments)
        assert code == 2 and output == "", (arguments, output)
        assert errors.startswith("serrano: error: ") and message in errors and errors.count("\n") == 1, errors


def test_an_output_that_is_full_is_no_difference(encoder, tmp_path):
    command = ["serrano-diff", compile_to(encoder, tmp_path / "p.srn"), encoder]
    with open("/dev/full", "w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (2, "serrano: error: standard output: cannot write: no space left on device\n")


def test_python_reads_tensors_by_name(encoder, tmp_path):
    program = serrano.load(compile_to(encoder, tmp_path / "p.srn"))
    name = next(n for n, t in program.tensors.items() if t.layer == 2)
    ids = np.ones((1, 4), np.int64)
    inputs = {"input_ids": ids, "attention_mask": ids, "token_type_ids": 0 * ids}
    outputs = program.run("main", inputs, tensors=[name])
    assert list(outputs.tensors) == [name]
    threaded = program.run("main", inputs, tensors=[name], threads=3)
    assert np.array_equal(threaded.tensors[name], outputs.tensors[name])
    assert program.run("main", inputs).tensors is None
    with pytest.raises(serrano.Error, match="'nothing' is no tensor that can be read"):
        program.run("main", inputs, tensors=["nothing"])
    with pytest.raises(serrano.Error, match="what is looked at follows program order"):
        program.run("main", inputs, tensors=[name], schedule="adversarial")
