"""Does the file do what the model does? ONNX's own checker, and its reference implementation against our outputs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.errors import GraphError
from nn.onnx.graph import package

TOLERANCE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-4}  # of the largest output


def verify(model: Any, cases: Sequence[tuple[Sequence[Any], Sequence[Any]]]) -> None:
    """Check the ONNX ``model`` and its outputs for each case (inputs, our outputs); raise GraphError if it is wrong."""
    onnx = package()
    try:
        onnx.checker.check_model(model, full_check=True)
        run = _evaluator(model)
    except Exception as error:
        raise GraphError(f"onnx.export: ONNX's checker refuses the model: {error}") from error
    names = [item.name for item in model.graph.input]
    for inputs, expected in cases:
        try:
            with np.errstate(all="ignore"):  # what it computes on the way is its own affair
                found = run(None, dict(zip(names, inputs, strict=True)))
        except Exception as error:
            raise GraphError(
                f"onnx.export: {_where(inputs)} ONNX's reference implementation fails: {error}. A length may be no sum "
                "of products of those that vary (one rounded down, say): pass fewer dynamic_axes."
            ) from error
        for i, (y, ours) in enumerate(zip(found, expected, strict=True)):
            _compare(np.asarray(y), np.asarray(ours), f"output {i} {_where(inputs)}")


def _where(inputs: Sequence[Any]) -> str:
    return f"for inputs of shape {', '.join(str(x.shape) for x in inputs)}"


def _compare(found: Any, ours: Any, what: str) -> None:
    if found.shape != ours.shape or found.dtype != ours.dtype:
        raise GraphError(
            f"onnx.export: {what} has shape {found.shape} and dtype {found.dtype} in ONNX, but {ours.shape} and "
            f"{ours.dtype} here. A length that depends on the batch was taken for a constant; pass dynamic_batch=False."
        )
    finite = np.abs(ours[np.isfinite(ours)])
    limit = TOLERANCE.get(ours.dtype, 1e-4) * max(1.0, float(finite.max(initial=0.0)))
    if not np.allclose(found, ours, rtol=0, atol=limit, equal_nan=True):
        with np.errstate(invalid="ignore"):
            worst = float(np.nanmax(np.abs(found - ours)))
        raise GraphError(
            f"onnx.export: {what} differs from the module's own by {worst:.3g} (allowed {limit:.3g}). Values "
            "taken out of the graph (.data, .numpy(), if) are constants in a file; use differentiable functions."
        )


def _evaluator(model: Any) -> Callable[..., Any]:
    """Make ONNX's reference implementation, taught what it lacks.

    That is the ReLU of RNN, the lengths of recurrent ops, and the groups of ConvTranspose.
    """
    rnn = package("onnx.reference.ops.op_rnn").RNN_14
    lstm, gru = package("onnx.reference.ops.op_lstm").LSTM, package("onnx.reference.ops.op_gru").GRU
    transposed = package("onnx.reference.ops.op_conv_transpose").ConvTranspose

    def choose_act(self: Any, name: str, alpha: Any, beta: Any) -> Any:
        return (lambda x: np.maximum(x, 0)) if name == "Relu" else rnn.choose_act(self, name, alpha, beta)

    def by_length(base: Any) -> Any:
        def run(
            self: Any, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None, c: Any = None,
            p: Any = None, **options: Any,
        ) -> Any:  # fmt: skip
            b, lengths = (None if part is not None and part.ndim == 4 else part for part in (b, lengths))  # the y of a
            cells = [c, p] if base is lstm else []  # node that leaves it out is taken for inputs left out after it
            if lengths is None:
                return base._run(self, x, w, r, b, None, h, *cells, **options)
            found = []
            for i, n in enumerate(lengths):  # one sequence after the other, cut where it ends
                h_i, c_i = (None if state is None else state[:, i : i + 1] for state in (h, c))
                starts = [h_i, c_i, p] if base is lstm else [h_i]
                y, *last = base._run(self, x[:n, i : i + 1], w, r, b, None, *starts, **options)
                found.append((np.pad(y, [(0, len(x) - n), (0, 0), (0, 0), (0, 0)]), *last))
            return tuple(np.concatenate(parts, axis=-2) for parts in zip(*found, strict=True))

        return run

    def by_group(self: Any, x: Any, w: Any, b: Any = None, group: Any = None, **options: Any) -> Any:
        parts = zip(np.split(x, group or 1, axis=1), np.split(w, group or 1), strict=True)
        y = np.concatenate([transposed._run(self, *part, group=1, **options)[0] for part in parts], axis=1)
        return (y if b is None else y + b.reshape(-1, *(1,) * (x.ndim - 2)),)

    taught = [
        type("RNN", (rnn,), {"op_domain": "", "choose_act": choose_act, "_run": by_length(rnn)}),
        type("LSTM", (lstm,), {"op_domain": "", "_run": by_length(lstm)}),
        type("GRU", (gru,), {"op_domain": "", "_run": by_length(gru)}),
        type("ConvTranspose", (transposed,), {"op_domain": "", "_run": by_group}),
    ]
    run: Callable[..., Any] = package("onnx.reference").ReferenceEvaluator(model, new_ops=taught).run
    return run
