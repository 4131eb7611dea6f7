"""What is known of a graph's values when only lengths are given: shapes, the numbers that depend on nothing else, and origins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from errors import BoundError
from onnx import TensorProto, TypeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
# A larger tensor of numbers is a weight, whose values no shape and no mask depends on.
_MOST_READ = 1 << 20
# Scores that a mask has moved below this have the probability 0: exporters write -10000, the lowest number or -inf.
_MASKED = -1e4


@dataclass
class Product:
    """A matrix product, or the two of a fused attention: `macs` multiply-accumulates in `number_format`."""

    node: str
    macs: int
    number_format: str
    weights: frozenset[str] = frozenset()
    rows: int = 0
    # Of scores, a product of two activations: the length of the dot products and the caches that the keys are in.
    depth: int = 0
    caches: frozenset[str] = frozenset()


@dataclass
class Value:
    """A tensor. What does not depend on the model's inputs is `constant`; `data` has its numbers where they are needed."""

    shape: tuple[int, ...]
    element_type: int
    constant: bool = False
    data: npt.NDArray[Any] | None = None
    # Initialisers that a constant is made of, and caches that the value has parts of.
    weights: frozenset[str] = frozenset()
    caches: frozenset[str] = frozenset()
    # Of attention's scores and probabilities: the product that gave them, and which elements a mask leaves (all if None).
    scores: Product | None = None
    live: npt.NDArray[np.bool_] | None = None

    def count_live(self) -> int:
        """Elements that no mask excludes."""
        if self.live is None:
            return int(np.prod(self.shape))
        return int(self.live.sum()) * int(np.prod(self.shape)) // self.live.size


def node_name(node: onnx.NodeProto) -> str:
    return f"node '{node.name}' ({f'{node.domain}.' if node.domain else ''}{node.op_type})"


def known(data: npt.NDArray[Any]) -> Value:
    return Value(data.shape, helper.np_dtype_to_tensor_dtype(data.dtype), constant=True, data=data)


def initializer(tensor: onnx.TensorProto) -> Value:
    """Weights stay where they are; of small tensors the numbers are read, if they stand in the model's file."""
    shape = tuple(tensor.dims)
    value = Value(shape, tensor.data_type, constant=True, weights=frozenset([tensor.name]))
    if tensor.data_location != TensorProto.EXTERNAL and int(np.prod(shape)) <= _MOST_READ:
        value.data = numpy_helper.to_array(tensor)
    return value


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def unmasked(mask: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which elements a mask leaves: those that are true, or to which it adds no very negative number."""
    return mask if mask.dtype == np.bool_ else mask > _MASKED


def _same_shape(outputs: Sequence[int]) -> Callable[[onnx.NodeProto, Sequence[Value | None]], dict[str, Value]]:
    def rule(node: onnx.NodeProto, inputs: Sequence[Value | None]) -> dict[str, Value]:
        return {node.output[i]: Value(inputs[0].shape, inputs[0].element_type) for i in outputs if i < len(node.output)}

    return rule


# Operators of ONNX Runtime that ONNX gives no shapes for; their outputs are as their first input.
_RUNTIME_SHAPES = {
    "SimplifiedLayerNormalization": _same_shape([0]),
    "SkipSimplifiedLayerNormalization": _same_shape([0, 3]),
    "SkipLayerNormalization": _same_shape([0, 3]),
    "RotaryEmbedding": _same_shape([0]),
    "FastGelu": _same_shape([0]),
    "BiasGelu": _same_shape([0]),
    "QuickGelu": _same_shape([0]),
    "Gelu": _same_shape([0]),
}


@dataclass
class Evaluator:
    """Shapes of any node, and numbers of those whose inputs' numbers are known."""

    opsets: Mapping[str, int]
    _references: dict[str, ReferenceEvaluator] = field(default_factory=dict)

    def evaluate(self, node: onnx.NodeProto, inputs: Sequence[Value | None]) -> dict[str, Value]:
        """The outputs of a node of constants whose numbers are all known."""
        if node.op_type == "Constant" and not node.domain:
            return {node.output[0]: known(self._constant(node))}
        reference = self._references.get(node.output[0])
        if reference is None:
            reference = ReferenceEvaluator(node, opsets=dict(self.opsets))
            self._references[node.output[0]] = reference
        feed = {name: value.data for name, value in zip(node.input, inputs) if value is not None}
        try:
            results = reference.run(None, feed)
        except Exception as error:  # NumPy's, of whatever kind: the graph does not fit the lengths
            raise BoundError(f"{node_name(node)}: cannot compute: {str(error).splitlines()[0]}") from None
        return {name: known(np.asarray(data)) for name, data in zip(node.output, results) if name}

    @staticmethod
    def _constant(node: onnx.NodeProto) -> npt.NDArray[Any]:
        (value,) = attributes(node).values()
        if isinstance(value, TensorProto):
            return numpy_helper.to_array(value)
        return np.asarray(value, np.float32 if np.asarray(value).dtype.kind == "f" else None)

    def shapes(self, node: onnx.NodeProto, inputs: Sequence[Value | None]) -> dict[str, Value]:
        """The outputs' shapes and types. Raises BoundError if they do not follow from the inputs."""
        rule = _RUNTIME_SHAPES.get(node.op_type)
        if rule and not (node.domain == "" and onnx.defs.has(node.op_type, "")):
            return rule(node, inputs)
        if not onnx.defs.has(node.op_type, self.opsets.get(node.domain, 1), node.domain):
            raise BoundError(f"{node_name(node)}: no rule for the shapes of this operator; add one to tools/bounds/values.py")
        schema = onnx.defs.get_schema(node.op_type, self.opsets.get(node.domain, 1), node.domain)
        present = [(name, value) for name, value in zip(node.input, inputs) if value is not None]
        types = {name: helper.make_tensor_type_proto(value.element_type, value.shape) for name, value in present}
        data = {
            name: numpy_helper.from_array(value.data, name)
            for name, value in present
            if value.data is not None and value.data.size <= 64
        }
        try:
            found = onnx.shape_inference.infer_node_outputs(
                schema, node, types, data, opset_imports=[helper.make_opsetid(*item) for item in self.opsets.items()]
            )
        except onnx.shape_inference.InferenceError as error:
            raise BoundError(f"{node_name(node)}: shapes do not fit: {str(error).splitlines()[0]}") from None
        return {name: self._value(node, name, found.get(name)) for name in node.output if name}

    @staticmethod
    def _value(node: onnx.NodeProto, name: str, found: TypeProto | None) -> Value:
        if found is not None and found.tensor_type.HasField("shape"):
            dims = found.tensor_type.shape.dim
            if all(d.HasField("dim_value") for d in dims):
                return Value(tuple(d.dim_value for d in dims), found.tensor_type.elem_type)
        raise BoundError(f"{node_name(node)}: the shape of '{name}' depends on more than lengths")
