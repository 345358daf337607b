"""Export a module to ONNX, which production runtimes read: ``nn.onnx.export(model, example_input, "model.onnx")``.

``nn.onnx.load("model.onnx")`` reads such a file back, as a module (``reader``).

The way there: record the model twice (``plan``), translate each recorded op (``table``, ``fused``) into a graph
(``graph``), and compare the result with the model itself (``check``).
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, ConversionError, DTypeError
from nn.inputs import refuse_masked
from nn.module import Module, Parameter
from nn.onnx.check import verify
from nn.onnx.fused import FUSED
from nn.onnx.graph import Graph, labels, package
from nn.onnx.lengths import BATCH, Axes, Lengths, Size, read_axes
from nn.onnx.others import others
from nn.onnx.plan import make_plan
from nn.onnx.reader import load
from nn.onnx.shapes import SHAPES
from nn.onnx.table import TABLE
from nn.reading import leaves
from nn.writing import write_bytes

__all__ = ["export", "load"]

OPSET = 17  # the first with LayerNormalization; read by onnxruntime >= 1.12
TRANSLATIONS = {**TABLE, **SHAPES, **FUSED}


def export(
    model: Any,
    example_input: Any,
    path: str | os.PathLike[str],
    dynamic_batch: bool = True,
    opset: int = OPSET,
    *,
    dynamic_axes: Mapping[Any, Any] | None = None,
) -> None:
    """Write ``model``, in evaluation mode, as one ONNX file that onnxruntime and others run.

    Of an estimator of ``nn.sklearn`` the file gives what it predicts: the probabilities of classes, or numbers.
    ``example_input`` is an array (a tuple of arrays for several inputs) with the batch as first axis; floats are taken
    in the dtype of the parameters, integers (tokens, ``lengths=``) as int64. With ``dynamic_batch`` the file takes any
    batch size; ``dynamic_axes={0: "batch", 1: "time"}`` says which axes vary instead (by input:
    ``{"input_0": {1: "time"}}``, as in PyTorch). Parameters keep their dotted names, nodes bear the path of
    their module. Comparisons, ``np.where``, ``argmax`` and what is detached are part of the file; a number that leaves
    for Python (``.data``, an ``if``) cannot be.

    The file is written only after ONNX's checker and reference implementation agree with the model, at other lengths
    and on other numbers than the example's. Raises MissingRule for an op without translation, ArgumentError for what a
    file cannot hold (in float64 onnxruntime lacks some ops: use ``astype("float32")``), GraphError where results
    differ, MissingExtra without the package ``onnx``.

    >>> import nn, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "model.onnx"
    ...     nn.onnx.export(nn.MLP(2, [3, 1], rng=0), [[0.5, -1.0]], path)
    ...     nn.onnx.load(path)([[0.5, -1.0], [1.0, 0.0]]).shape
    (2, 1)
    """
    onnx = package()
    model = model if isinstance(model, Module) else getattr(model, "as_module", lambda: model)()
    if not isinstance(model, Module):
        raise ArgumentError(f"onnx.export: the first argument must be a Module, got {type(model).__name__}.")
    newest = onnx.defs.onnx_opset_version()
    if not OPSET <= opset <= newest:
        raise ArgumentError(
            f"onnx.export: opset must be {OPSET} … {newest}, the newest of the installed onnx, got {opset}."
        )
    example = _read(model, example_input, dynamic_batch and dynamic_axes is None)
    shapes = [x.shape for x in example]
    if dynamic_axes is not None:
        axes = read_axes(dynamic_axes, labels(len(example)), shapes)
    elif dynamic_batch:
        axes = Axes(tuple({0: BATCH} for _ in example), {BATCH: len(example[0])})
    else:
        axes = Axes(tuple({} for _ in example), {})
    with _evaluating(model):
        _outputs(model, example)  # the model's own message, if the example does not fit
        rng = np.random.default_rng(0)
        runs = [_like(example, axes, lengths, rng) for lengths in axes.grid]
        known = dict(_tensors(model))
        plan = _fits(lambda: make_plan(model, runs, axes, known, TRANSLATIONS), axes)
        tried = others(lambda arrays: _outputs(model, arrays), runs[0], rng)
        if not plan.outputs or all(item.array is not None for item in plan.outputs):
            raise ArgumentError(f"onnx.export: no output of {type(model).__name__} depends on the input.")
        made = Graph(opset, TRANSLATIONS).build(plan, type(model).__name__)
        cases = []
        for lengths in axes.trials:
            arrays = _like(example, axes, lengths, rng)
            cases.append((arrays, _fits(lambda arrays=arrays: _outputs(model, arrays), axes)))  # type: ignore[misc]
    for i, (item, info) in enumerate(zip(plan.outputs, made.graph.output, strict=True)):
        _settle(item.shape, info.type.tensor_type.shape, [ours[i].shape for _, ours in cases], axes)
    with _evaluating(model):
        verify(made, [*cases, *((arrays, _outputs(model, arrays)) for arrays in tried)])
    write_bytes(path, made.SerializeToString(deterministic=True))


def _read(model: Module, example: Any, dynamic: bool) -> list[Any]:
    """Read the example as arrays that the file will take: floats in the dtype of the parameters, integers as int64."""
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    arrays = []
    for x in example if isinstance(example, tuple) else (example,):
        refuse_masked(x, "onnx.export: example_input")
        array = x.data if isinstance(x, ag.Tensor) else np.asarray(x)
        if array.dtype.kind not in "iuf":
            raise DTypeError(f"onnx.export: example_input has dtype {array.dtype}; it must hold floats or integers.")
        if dynamic and (not array.ndim or not len(array)):
            raise ArgumentError(
                f"onnx.export: example_input has shape {array.shape}; its first axis must be the batch, with at "
                "least one row. Pass x[None], or dynamic_batch=False."
            )
        arrays.append(np.array(array, dtype if array.dtype.kind == "f" else np.int64, order="C"))
    if not arrays:
        raise ArgumentError("onnx.export: example_input is an empty tuple; pass an array, or a tuple of arrays.")
    return arrays


def _like(example: list[Any], axes: Axes, lengths: Lengths, rng: np.random.Generator) -> list[Any]:
    """Make inputs like the example with other numbers and lengths: nothing of it gets into the file unseen."""
    made = []
    for x, named in zip(example, axes.names, strict=True):
        shape = tuple(lengths[named[axis]] if axis in named else n for axis, n in enumerate(x.shape))
        if x.dtype.kind == "f":
            for axis in named:
                x = np.take(x, rng.integers(0, x.shape[axis], shape[axis]), axis)
            made.append((x * rng.uniform(0.8, 1.2, shape)).astype(x.dtype))
        else:
            made.append(rng.choice(x.reshape(-1), shape) if x.size else np.zeros(shape, x.dtype))
    return made


def _settle(shape: Sequence[Any], declared: Any, found: Sequence[tuple[int, ...]], axes: Axes) -> None:
    """Leave lengths of an output open whose formula does not hold at the trials: a division rounded down, say."""
    for axis, n in enumerate(shape):
        expected = [n.at(lengths) if isinstance(n, Size) else n for lengths in axes.trials]
        if expected != [lengths[axis] for lengths in found]:
            declared.dim[axis].Clear()


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    """Put the model into evaluation mode, and back as it was."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in modes:
            module._set_mode(training)


def _tensors(model: Module) -> Iterator[tuple[str, ag.Tensor]]:
    """Yield the parameters, and other Tensors that modules hold, by dotted name."""
    yield from model.named_parameters()
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, ag.Tensor) and not isinstance(value, Parameter):
                yield f"{path}.{name}" if path else name, value


def _outputs(model: Module, arrays: list[Any]) -> list[Any]:
    """Run the model and list its outputs as arrays."""
    with ag.no_grad():
        found = leaves(model(*[ag.Tensor(x) for x in arrays]))
    return [np.asarray(getattr(y, "data", y)) for y in found if isinstance(y, ag.Tensor | np.ndarray | np.generic)]


def _fits(run: Callable[[], Any], axes: Axes) -> Any:
    """Run the model at other lengths; if that fails, say why it was tried."""
    try:
        return run()
    except (ag.AutogradError, ValueError, IndexError) as error:
        if not axes.example or isinstance(error, ConversionError) or str(error).startswith("onnx.export"):
            raise
        why = str(error).rstrip(".")
        where, less = "another batch size", "dynamic_batch=False"
        if list(axes.example) != [BATCH]:
            where, less = "other lengths", "fewer dynamic_axes"
        raise ArgumentError(
            f"onnx.export: the model runs on example_input, but not at {where} ({why}). Let the first axis be the "
            f"batch, or pass {less}."
        ) from error
