"""The work of a step, counted from an ONNX graph and lengths alone: what must be multiplied and what must be read.

The graph is walked once for each sequence with its concrete lengths. What depends on lengths only (shapes, positions, masks) is
computed; of everything else the shape is enough. So a mask says which products attention needs, whatever its form.
"""

import pathlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx
from errors import BoundError
from lengths import Lengths, SequenceLengths
from onnx import TensorProto
from products import account, visible_past
from values import FLOATS, Evaluator, Product, Value, attributes, initializer, node_name, unmasked

_INTEGER_BYTES = 4  # of an index on the way in or out
_KEEPS_SCORES = {"Add", "Sub", "Mul", "Div", "Where", "Cast", "Tanh", "Softmax", "Identity", "Dropout", "Max", "Min", "Clip"}


@dataclass
class Work:
    """Work of one step. Sizes of weights, tables and caches are in elements, others in bytes."""

    macs: dict[str, int] = field(default_factory=dict)  # by number format
    weights: dict[str, Value] = field(default_factory=dict)  # initialisers that are multiplied
    table_rows: dict[str, int] = field(default_factory=dict)  # elements looked up, by table
    cache_read: int = 0  # elements
    cache_written: int = 0
    integer_bytes: int = 0  # in and out
    float_elements: int = 0  # in and out

    def add(self, other: "Work") -> None:
        """Adds a sequence of the same step: weights are the same for all of them."""
        for number_format, macs in other.macs.items():
            self.macs[number_format] = self.macs.get(number_format, 0) + macs
        self.weights |= other.weights
        for name, elements in other.table_rows.items():
            self.table_rows[name] = self.table_rows.get(name, 0) + elements
        for name in ("cache_read", "cache_written", "integer_bytes", "float_elements"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Model:
    """A graph whose steps can be counted. Weights are not read; their file need not exist."""

    def __init__(self, path: pathlib.Path):
        try:
            model = onnx.load(path, load_external_data=False)
        except OSError as error:
            raise BoundError(f"{path}: cannot open: {error.strerror}") from None
        except Exception:  # protobuf's DecodeError, which has no public name
            raise BoundError(f"{path}: not an ONNX model") from None
        if not model.graph.node:
            raise BoundError(f"{path}: not an ONNX model: it has no nodes")
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        self._graph = model.graph
        self._evaluator = Evaluator({o.domain: o.version for o in model.opset_import})
        self.initializers = {t.name: initializer(t) for t in model.graph.initializer}
        self._inputs = [i for i in model.graph.input if i.name not in self.initializers]
        self._caches = [i.name for i in self._inputs if self._is_cache(i)]

    @staticmethod
    def _dims(value: onnx.ValueInfoProto) -> list[int | str]:
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    def _is_cache(self, value: onnx.ValueInfoProto) -> bool:
        """Keys or values of the tokens before the step: [batch, heads, past, size] or the like."""
        symbols = [d for d in self._dims(value) if isinstance(d, str)]
        is_float = value.type.tensor_type.elem_type in FLOATS
        return is_float and len(self._dims(value)) >= 3 and len(symbols) == 2 and "past" in value.name

    @property
    def has_cache(self) -> bool:
        return bool(self._caches)

    def work(self, lengths: Lengths, number_format: str) -> Work:
        """The work of one step. Raises BoundError if the lengths do not fit the graph, or an operator has no rule."""
        if not self.has_cache:
            if lengths.sequences:
                raise BoundError(
                    "--lengths: the graph has no cache, so that it has no sequences; give the sizes of its dimensions: "
                    + (", ".join(f"{s}=SIZE" for s in sorted(self._symbols())) or "none are needed")
                )
            return self._walk(self._encoder_inputs(lengths.dimensions or {}), number_format, None)
        if not lengths.sequences:
            raise BoundError("--lengths: the graph has a cache; give the step's sequences as NEW@CONTEXT, for example 1@128")
        total, known = Work(), {}
        for sequence in lengths.sequences:
            if sequence not in known:
                known[sequence] = self._walk(self._decoder_inputs(sequence), number_format, sequence)
            total.add(known[sequence])
        return total

    def _symbols(self) -> set[str]:
        return {d for value in self._inputs for d in self._dims(value) if isinstance(d, str)}

    def _encoder_inputs(self, sizes: Mapping[str, int]) -> dict[str, Value]:
        symbols = self._symbols()
        for name in sizes:
            if name not in symbols:
                raise BoundError(f"--lengths: no dimension '{name}'; the graph's are {', '.join(sorted(symbols)) or 'all fixed'}")
        if missing := sorted(symbols - set(sizes)):
            raise BoundError(f"--lengths: the size of dimension '{missing[0]}' is missing; give {', '.join(f'{s}=SIZE' for s in missing)}")
        shapes = {v.name: tuple(d if isinstance(d, int) else sizes[d] for d in self._dims(v)) for v in self._inputs}
        return {v.name: self._input(v, shapes[v.name], 0) for v in self._inputs}

    def _decoder_inputs(self, sequence: SequenceLengths) -> dict[str, Value]:
        """One sequence. What is neither a cache's nor the new tokens' extent is the whole context."""
        ids = next((v for v in self._inputs if v.name == "input_ids"), None)
        if ids is None or len(self._dims(ids)) != 2:
            raise BoundError("the graph has a cache, but no input 'input_ids' of [batch, tokens]")
        batch, new = self._dims(ids)
        result = {}
        for value in self._inputs:
            cache = value.name in self._caches
            extent = {batch: 1} if cache else {batch: 1, new: sequence.new}
            other = sequence.past if cache else sequence.context
            shape = tuple(d if isinstance(d, int) else extent.get(d, other) for d in self._dims(value))
            result[value.name] = self._input(value, shape, sequence.past)
        return result

    def _input(self, value: onnx.ValueInfoProto, shape: tuple[int, ...], past: int) -> Value:
        kind = value.type.tensor_type.elem_type
        result = Value(shape, kind)
        if value.name in self._caches:
            result.caches = frozenset([value.name])
        elif "mask" in value.name or "position" in value.name:
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
            result.constant = True
            result.data = np.ones(shape, dtype)
            if "position" in value.name:
                result.data = np.broadcast_to(np.arange(past, past + shape[-1]).astype(dtype), shape).copy()
        return result

    def _walk(self, inputs: Mapping[str, Value], number_format: str, sequence: SequenceLengths | None) -> Work:
        walk = _Walk(self._evaluator, number_format, {**self.initializers, **inputs}, sequence.past if sequence else 0)
        for node in self._graph.node:
            walk.visit(node)
        outputs = {o.name: walk.value(o.name) for o in self._graph.output}
        work = Work()
        for name, value in inputs.items():
            if value.constant:
                continue
            elements = int(np.prod(value.shape))
            if value.caches:
                per_token = elements // sequence.past if sequence.past else int(
                    np.prod([d for d in value.shape if d])
                )
                work.cache_read += per_token * walk.read_past.get(name, sequence.past)
                work.cache_written += per_token * sequence.new
            elif value.element_type in FLOATS:
                work.float_elements += elements
            else:
                work.integer_bytes += _INTEGER_BYTES * elements
        if sequence:
            # A sampler may read the logits where they are: what must leave is one token.
            work.integer_bytes += _INTEGER_BYTES
            walk.only_last_row(self._graph, [n for n, v in outputs.items() if not v.caches], sequence.new)
        else:
            work.float_elements += sum(int(np.prod(v.shape)) for v in outputs.values())
        for product in walk.products.values():
            work.macs[product.number_format] = work.macs.get(product.number_format, 0) + product.macs
            work.weights |= {name: self.initializers[name] for name in product.weights}
        work.table_rows = walk.table_rows
        return work


class _Walk:
    """One pass over the nodes with concrete lengths."""

    def __init__(self, evaluator: Evaluator, number_format: str, values: dict[str, Value], past: int):
        self._evaluator, self._number_format, self._values, self._past = evaluator, number_format, values, past
        self._makers: dict[str, onnx.NodeProto] = {}
        self.products: dict[str, Product] = {}  # by the first output of their node
        self.table_rows: dict[str, int] = {}
        self.read_past: dict[str, int] = {}

    def value(self, name: str) -> Value:
        try:
            return self._values[name]
        except KeyError:
            raise BoundError(f"value '{name}' is made by no node before it is used") from None

    def visit(self, node: onnx.NodeProto) -> None:
        inputs = [self.value(name) if name else None for name in node.input]
        present = [v for v in inputs if v is not None]
        for name in node.output:
            self._makers[name] = node
        if node.op_type == "Shape" and not node.domain:
            self._values |= self._shape(node, inputs[0])
            return
        if node.op_type == "Gather" and inputs[0].weights and inputs[0].element_type in FLOATS:
            self._look_up(node, inputs)
            return
        if all(v.constant for v in present):
            weights = frozenset().union(*(v.weights for v in present))
            is_known = all(v.data is not None for v in present)
            outputs = self._evaluator.evaluate(node, inputs) if is_known else self._evaluator.shapes(node, inputs)
            for output in outputs.values():
                output.constant, output.weights = True, weights
            self._values |= outputs
            return
        outputs, product, live = account(node, inputs, self._evaluator, self._number_format)
        if product is not None:
            self.products[node.output[0]] = product
            if product.caches and not outputs[node.output[0]].scores:
                self._read(product.caches, live if live is not None else inputs[0].live)
        else:
            self._pass_on(node, inputs, outputs)
        self._values |= outputs

    @staticmethod
    def _shape(node: onnx.NodeProto, value: Value) -> dict[str, Value]:
        options = attributes(node)
        shape = np.array(value.shape[options.get("start", 0) : options.get("end", len(value.shape))], np.int64)
        return {node.output[0]: Value(shape.shape, TensorProto.INT64, constant=True, data=shape)}

    def _look_up(self, node: onnx.NodeProto, inputs: list[Value]) -> None:
        """Rows of a table: as many as are asked for, each of them once."""
        table, indices = inputs[:2]
        outputs = self._evaluator.shapes(node, inputs)
        (output,) = outputs.values()
        output.constant = indices.constant
        elements = min(int(np.prod(output.shape)), int(np.prod(table.shape)))
        for name in table.weights:
            self.table_rows[name] = max(self.table_rows.get(name, 0), elements)
        if table.data is not None and indices.data is not None:
            axis = attributes(node).get("axis", 0)
            if indices.data.size and indices.data.max() >= table.shape[axis]:
                raise BoundError(
                    f"{node_name(node)}: looks up row {indices.data.max()} of a table of {table.shape[axis]}; give shorter lengths"
                )
            output.data = np.take(table.data, indices.data, axis=axis)
        self._values |= outputs

    def _pass_on(self, node: onnx.NodeProto, inputs: Iterable[Value | None], outputs: Mapping[str, Value]) -> None:
        """Origins go through everything that is no product; masks of scores are noticed."""
        present = [v for v in inputs if v is not None]
        caches = frozenset().union(*(v.caches for v in present))
        for output in outputs.values():
            output.caches = caches
        output = outputs[node.output[0]]
        scores = next((v for v in present if v.scores), None)
        if scores is None:
            return
        if node.op_type == "Reshape":
            output.scores = scores.scores
            if scores.live is not None:
                output.live = np.broadcast_to(scores.live, scores.shape).reshape(output.shape)
        elif node.op_type in _KEEPS_SCORES and output.shape == scores.shape:
            output.scores, output.live = scores.scores, scores.live
            mask = self._mask(node, inputs)
            if mask is not None:
                output.live = mask if output.live is None else output.live & mask
            if node.op_type == "Softmax":
                output.scores.macs = output.count_live() * output.scores.depth
                self._read(output.scores.caches, output.live)

    @staticmethod
    def _mask(node: onnx.NodeProto, inputs: Iterable[Value | None]) -> np.ndarray | None:
        """Which elements of the scores the node's constant operand leaves."""
        operands = list(inputs)
        if node.op_type in ("Add", "Sub"):
            mask = next((v.data for v in operands if v.data is not None), None)
            if mask is None or mask.dtype.kind != "f":
                return None
            return unmasked(mask if node.op_type == "Add" else -mask)
        if node.op_type != "Where" or operands[0].data is None:
            return None
        chosen = operands[0].data
        for branch, keep in ((operands[1], ~chosen), (operands[2], chosen)):
            if branch.data is not None and branch.data.size and not unmasked(branch.data).any():
                return keep
        return None

    def _read(self, caches: Iterable[str], live: np.ndarray | None) -> None:
        for name in caches:
            self.read_past[name] = max(self.read_past.get(name, 0), visible_past(live, self._past))

    def only_last_row(self, graph: onnx.GraphProto, outputs: Iterable[str], rows: int) -> None:
        """Of the products that give the logits, only the last token's rows are needed."""
        waiting, seen = list(outputs), set()
        while waiting:
            name = waiting.pop()
            node = self._makers.get(name)
            if node is None or name in seen:
                continue
            seen.add(name)
            product = self.products.get(node.output[0])
            if product is None:
                waiting += node.input
            elif product.weights and product.rows == rows:
                product.macs //= rows
