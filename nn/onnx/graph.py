"""The ONNX graph under construction: nodes named by module, parameters by dotted name, lengths by what varies."""

import functools
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from autograd.errors import ArgumentError, missing
from nn.onnx.lengths import Axes, Size
from nn.onnx.plan import Item, Plan, Step

Translation = Callable[["Graph", Step], Any]
OLDEST = (1, 23)  # its reference implementation is the first to run recurrent layers backwards
LIMIT = 2**31 - 2**20  # what a protobuf file can hold, less room for the nodes
# What onnxruntime 1.22 cannot run in float64 (its "operator kernels" page says which types it has)
NO_DOUBLE = (
    *("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Sinh", "Tan", "Erf", "Elu", "Softplus"),
    *("HardSigmoid", "Conv", "ConvTranspose", "AveragePool", "Resize", "RNN", "GRU", "LSTM"),
)
NO_DOUBLE_SINCE_18 = ("LeakyRelu", "PRelu")


def package(name: str = "onnx") -> Any:
    """Import a module of the ``onnx`` package, or say which extra brings it."""
    try:
        onnx, module = import_module("onnx"), import_module(name)
    except ImportError as error:
        raise missing("nn.onnx", "onnx", error) from error
    if tuple(map(int, onnx.__version__.split(".")[:2])) < OLDEST:
        raise missing("nn.onnx", "onnx", f"found {onnx.__version__}; older ones cannot check recurrent layers")
    return module


class Graph:
    """Collect nodes and initializers; a translation calls :meth:`node` and gives back the names of its outputs."""

    def __init__(self, opset: int, table: Mapping[str, Translation]) -> None:
        self.onnx, self.opset, self.table = package(), opset, table
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.names: dict[Any, str] = {}
        self.taken: set[str] = set()
        self.given: set[str] = set()
        self.small: dict[Any, str] = {}
        self.lengths: dict[Size, str] = {}
        self.step: Step | None = None
        self.inputs: list[str] = []
        self.axes = Axes((), {})

    # ------------------------------------------------------------------------------------------------------------ names

    def fresh(self, name: str) -> str:
        """Return ``name``, with a number behind it when it is taken."""
        found, i = name, 1
        while found in self.taken:
            found, i = f"{name}_{i}", i + 1
        self.taken.add(found)
        return found

    def local(self, name: str) -> str:
        """Put the module path before a name."""
        return f"{self.step.path}/{name}" if self.step is not None and self.step.path else name

    # ------------------------------------------------------------------------------------------------------------ nodes

    def node(self, op: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of its output, or a tuple of ``outputs`` names; an input "" is left out."""
        for key, value in attributes.items():
            if _has_size(value):
                self.refuse(f"{key} = {value} depends on lengths that vary, which ONNX's {op} cannot express")
        label = self.fresh(self.local(op))
        names = [label] if outputs == 1 else [self.fresh(f"{label}.{i}") for i in range(outputs)]
        given = [self.tensor(x) for x in inputs]
        while given and not given[-1]:
            given.pop()
        kept = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(self.onnx.helper.make_node(op, given, names, name=label, **kept))
        return names[0] if outputs == 1 else tuple(names)

    def refuse(self, why: str) -> Any:
        """Raise the error for something about the current step that cannot be exported."""
        where = self.step.place if self.step is not None else "the model"
        raise ArgumentError(f"onnx.export: {where}: {why}.")

    # ----------------------------------------------------------------------------------------------------------- values

    def tensor(self, x: Any, dtype: Any = None) -> str:
        """Name what is given as a name, array, number or Item (a constant is repeated along the batch if need be)."""
        if isinstance(x, str):
            return x
        if isinstance(x, Size):
            return self.cast(self.node("Squeeze", self.length(x)), dtype or np.int64)
        if not isinstance(x, Item):
            return self.constant(np.asarray(x, dtype))
        if x not in self.names:
            name = self.constant(np.asarray(x.array, x.dtype), x.name)
            self.names[x] = self.node("Expand", name, self.ints(x.shape)) if _has_size(x.shape) else name
        name = self.names[x]
        return name if dtype is None or dtype == x.dtype else self.cast(name, dtype)

    def operands(self, step: Step) -> list[str]:
        """Name the inputs of an elementwise op, all in the dtype of its output."""
        shape, dtype = step.outputs[0].shape, step.outputs[0].dtype
        full = any(isinstance(x, Item) and x.array is None and x.shape == shape for x in step.inputs)
        names = []
        for x in step.inputs:
            alike = full and isinstance(x, Item) and x.array is not None and _has_size(x.shape)
            names.append(self.constant(np.asarray(x.array, dtype)) if alike else self.tensor(x, dtype))  # it broadcasts
        return names

    def cast(self, name: str, dtype: Any) -> str:
        """Convert a tensor."""
        return str(self.node("Cast", name, to=self.kind(dtype)))

    def kind(self, dtype: Any) -> int:
        """Return ONNX's number for a dtype."""
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def constant(self, array: Any, name: str = "", doc: str = "") -> str:
        """Add an initializer; small unnamed ones are shared."""
        array = np.asarray(array)
        array = np.ascontiguousarray(array).reshape(array.shape)
        key = (array.dtype, array.shape, array.tobytes()) if array.size <= 64 and not name else None
        if key is not None and key in self.small:
            return self.small[key]
        label = self.fresh(name or (self.local("constant") if array.size > 64 else "constant"))
        proto = self.onnx.numpy_helper.from_array(array, label)
        if doc:
            proto.doc_string = doc
        self.constants[label] = proto
        if key is not None:
            self.small[key] = label
        return label

    def once(self, key: Any, array: Any, name: str, doc: str) -> str:
        """Add an initializer that is made from other constants, the first time it is asked for."""
        if key not in self.names:
            self.names[key] = self.constant(array, name, doc)
        return self.names[key]

    def array(self, x: Any, what: str) -> Any:
        """Return the array of an input that must be a constant."""
        if not isinstance(x, Item):
            return np.asarray(x)
        if x.array is None:
            self.refuse(f"{what} depends on the input, but ONNX wants a constant there")
        return x.array

    def ints(self, values: Sequence[Any]) -> str:
        """Return a tensor of integers, computed from the lengths of the inputs where one depends on them."""
        if not _has_size(values):
            return self.constant(np.asarray(values, np.int64).reshape(-1))
        parts = [self.length(v) if isinstance(v, Size) else self.constant(np.asarray([v], np.int64)) for v in values]
        return parts[0] if len(parts) == 1 else str(self.node("Concat", *parts, axis=0))

    def length(self, size: Size) -> str:
        """Compute a length, a tensor with one number."""
        if size not in self.lengths:
            step, self.step = self.step, None
            terms = []
            for names, times in size.terms:
                factors = [self.varying(name) for name in names]
                if times != 1 or not factors:
                    factors.append(self.constant(np.asarray([times], np.int64)))
                terms.append(functools.reduce(lambda a, b: str(self.node("Mul", a, b)), factors))
            self.lengths[size] = functools.reduce(lambda a, b: str(self.node("Add", a, b)), terms)
            self.step = step
        return self.lengths[size]

    def varying(self, name: str) -> str:
        """Read the length of an axis that varies from the shape of an input."""
        size = Size((((name,), 1),))
        if size not in self.lengths:
            i, axis = next((i, a) for i, axes in enumerate(self.axes.names) for a, n in axes.items() if n == name)
            self.lengths[size] = self.node("Shape", self.inputs[i], start=axis, end=axis + 1)
        return self.lengths[size]

    def reshape(self, x: Any, shape: Sequence[Any]) -> str:
        """Reshape; one length that varies is left to the runtime."""
        sizes = [n for n in shape if isinstance(n, Size)]
        if len(sizes) == 1 and 0 not in shape:
            shape = [-1 if isinstance(n, Size) else n for n in shape]
        return str(self.node("Reshape", x, self.ints(shape)))

    # ------------------------------------------------------------------------------------------------------------ whole

    def build(self, plan: Plan, name: str) -> Any:
        """Translate all steps and give the ONNX model."""
        helper, self.axes = self.onnx.helper, plan.axes
        ins = [self.declare(item, i, len(plan.inputs)) for i, item in enumerate(plan.inputs)]
        self.inputs = [info.name for info in ins]
        self.names.update(zip(plan.inputs, self.inputs, strict=True))
        reserved = [self.fresh("output" if len(plan.outputs) == 1 else f"output_{i}") for i in range(len(plan.outputs))]
        for step in plan.steps:
            self.translate(step)
        self.step = None
        outs = []
        for item, label in zip(plan.outputs, reserved, strict=True):
            self.give(self.tensor(item), label)
            outs.append(helper.make_tensor_value_info(label, self.kind(item.dtype), _dims(item.shape)))
        self.prune(reserved)
        size = sum(len(proto.raw_data) for proto in self.constants.values())
        if size > LIMIT:
            raise ArgumentError(
                f"onnx.export: the parameters take {size / 2**30:.1f} GiB, and a single ONNX file holds less than 2. "
                "External data is not written: export in float32, or in parts."
            )
        graph = helper.make_graph(self.nodes, name, ins, outs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", self.opset)]
        version = helper.find_min_ir_version_for(opsets)  # the oldest that has this opset: older runtimes read it
        return helper.make_model(graph, opset_imports=opsets, ir_version=version, producer_name="chainrule")

    def give(self, name: str, label: str) -> None:
        """Name a result ``label``; an input, a constant or a result that is named already is passed on by a node."""
        maker = next((node for node in self.nodes if name in node.output), None)
        if maker is None or name in self.given:
            self.nodes.append(self.onnx.helper.make_node("Identity", [name], [label], name=label))
            return
        self.given.add(label)
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [label if n == name else n for n in names]
        self.names = {item: label if n == name else n for item, n in self.names.items()}

    def prune(self, wanted: Sequence[str]) -> None:
        """Drop the nodes and constants that lead nowhere, and the last states of recurrent layers that nobody reads."""
        used, kept = set(wanted), []
        for node in reversed(self.nodes):
            if used.intersection(node.output):
                kept.append(node)
                used.update(node.input)
                if node.op_type in ("LSTM", "GRU", "RNN"):
                    names = [name if name in used else "" for name in node.output]
                    while not names[-1]:
                        names.pop()
                    node.output[:] = names
        self.nodes = kept[::-1]
        self.constants = {name: proto for name, proto in self.constants.items() if name in used}

    def declare(self, item: Item, i: int, count: int) -> Any:
        """Describe a graph input."""
        label = self.fresh(labels(count)[i])
        return self.onnx.helper.make_tensor_value_info(label, self.kind(item.dtype), _dims(item.shape))

    def translate(self, step: Step) -> None:
        """Add the nodes of one step."""
        self.step, before = step, len(self.nodes)
        names = self.table[step.op](self, step)
        if step.outputs[0].dtype == np.float64:
            lacking = NO_DOUBLE if self.opset < 18 else (*NO_DOUBLE, *NO_DOUBLE_SINCE_18)
            for node in self.nodes[before:]:
                if node.op_type in lacking:
                    self.refuse(f'onnxruntime has no {node.op_type} in float64; export model.astype("float32")')
        names = names if isinstance(names, tuple) else (names,)
        self.names.update(zip(step.outputs, names, strict=True))


def labels(count: int) -> list[str]:
    """Name the inputs of a graph."""
    return ["input"] if count == 1 else [f"input_{i}" for i in range(count)]


def _dims(shape: Sequence[Any]) -> list[Any]:
    return [str(n) if isinstance(n, Size) else int(n) for n in shape]


def _has_size(value: Any) -> bool:
    if isinstance(value, slice):
        return _has_size((value.start, value.stop, value.step))
    return isinstance(value, Size) or (isinstance(value, tuple | list) and any(_has_size(x) for x in value))
