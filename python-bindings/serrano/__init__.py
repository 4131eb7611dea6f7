"""Serrano: compiles transformer checkpoints for an LLM-inference chip and runs them on its simulator.

    program = serrano.compile("model.onnx", precision="f32")
    outputs = program.run("main", {"input_ids": ids, "attention_mask": mask}, stats=True)
    outputs["last_hidden_state"], outputs.statistics["seconds"]
"""

from ._serrano import Error
from .llm import LLM, CachedSequence, Tokenizer
from .program import Cache, Entry, Operand, Outputs, Program, Tensor, compile, load

__all__ = [
    "LLM",
    "Cache",
    "CachedSequence",
    "Entry",
    "Error",
    "Operand",
    "Outputs",
    "Program",
    "Tensor",
    "Tokenizer",
    "compile",
    "load",
]

# As tracebacks name it.
Error.__module__ = __name__
