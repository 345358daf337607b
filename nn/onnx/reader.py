"""Read an ONNX file back as a module that trains on: the table of :mod:`nn.onnx.table`, from the other side.

A file is data: a list of nodes with the names of ops, and arrays. What is not in ``OPS`` is refused by name.
"""

import functools
import inspect
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, FileError, MissingRule, ShapeError
from nn import functional as F
from nn.inputs import as_input
from nn.module import Module, Parameter
from nn.onnx.graph import package
from nn.writing import read_bytes

OLDEST = 17  # opset: before 13 some ops meant other things under the same name
CONSTANT = re.compile(r"(.*/)?constant(_\d+)?")  # what export calls numbers that nobody named

# ------------------------------------------------------------------------------------- what ONNX's ops are called here


def _ints(values: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.ravel(values))


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, ag.Tensor) else np.asarray(x)


def _gemm(a: Any, b: Any, c: Any = None, alpha: float = 1, beta: float = 1, transA: int = 0, transB: int = 0) -> Any:
    y = F.linear(a.T if transA else a, b if transB else b.T)
    y = y if alpha == 1 else alpha * y
    return y if c is None else y + (c if beta == 1 else beta * c)


def _sides(pads: Any) -> list[tuple[int, int]]:
    """Bring ONNX's order, all beginnings and then all ends, to one pair per axis."""
    return list(zip(pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True))


def _padded(x: Any, pads: Any, value: float) -> Any:
    """Pad the axes behind batch and channels."""
    return np.pad(x, [(0, 0), (0, 0), *_sides(pads)], constant_values=value) if any(pads or ()) else x


def _each(values: Any, x: Any, otherwise: int = 1) -> tuple[int, ...]:
    return tuple(values or [otherwise] * (x.ndim - 2))


def _average_pool(x: Any, kernel_shape: Any, strides: Any = None, pads: Any = None, count_include_pad: int = 0) -> Any:
    sides = _each(pads and _sides(pads), x, 0)
    if any(np.ptp(side) for side in sides):
        raise ArgumentError(f"onnx.load: AveragePool with pads {pads}, other before than behind, has no counterpart.")
    pool, padding = F.avg_pool1d if x.ndim == 3 else F.avg_pool2d, tuple(np.max(side) for side in sides)
    return pool(x, tuple(kernel_shape), _each(strides, x), padding, count_include_pad=bool(count_include_pad))


def _recurrent(function: Any, order: list[int], kinds: dict[Any, dict[str, Any]]) -> Callable[..., Any]:
    """Translate a recurrent op; ``order`` says where PyTorch's gates stand in ONNX's."""

    def run(
        x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, *starts: Any, hidden_size: int,
        direction: bytes = b"forward", activations: Any = None, linear_before_reset: int = 0,
    ) -> Any:  # fmt: skip
        kind = kinds.get((linear_before_reset, *(activations or ())))
        if kind is None or lengths is not None or direction == b"bidirectional" or any(h is None for h in starts):
            raise ArgumentError("onnx.load: recurrent op: this direction, activation, length or state is not known.")
        rows = np.concatenate([np.arange(hidden_size) + gate * hidden_size for gate in order])
        halves = [] if b is None else [b[0, : len(rows)][rows], b[0, len(rows) :][rows]]
        hx = None if not starts else starts if len(starts) > 1 else starts[0]
        back = direction == b"reverse"
        y, last = function(np.flip(x, 0) if back else x, hx, [[w[0][rows], r[0][rows], *halves]], **kind)
        states = last if isinstance(last, tuple) else (last,)
        return (np.expand_dims(np.flip(y, 0) if back else y, 1), *states)

    return run


def _softmax(x: Any, axis: int = -1) -> Any:
    """Give NaN where all of a row is -inf, as ONNX does, and let no gradient through."""
    dead = np.max(_plain(x), axis, keepdims=True) == -np.inf
    return np.where(dead, np.nan, F.softmax(np.where(dead, 0.0, x), axis)) if dead.any() else F.softmax(x, axis)


def _reduce(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axes=None, keepdims=1: f(x, axis=axes if axes is None else _ints(axes), keepdims=bool(keepdims))


def _root_of_squares(x: Any, axis: Any, keepdims: bool) -> Any:
    """Norm axis by axis, as each norm has the right slope at 0."""
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in axis]
    for a in sorted(axes, reverse=True):
        x = np.linalg.norm(x, axis=a, keepdims=keepdims)
    return x


def _slice(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    n, index = len(starts), [slice(None)] * x.ndim
    axes, steps = np.arange(n) if axes is None else axes, [1] * n if steps is None else steps
    for axis, *cut in zip(*map(_ints, (axes, starts, ends, steps)), strict=True):
        index[axis] = slice(*cut)
    return x[tuple(index)]


OPS: dict[str, Callable[..., Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power, "Neg": np.negative,
    "Abs": np.absolute, "Reciprocal": np.reciprocal, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Erf": ag.erf,
    "Sin": np.sin, "Cos": np.cos, "Tan": np.tan, "Asin": np.arcsin, "Acos": np.arccos, "Atan": np.arctan,
    "Sinh": np.sinh, "Cosh": np.cosh, "Tanh": np.tanh, "Asinh": np.arcsinh, "Acosh": np.arccosh, "Atanh": np.arctanh,
    "Sign": np.sign, "Floor": np.floor, "IsNaN": np.isnan, "Relu": ag.relu, "Sigmoid": ag.sigmoid,
    "Softplus": ag.softplus, "Max": lambda *xs: functools.reduce(np.maximum, xs),
    "Min": lambda *xs: functools.reduce(np.minimum, xs),
    "LeakyRelu": lambda x, alpha=0.01: F.leaky_relu(x, alpha), "Elu": lambda x, alpha=1.0: F.elu(x, alpha),
    "Softmax": _softmax, "LogSoftmax": lambda x, axis=-1: F.log_softmax(x, axis),
    "Mod": lambda a, b, fmod=0: (np.fmod if fmod else np.remainder)(a, b), "Identity": lambda x: x,
    "Cast": lambda x, to: x.astype(package().helper.tensor_dtype_to_np_dtype(to)),
    "Where": lambda condition, a, b: np.where(_plain(condition), a, b),
    "CumSum": lambda x, axis: np.cumsum(x, int(axis)),
    "ReduceSum": _reduce(np.sum), "ReduceMean": _reduce(np.mean), "ReduceProd": _reduce(np.prod),
    "ReduceMax": _reduce(np.max), "ReduceMin": _reduce(np.min), "ReduceLogSumExp": _reduce(ag.logsumexp),
    "ReduceL2": _reduce(_root_of_squares), "MatMul": np.matmul, "Gemm": _gemm,
    "Einsum": lambda *xs, equation: np.einsum(equation.decode(), *xs),
    "Conv": lambda x, w, b=None, kernel_shape=None, strides=None, pads=None, dilations=None, group=1: (
        F.conv1d if x.ndim == 3 else F.conv2d
    )(_padded(x, pads, 0.0), w, b, _each(strides, x), 0, _each(dilations, x), group),
    "MaxPool": lambda x, kernel_shape, strides=None, pads=None, dilations=None: (
        F.max_pool1d if x.ndim == 3 else F.max_pool2d
    )(_padded(x, pads, -np.inf), tuple(kernel_shape), _each(strides, x), 0, _each(dilations, x)),
    "AveragePool": _average_pool,
    "LayerNormalization": lambda x, w, b=None, axis=-1, epsilon=1e-5: F.layer_norm(x, x.shape[axis:], w, b, epsilon),
    "BatchNormalization": lambda x, w, b, mean, var, epsilon=1e-5: F.batch_norm(
        x, _plain(mean), _plain(var), w, b, eps=epsilon
    ),
    "LSTM": _recurrent(F.lstm, [0, 2, 3, 1], {(0,): {}}), "GRU": _recurrent(F.gru, [1, 0, 2], {(1,): {}}),
    "RNN": _recurrent(F.rnn, [0], {(0,): {}, (0, b"Relu"): {"nonlinearity": "relu"}}),
    "Reshape": lambda x, to: np.reshape(x, [x.shape[i] if n == 0 else n for i, n in enumerate(_ints(to))]),
    "Squeeze": lambda x, axes=None: np.squeeze(x, None if axes is None else _ints(axes)), "Slice": _slice,
    "Pad": lambda x, pads, value=0: np.pad(x, _sides(_ints(pads)), constant_values=float(_plain(value))),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, _ints(axes)), "Transpose": lambda x, perm: np.transpose(x, perm),
    "Expand": lambda x, shape: np.broadcast_to(x, np.broadcast_shapes(x.shape, _ints(shape))),
    "Tile": lambda x, times: np.tile(x, _ints(times)), "Concat": lambda *xs, axis: np.concatenate(xs, axis),
    "Split": lambda x, sizes, axis=0: tuple(np.split(x, np.cumsum(_ints(sizes))[:-1], axis)),
    "Shape": lambda x, start=0, end=None: np.asarray(x.shape[start:end], np.int64),
    "Trilu": lambda x, k=0, upper=1: (np.triu if upper else np.tril)(x, int(k)),
    "Gather": lambda x, at, axis=0: np.take(x, _plain(at), axis),
    "GatherND": lambda x, at: x[tuple(np.moveaxis(_plain(at), -1, 0))],
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
    return Loaded(model.graph, opset)


class Node:
    """Be one node: the name of its op, what goes in and out, and its attributes."""

    def __init__(self, proto: Any, opset: int) -> None:
        onnx = package()
        self.op, self.inputs, self.outputs = proto.op_type, list(proto.input), list(proto.output)
        if proto.domain not in ("", "ai.onnx") or self.op not in OPS:
            raise MissingRule(f"onnx.load: {self.op} (node {proto.name!r}) has no counterpart here.")
        value, known = onnx.helper.get_attribute_value, onnx.defs.get_schema(self.op, opset).attributes
        takes = () if isinstance(OPS[self.op], np.ufunc) else inspect.signature(OPS[self.op]).parameters
        self.attributes = {item.name: value(item) for item in proto.attribute}
        for name in set(self.attributes).difference(takes):
            default = known[name].default_value
            if not default.type or value(default) != self.attributes.pop(name):
                raise MissingRule(f"onnx.load: {name} of {self.op} (node {proto.name!r}) has no counterpart here.")


class Loaded(Module):
    """Run the nodes of an ONNX graph, one after the other, on Tensors."""

    def __init__(self, graph: Any, opset: int) -> None:
        onnx = package()
        self.nodes = [Node(proto, opset) for proto in graph.node]
        self.constants: dict[str, Any] = {}
        self.takes, self.gives = {}, [info.name for info in graph.output]
        for info in graph.input:
            kind = info.type.tensor_type
            shape = tuple(dim.dim_value or dim.dim_param for dim in kind.shape.dim)
            self.takes[info.name] = (onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type), shape)
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
        for x, (name, (dtype, shape)) in zip(inputs, self.takes.items(), strict=True):
            y = as_input(x, dtype) if dtype.kind == "f" else np.asarray(_plain(x), dtype)
            if len(shape) != y.ndim or any(isinstance(n, int) and n != m for n, m in zip(shape, y.shape, strict=True)):
                raise ShapeError(f"{name} has shape {y.shape}; the file says ({', '.join(map(str, shape))}).")
            values[name] = ag.Tensor(y) if dtype.kind == "f" and not isinstance(y, ag.Tensor) else y
        for node in self.nodes:
            values[""] = None  # an input that is left out
            y = OPS[node.op](*[values[name] for name in node.inputs], **node.attributes)
            values.update(zip(node.outputs, y if isinstance(y, tuple) else (y,), strict=False))
        found = tuple(values[name] for name in self.gives)
        return found if len(found) > 1 else found[0]
