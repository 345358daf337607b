"""How each layer op of ``nn`` is said in ONNX: Gemm, Conv, LSTM, LayerNormalization …, and attention as its parts."""

from typing import Any

import numpy as np

from nn.onnx.graph import Graph, Translation
from nn.onnx.plan import Item, Step

# ------------------------------------------------------------------------------------------ dense, convolution, pooling


def _linear(g: Graph, s: Step) -> Any:
    """Gemm for a batch of rows; x · Wᵀ + b otherwise."""
    x, weight, *bias = (g.tensor(value, s.outputs[0].dtype) for value in s.inputs)
    if len(s.inputs[0].shape) == 2 == len(s.inputs[1].shape):
        return g.node("Gemm", x, weight, *bias, transB=1)
    y = g.node("MatMul", x, g.node("Transpose", weight, perm=[1, 0]) if len(s.inputs[1].shape) == 2 else weight)
    return g.node("Add", y, *bias) if bias else y


def _conv(g: Graph, s: Step) -> Any:
    x, weight, bias = s.inputs
    n, k = len(x.shape) - 2, s.kwargs
    return g.node(
        "Conv",
        x,
        weight,
        bias if isinstance(bias, Item) else "",
        kernel_shape=list(weight.shape[2:]),
        strides=list(k["stride"][:n]),
        pads=_pads(k["pads"][:n]),
        dilations=list(k["dilation"][:n]),
        group=k["groups"],
    )


def _conv_transpose(g: Graph, s: Step) -> Any:
    x, weight, bias = s.inputs
    n, k = len(x.shape) - 2, s.kwargs
    return g.node(
        "ConvTranspose",
        x,
        weight,
        bias if isinstance(bias, Item) else "",
        kernel_shape=list(weight.shape[2:]),
        strides=list(k["stride"][:n]),
        pads=_pads(k["pads"][:n]),
        output_padding=list(k["extra"][:n]),
        dilations=list(k["dilation"][:n]),
        group=k["groups"],
    )


def _pads(pads: Any) -> list[int]:
    """Bring ((top, bottom), (left, right)) to ONNX's order: all beginnings, then all ends."""
    return [before for before, _ in pads] + [after for _, after in pads]


def _max_pool(g: Graph, s: Step) -> Any:
    k = s.kwargs
    return g.node(
        "MaxPool",
        s.inputs[0],
        kernel_shape=list(k["kernel"]),
        strides=list(k["stride"]),
        pads=_pads(k["pads"]),
        dilations=list(k["dilation"]) if tuple(k["dilation"]) != (1, 1) else None,
    )


def _avg_pool(g: Graph, s: Step) -> Any:
    k = s.kwargs
    return g.node(
        "AveragePool",
        s.inputs[0],
        kernel_shape=list(k["kernel"]),
        strides=list(k["stride"]),
        pads=_pads(k["pads"]),
        count_include_pad=int(k["include"]),
    )


def _embedding(g: Graph, s: Step) -> Any:
    index, weight = s.inputs
    return g.node("Gather", weight, g.tensor(index), axis=0)


# -------------------------------------------------------------------------------------------------------- normalization


def _filled(g: Graph, x: Any, shape: Any, dtype: Any) -> str:
    """Name a weight or bias; the number that stands for a missing one becomes an array."""
    return g.tensor(x) if isinstance(x, Item) else g.constant(np.full(shape, x, dtype))


def _layer_norm(g: Graph, s: Step) -> Any:
    x, weight, bias = s.inputs
    shape, dtype = s.kwargs["shape"], s.outputs[0].dtype
    return g.node(
        "LayerNormalization",
        x,
        _filled(g, weight, shape, dtype),
        _filled(g, bias, shape, dtype),
        axis=-len(shape),
        epsilon=float(s.kwargs["eps"]),
    )


def _batch_norm(g: Graph, s: Step) -> Any:
    x, weight, bias = s.inputs
    if s.kwargs["mean"] is None:
        g.refuse("it normalizes by the statistics of the batch, and a file needs running ones: use training=False")
    dtype, shape = s.outputs[0].dtype, x.shape[1:2]
    running = [g.constant(np.asarray(s.kwargs[k], dtype), _beside(weight, f"running_{k}", g)) for k in ("mean", "var")]
    return g.node(
        "BatchNormalization",
        x,
        _filled(g, weight, shape, dtype),
        _filled(g, bias, shape, dtype),
        *running,
        epsilon=float(s.kwargs["eps"]),
    )


def _beside(weight: Any, name: str, g: Graph) -> str:
    """Return the dotted name of what stands in the same module as ``weight``."""
    prefix = weight.name.rpartition(".")[0] if isinstance(weight, Item) else g.step.path if g.step else ""
    return f"{prefix}.{name}" if prefix else name


# ----------------------------------------------------------------------------------------------------------- recurrence

# ONNX's op, its number of states, the order of our gates in ONNX's order, and attributes
RECURRENT: dict[str, tuple[str, int, tuple[int, ...], dict[str, Any]]] = {
    "lstm": ("LSTM", 2, (0, 3, 1, 2), {}),  # i, f, g, o -> i, o, f, c
    "gru": ("GRU", 1, (1, 0, 2), {"linear_before_reset": 1}),  # r, z, n -> z, r, h
    "rnn": ("RNN", 1, (0,), {}),
}


def _recurrent(g: Graph, s: Step) -> Any:
    """One layer in one direction: weights and states get an axis for the direction, gates ONNX's order."""
    op, states, order, attributes = RECURRENT[s.op]
    x, *starts = s.inputs[: 1 + states]
    hidden = s.inputs[2 + states].shape[1]
    w, r = (_gates(g, weight, order, hidden) for weight in s.inputs[1 + states : 3 + states])
    b = _biases(g, s.inputs[3 + states : -1], order, hidden, s.outputs[0].dtype)
    lengths = g.tensor(s.inputs[-1], np.int32) if isinstance(s.inputs[-1], Item) else ""
    zero = all(isinstance(h, Item) and h.array is not None and not h.array.any() for h in starts)
    at = np.asarray([0], np.int64)
    given = [g.node("Unsqueeze", h, at) for h in starts] if not zero else []
    direction = "reverse" if s.kwargs["reverse"] else "forward"
    if s.op == "rnn" and s.kwargs["relu"]:
        attributes = {**attributes, "activations": ["Relu"]}
    attributes = {**attributes, "hidden_size": hidden, "direction": direction}
    outputs = g.node(op, x, w, r, b, lengths, *given, outputs=1 + states, **attributes)
    y = g.node("Squeeze", outputs[0], np.asarray([1], np.int64))  # (T, 1, N, H)
    return (y, *(g.node("Squeeze", h, at) for h in outputs[1:]))


def _gates(g: Graph, weight: Any, order: tuple[int, ...], hidden: int) -> str:
    """Bring a weight (gates · H, …) to (1, gates · H, …) with the gates in ONNX's order, under its own name."""
    array = g.array(weight, "a recurrent weight")
    gates = array.reshape(len(order), hidden, *array.shape[1:])[list(order)].reshape(1, *array.shape)
    return g.once((weight, order), gates, weight.name, "gates in ONNX's order")


def _biases(g: Graph, biases: Any, order: tuple[int, ...], hidden: int, dtype: Any) -> str:
    """Join both biases, (1, 2 · gates · H); the number 0.0 stands for no bias."""
    if not isinstance(biases[0], Item):
        return ""
    arrays = [g.array(b, "a recurrent bias").reshape(len(order), hidden)[list(order)].reshape(1, -1) for b in biases]
    name, doc = biases[0].name.replace("bias_ih", "bias"), "bias_ih and bias_hh, gates in ONNX's order"
    return g.once((biases, order), np.concatenate(arrays, axis=1), name, doc)


# ------------------------------------------------------------------------------------------------------------ attention


def _attend(g: Graph, q: str, k: str, v: str, mask: Any, scale: float, s: Step) -> str:
    """softmax(q kᵀ · scale + mask) v for (N, heads, L, d); a row that is masked as a whole gives 0."""
    dtype = s.outputs[0].dtype
    if s.kwargs["keep"] is not None:
        g.refuse("it drops weights at random; export with dropout 0 or in evaluation mode")
    scores = g.node("MatMul", g.node("Mul", q, np.asarray(scale, dtype)), g.node("Transpose", k, perm=[0, 1, 3, 2]))
    if isinstance(mask, Item):
        scores = g.node("Add", scores, g.tensor(mask, dtype))
    p = g.node("Softmax", scores, axis=-1)
    if isinstance(mask, Item) and (mask.array is None or np.isneginf(mask.array).all(axis=-1).any()):
        p = g.node("Where", g.node("IsNaN", p), np.zeros((), dtype), p)
    return str(g.node("MatMul", p, v))


def _attention(g: Graph, s: Step) -> Any:
    q, k, v, mask = s.inputs
    return _attend(g, g.tensor(q), g.tensor(k), g.tensor(v), mask, s.kwargs["scale"], s)


def _self_attention(g: Graph, s: Step) -> Any:
    """Cut the projection in three, each into heads; attend; join the heads."""
    qkv, mask = s.inputs
    heads, first = s.kwargs["heads"], s.kwargs["batch_first"]
    width = qkv.shape[2] // 3
    parts = g.node("Split", qkv, np.asarray([width] * 3, np.int64), outputs=3, axis=2)
    shape = (*qkv.shape[:2], heads, width // heads)
    q, k, v = (
        g.node("Transpose", g.reshape(part, shape), perm=[0, 2, 1, 3] if first else [1, 2, 0, 3]) for part in parts
    )
    y = _attend(g, q, k, v, mask, (width // heads) ** -0.5, s)  # (N, heads, L, d)
    return g.reshape(g.node("Transpose", y, perm=[0, 2, 1, 3] if first else [2, 0, 1, 3]), (*qkv.shape[:2], width))


def _one_hot(g: Graph, s: Step) -> Any:
    """Read the rows of the identity."""
    identity = np.eye(s.outputs[0].shape[-1], dtype=s.outputs[0].dtype)
    return g.node("Gather", identity, s.inputs[0], axis=0)


def _checked(g: Graph, s: Step) -> Any:
    """Pass on integers that have been looked at: indices, lengths."""
    return g.tensor(s.inputs[0], s.outputs[0].dtype)


FUSED: dict[str, Translation] = {
    "one_hot": _one_hot,
    "indices": _checked,
    "sizes": _checked,
    "linear": _linear,
    "linear_no_bias": _linear,
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "embedding": _embedding,
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "lstm": _recurrent,
    "gru": _recurrent,
    "rnn": _recurrent,
    "attention": _attention,
    "self_attention": _self_attention,
}
