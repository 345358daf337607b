"""Read an ONNX file back as a module that trains on: the table of :mod:`nn.onnx.table`, from the other side.

A file is data: a list of nodes with the names of ops, and arrays. What is not in ``OPS`` is refused by name.
"""

import functools
import inspect
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, FileError, MissingRule, ShapeError
from nn import functional as F
from nn.functional.prelu import prelu_op
from nn.inputs import as_input
from nn.module import Module, Parameter
from nn.onnx.graph import package
from nn.onnx.meaning import (
    cumsum,
    cut,
    divide,
    ints,
    modulo,
    pad,
    plain,
    power,
    reduction,
    reshape,
    root_of_squares,
    sides,
    split,
    squeeze,
)  # fmt: skip
from nn.writing import read_bytes

OLDEST = 17  # opset: before 13 some ops meant other things under the same name
CONSTANT = re.compile(r"(.*/)?constant(_\d+)?")  # what export calls numbers that nobody named

# ------------------------------------------------------------------------------------- what ONNX's ops are called here


def _gemm(a: Any, b: Any, c: Any = None, alpha: float = 1, beta: float = 1, transA: int = 0, transB: int = 0) -> Any:
    y = F.linear(a.T if transA else a, b if transB else b.T)
    y = y if alpha == 1 else alpha * y
    return y if c is None else y + (c if beta == 1 else beta * c)


def _extreme(f: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, axis: int = 0, keepdims: int = 1) -> Any:
        return f(plain(x), axis=axis, keepdims=bool(keepdims))

    return run


def _padded(x: Any, pads: Any, value: float) -> Any:
    """Pad the axes behind batch and channels."""
    return np.pad(x, [(0, 0), (0, 0), *sides(pads)], constant_values=value) if any(pads or ()) else x


def _each(values: Any, x: Any, otherwise: int = 1) -> tuple[int, ...]:
    return tuple(values or [otherwise] * (x.ndim - 2))


def _average_pool(x: Any, kernel_shape: Any, strides: Any = None, pads: Any = None, count_include_pad: int = 0) -> Any:
    around = _each(pads and sides(pads), x, 0)
    if any(np.ptp(side) for side in around):
        raise ArgumentError(f"pads {pads}, other before than behind, have no counterpart")
    pool, padding = F.avg_pool1d if x.ndim == 3 else F.avg_pool2d, tuple(np.max(side) for side in around)
    return pool(x, tuple(kernel_shape), _each(strides, x), padding, count_include_pad=bool(count_include_pad))


def _conv_transpose(
    x: Any, w: Any, b: Any = None, kernel_shape: Any = None, strides: Any = None, pads: Any = None,
    output_padding: Any = None, dilations: Any = None, group: int = 1,
) -> Any:  # fmt: skip
    function, extra = F.conv_transpose1d if x.ndim == 3 else F.conv_transpose2d, _each(output_padding, x, 0)
    y = function(x, w, b, _each(strides, x), 0, extra, group, _each(dilations, x))
    cut = [slice(a, n - z) for n, (a, z) in zip(y.shape[2:], sides(pads or [0] * 2 * (x.ndim - 2)), strict=True)]
    return y[(..., *cut)]


def _recurrent(function: Any, order: list[int], kinds: dict[Any, dict[str, Any]]) -> Callable[..., Any]:
    """Translate a recurrent op; ``order`` says where PyTorch's gates stand in ONNX's."""

    def run(
        x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, *starts: Any, hidden_size: int | None = None,
        direction: bytes = b"forward", activations: Any = None, linear_before_reset: int = 0,
    ) -> Any:  # fmt: skip
        kind = kinds.get((linear_before_reset, *(activations or ())))
        if kind is None or direction == b"bidirectional" or any(h is None for h in starts):
            raise ArgumentError("this direction, activation or state has no counterpart")
        hidden = r.shape[-1] if hidden_size is None else hidden_size
        rows = np.concatenate([np.arange(hidden) + gate * hidden for gate in order])
        halves = [] if b is None else [b[0, : len(rows)][rows], b[0, len(rows) :][rows]]
        hx = None if not starts else starts if len(starts) > 1 else starts[0]
        ends = None if lengths is None else plain(lengths)
        turn = _turning(x, ends) if direction == b"reverse" else ...
        y, last = function(x[turn], hx, [[w[0][rows], r[0][rows], *halves]], lengths=ends, **kind)
        states = last if isinstance(last, tuple) else (last,)
        return (np.expand_dims(y[turn], 1), *states)

    return run


def _turning(x: Any, lengths: Any) -> Any:
    """Give the index that turns each sequence of (T, N, …) round, up to its own length."""
    if lengths is None:
        return slice(None, None, -1)
    t = np.arange(x.shape[0])[:, None]
    return np.where(t < lengths, lengths - 1 - t, t), np.arange(x.shape[1])


def _softmax(x: Any, axis: int = -1) -> Any:
    """Give NaN where all of a row is -inf, as ONNX does, and let no gradient through."""
    dead = np.max(plain(x), axis, keepdims=True) == -np.inf
    return np.where(dead, np.nan, F.softmax(np.where(dead, 0.0, x), axis)) if dead.any() else F.softmax(x, axis)


OPS: dict[str, Callable[..., Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": divide, "Pow": power, "Neg": np.negative,
    "Abs": np.absolute, "Reciprocal": np.reciprocal, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Erf": ag.erf,
    "Sin": np.sin, "Cos": np.cos, "Tan": np.tan, "Asin": np.arcsin, "Acos": np.arccos, "Atan": np.arctan,
    "Sinh": np.sinh, "Cosh": np.cosh, "Tanh": np.tanh, "Asinh": np.arcsinh, "Acosh": np.arccosh, "Atanh": np.arctanh,
    "Greater": np.greater, "Less": np.less, "GreaterOrEqual": np.greater_equal, "LessOrEqual": np.less_equal,
    "Equal": np.equal, "Not": np.logical_not, "Ceil": np.ceil, "Round": np.rint,
    "ArgMax": _extreme(np.argmax), "ArgMin": _extreme(np.argmin),
    "Sign": np.sign, "Floor": np.floor, "IsNaN": np.isnan, "Relu": ag.relu, "Sigmoid": ag.sigmoid,
    "Softplus": ag.softplus, "Max": lambda *xs: functools.reduce(np.maximum, xs),
    "Min": lambda *xs: functools.reduce(np.minimum, xs),
    "LeakyRelu": lambda x, alpha=0.01: F.leaky_relu(x, alpha), "Elu": lambda x, alpha=1.0: F.elu(x, alpha),
    "Softmax": _softmax, "LogSoftmax": lambda x, axis=-1: F.log_softmax(x, axis),
    "Mod": modulo, "Identity": lambda x: x,
    "Cast": lambda x, to: x.astype(package().helper.tensor_dtype_to_np_dtype(to)),
    "Where": lambda condition, a, b: np.where(plain(condition), a, b),
    "CumSum": cumsum,
    "ReduceSum": reduction(np.sum, True), "ReduceMean": reduction(np.mean), "ReduceProd": reduction(np.prod, True),
    "ReduceMax": reduction(np.max, True), "ReduceMin": reduction(np.min, True),
    "ReduceLogSumExp": reduction(ag.logsumexp), "ReduceL2": reduction(root_of_squares),
    "MatMul": np.matmul, "Gemm": _gemm,
    "Einsum": lambda *xs, equation: np.einsum(equation.decode(), *xs),
    "Conv": lambda x, w, b=None, kernel_shape=None, strides=None, pads=None, dilations=None, group=1: (
        F.conv1d if x.ndim == 3 else F.conv2d
    )(_padded(x, pads, 0.0), w, b, _each(strides, x), 0, _each(dilations, x), group),
    "ConvTranspose": _conv_transpose, "PRelu": prelu_op,
    "MaxPool": lambda x, kernel_shape, strides=None, pads=None, dilations=None: (
        F.max_pool1d if x.ndim == 3 else F.max_pool2d
    )(_padded(x, pads, -np.inf), tuple(kernel_shape), _each(strides, x), 0, _each(dilations, x)),
    "AveragePool": _average_pool,
    "LayerNormalization": lambda x, w, b=None, axis=-1, epsilon=1e-5: F.layer_norm(x, x.shape[axis:], w, b, epsilon),
    "BatchNormalization": lambda x, w, b, mean, var, epsilon=1e-5, momentum=0.9: F.batch_norm(  # running ones stay
        x, plain(mean), plain(var), w, b, eps=epsilon
    ),
    "LSTM": _recurrent(F.lstm, [0, 2, 3, 1], {(0,): {}}), "GRU": _recurrent(F.gru, [1, 0, 2], {(1,): {}}),
    "RNN": _recurrent(F.rnn, [0], {(0,): {}, (0, b"Relu"): {"nonlinearity": "relu"}}),
    "Reshape": reshape, "Squeeze": squeeze, "Slice": cut, "Pad": pad,
    "Unsqueeze": lambda x, axes: np.expand_dims(x, ints(axes)), "Transpose": lambda x, perm=None: np.transpose(x, perm),
    "Expand": lambda x, shape: np.broadcast_to(x, np.broadcast_shapes(x.shape, ints(shape))),
    "Tile": lambda x, times: np.tile(x, ints(times)), "Concat": lambda *xs, axis: np.concatenate(xs, axis),
    "Split": split,
    "Shape": lambda x, start=0, end=None: np.asarray(x.shape[start:end], np.int64),
    "Trilu": lambda x, k=0, upper=1: (np.triu if upper else np.tril)(x, *ints(k)),
    "Gather": lambda x, at, axis=0: np.take(x, plain(at), axis),
    "GatherND": lambda x, at: x[tuple(np.moveaxis(plain(at), -1, 0))],
}  # fmt: skip

# ----------------------------------------------------------------------------------------------------------- the module


def load(path: str | os.PathLike[str]) -> Module:
    """Read an ONNX file as a module that computes what the file says, and can be trained on.

    The ops that :func:`export` writes are known, from opset 17 on. Weights are parameters under their names in the
    file; those of recurrent layers keep ONNX's shape and order of gates. Normalization uses the running statistics and
    there is no dropout, as in evaluation mode. Raises FileError for a file that is no whole ONNX model, MissingRule for
    an op without counterpart.
    """
    onnx = package()
    data = read_bytes(path)
    try:
        model = onnx.load_model_from_string(data)
        outside = [proto.name for proto in model.graph.initializer if proto.external_data]
        if not outside:
            onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # protobuf and the checker have many
        raise FileError(f"{path} is not a whole ONNX model: {error}. It may be damaged or cut off.") from None
    if outside:
        raise FileError(f"{path}: {outside[0]!r} stands in another file; external data is not read.")
    opset = next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), 0)
    if opset < OLDEST:
        raise FileError(f"{path} has opset {opset}; {OLDEST} and newer are read. Convert it: onnx.version_converter.")
    if model.graph.sparse_initializer:
        raise FileError(f"{path} holds sparse arrays, which are not read.")
    return Loaded(onnx.shape_inference.infer_shapes(model, data_prop=True).graph, opset)


class Node:
    """Hold one node: the name of its op, what goes in and out, and its attributes."""

    def __init__(self, proto: Any, opset: int) -> None:
        onnx = package()
        self.op, self.name = proto.op_type, proto.name
        self.inputs, self.outputs = list(proto.input), list(proto.output)
        if proto.domain not in ("", "ai.onnx") or self.op not in OPS:
            raise MissingRule(f"onnx.load: {self.op} (node {proto.name!r}) has no counterpart here.")
        value, known = onnx.helper.get_attribute_value, onnx.defs.get_schema(self.op, opset).attributes
        takes = () if isinstance(OPS[self.op], np.ufunc) else inspect.signature(OPS[self.op]).parameters
        self.attributes = {item.name: value(item) for item in proto.attribute}
        for name in set(self.attributes).difference(takes):
            default = known[name].default_value
            if not default.type or value(default) != self.attributes.pop(name):
                raise MissingRule(f"onnx.load: {name} of {self.op} (node {proto.name!r}) has no counterpart here.")
        if "count" in takes:
            self.attributes["count"] = len(self.outputs)

    def run(self, values: Mapping[str, Any], declared: Mapping[str, "Declared"]) -> dict[str, Any]:
        """Compute the outputs by name; what is not as the file declares it is an error."""
        try:
            y = OPS[self.op](*[values[name] for name in self.inputs], **self.attributes)
            found = y if isinstance(y, tuple) else (y,)
            if len(found) < len(self.outputs):
                raise ArgumentError(f"the output {self.outputs[len(found)]!r} has no counterpart")
        except (TypeError, ValueError, IndexError, KeyError, ArithmeticError) as error:
            raise ArgumentError(f"onnx.load: {self.op} (node {self.name!r}): {str(error).rstrip('.')}.") from error
        made = {
            name: x if isinstance(x, ag.Tensor) else np.asarray(x) for name, x in zip(self.outputs, found, strict=False)
        }
        for name, x in made.items():
            if name in declared and not declared[name].holds(x):
                raise ArgumentError(
                    f"onnx.load: {self.op} (node {self.name!r}) gives {x.dtype} of shape {x.shape} here and "
                    f"{declared[name]} in ONNX."
                )
        return made


@dataclass(frozen=True)
class Declared:
    """Hold the dtype and shape that a value has in the file; lengths that vary are texts, an unknown shape is None."""

    dtype: Any
    shape: tuple[int | str, ...] | None

    @classmethod
    def read(cls, info: Any) -> "Declared":
        """Read the description of a value."""
        kind, helper = info.type.tensor_type, package().helper
        if not info.type.HasField("tensor_type") or not kind.elem_type:
            raise FileError(f"onnx.load: {info.name!r} is no tensor.")
        shape = tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in kind.shape.dim)
        return cls(helper.tensor_dtype_to_np_dtype(kind.elem_type), shape if kind.HasField("shape") else None)

    def holds(self, x: Any) -> bool:
        """Tell whether ``x`` is such a value."""
        return bool(x.dtype == self.dtype) and self.fits(x.shape)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Tell whether a shape is such a shape."""
        if self.shape is None:
            return True
        pairs = zip(self.shape, shape, strict=False)
        return len(self.shape) == len(shape) and all(isinstance(n, str) or n == m for n, m in pairs)

    def __str__(self) -> str:
        shape = "any shape" if self.shape is None else f"shape ({', '.join(str(n) or '?' for n in self.shape)})"
        return f"{self.dtype} of {shape}"


class Loaded(Module):
    """Run the nodes of an ONNX graph, one after the other, on Tensors."""

    def __init__(self, graph: Any, opset: int) -> None:
        onnx = package()
        self.nodes = [Node(proto, opset) for proto in graph.node]
        self.constants: dict[str, Any] = {}
        known = {proto.name for proto in graph.initializer}
        self.takes = {info.name: Declared.read(info) for info in graph.input if info.name not in known}
        self.gives = [info.name for info in graph.output]
        inferred = [*graph.value_info, *graph.output]
        self.declared = {info.name: Declared.read(info) for info in inferred if info.type.tensor_type.elem_type}
        running = {name for node in self.nodes if node.op == "BatchNormalization" for name in node.inputs[3:]}
        for proto in graph.initializer:
            array = onnx.numpy_helper.to_array(proto)
            if array.dtype.kind != "f" or CONSTANT.fullmatch(proto.name):
                self.constants[proto.name] = array
            else:
                self.keep(proto.name, array, learnt=proto.name not in running)

    def keep(self, name: str, array: Any, learnt: bool) -> None:
        """Put a parameter or buffer where its dotted name says, and nowhere else."""
        *above, last = name.split(".")
        module: Any = self
        for part in above:
            if not hasattr(module, part):
                setattr(module, part, Module())
            module = vars(module).get(part)
            if type(module) is not Module:
                break
        if not isinstance(module, Module) or hasattr(module, last):
            raise FileError(f"onnx.load: no parameter can have the name {name!r}.")
        if learnt:
            setattr(module, last, Parameter(array))
        else:
            module.register_buffer(last, array)

    def forward(self, *inputs: Any) -> Any:
        """Compute the outputs: a Tensor, or a tuple of them."""
        if len(inputs) != len(self.takes):
            raise ArgumentError(f"the file has the inputs {', '.join(self.takes)}; got {len(inputs)}.")
        values = {**self.constants, **dict(self.named_parameters()), **dict(self.named_buffers())}
        for x, (name, takes) in zip(inputs, self.takes.items(), strict=True):
            values[name] = self.read(name, x, takes)
        for node in self.nodes:
            values[""] = None  # an input that is left out
            values.update(node.run(values, self.declared))
        found = tuple(values[name] for name in self.gives)
        return found if len(found) > 1 else found[0]

    @staticmethod
    def read(name: str, x: Any, takes: Declared) -> Any:
        """Bring an input to the dtype of the file, if that changes no number, and check its shape."""
        if takes.dtype.kind == "f":
            y = as_input(x, takes.dtype)
            y = y if isinstance(y, ag.Tensor) else ag.Tensor(y)
        else:
            y = np.asarray(plain(x)).astype(takes.dtype)
            if not np.array_equal(y, plain(x)):
                raise ArgumentError(f"{name} holds {plain(x).dtype}, and the file takes {takes.dtype}.")
        if not takes.fits(y.shape):
            raise ShapeError(f"{name} has shape {y.shape}; the file says ({', '.join(map(str, takes.shape or ()))}).")
        return y
