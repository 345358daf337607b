"""The long tail of layers and losses, one row each: what is made, and what it is applied to."""

from typing import NamedTuple

import numpy as np

import autograd as ag
import nn


class Row(NamedTuple):
    """Hold the name, arguments and keywords of a module, and the shapes of its inputs (or a function that draws them).

    ``batch`` is the axis of the batch, None for an input without one, and ``onnx`` whether a file can hold it.
    """

    name: str
    args: tuple = ()
    kwargs: dict = {}  # noqa: RUF012
    inputs: object = ()
    batch: int | None = 0
    onnx: bool = True


def draw(row, seed=0, batch=None):
    """Draw the inputs of a row in float64, with another batch size if one is given."""
    rng = np.random.default_rng(seed)
    if callable(row.inputs):
        found = row.inputs(rng)
    else:
        shapes = row.inputs if isinstance(row.inputs[0], tuple) else (row.inputs,)
        found = [rng.standard_normal(shape) for shape in shapes]
    return found if batch is None else [np.take(x, np.arange(batch), row.batch) for x in found]


def make(row, dtype=np.float64):
    """Make the module of a row in a dtype; what is random comes from a seed."""
    kind, args = getattr(nn, row.name), row.args
    if row.name == "TransformerEncoder":
        layer, count, *norm = args
        args = (nn.TransformerEncoderLayer(*layer, dropout=0.0, rng=0), count, *[nn.LayerNorm(n) for n in norm])
    model = kind(*args, **row.kwargs)
    rng = np.random.default_rng(5)
    for p in model.parameters():  # no weight is 1, no bias is 0
        p.data[...] = rng.uniform(-0.6, 0.6, p.shape)
    return model.astype(dtype)


def flat(y):
    """List the Tensors of nested tuples."""
    return [part for item in y for part in flat(item)] if isinstance(y, tuple | list) else [y]


def apply(row, model, inputs):
    """Call a module; a cell takes its states as one argument, where there are two."""
    if row.name == "LSTMCell" and len(inputs) == 3:
        inputs = [inputs[0], tuple(inputs[1:])]
    return flat(model(*inputs))


def leaves(inputs, dtype=np.float64):
    """Make leaves of floats, and leave integers as they are."""
    return [ag.Tensor(x, requires_grad=True, dtype=dtype) if x.dtype.kind == "f" else x for x in inputs]


def probabilities(rng, *shape):
    raw = rng.uniform(0.1, 1, shape)
    return raw / raw.sum(axis=1 if len(shape) > 1 else 0, keepdims=True)


def pairs(rng):
    return [rng.standard_normal((5, 3)), rng.standard_normal((5, 3)), np.array([1, -1, 1, -1, -1])]


def logs(rng):
    return [np.log(probabilities(rng, 4, 3)), probabilities(rng, 4, 3)]


def apart(rng):
    """Draw three lots of vectors of which no two numbers are close: away from the kinks of |x|."""
    return list(rng.permutation(54).reshape(3, 6, 3) / 20)


def pieces(rng):
    """Draw on all three pieces of Hardswish, away from where they meet."""
    return [rng.uniform(-0.4, 0.4, (2, 4, 3)) + rng.integers(-4, 5, (2, 4, 3)) + 0.5]


def small(rng):
    return [rng.standard_normal((2, 4, 5, 3)) * 2.3]


G = dict(dropout=0.0, activation="gelu")  # a ReLU has kinks, which finite differences step over
LAYERS = {
    "transposed": Row("ConvTranspose2d", (3, 4, 3), {}, (2, 3, 4, 5)),
    "transposed, all": Row(
        "ConvTranspose2d",
        (4, 6, (3, 2), (2, 3), (1, 0), (1, 2), 2),
        {"dilation": (2, 1), "bias": False},
        (2, 4, 4, 3),
    ),
    "transposed, doubling": Row("ConvTranspose2d", (3, 2, 4, 2, 1), {}, (2, 3, 5, 4)),
    "transposed, one image": Row("ConvTranspose2d", (3, 2, 2), {"stride": 2}, (3, 5, 4), None, False),
    "transposed, cropped": Row("ConvTranspose2d", (2, 2, 2), {"padding": 1}, (2, 2, 4, 4)),
    "transposed 1d": Row("ConvTranspose1d", (4, 6, 5), {"stride": 3, "padding": 2, "groups": 2}, (2, 4, 6)),
    "transposed 1d, one": Row("ConvTranspose1d", (2, 3, 3, 2, 1, 1), {}, (2, 6), None, False),
    "adaptive": Row("AdaptiveAvgPool2d", (1,), {}, (2, 3, 5, 6)),
    "adaptive, divides": Row("AdaptiveAvgPool2d", ((2, 3),), {}, (2, 3, 4, 6)),
    "adaptive, overlaps": Row("AdaptiveAvgPool2d", ((3, 4),), {}, (2, 3, 5, 7)),
    "adaptive, larger": Row("AdaptiveAvgPool2d", ((7, None),), {}, (2, 3, 5, 6)),
    "adaptive, one image": Row("AdaptiveAvgPool2d", (3,), {}, (3, 5, 6), None, False),
    "adaptive 1d": Row("AdaptiveAvgPool1d", (3,), {}, (2, 4, 7)),
    "adaptive 1d, one": Row("AdaptiveAvgPool1d", (1,), {}, (4, 7), None, False),
    "group norm": Row("GroupNorm", (2, 4), {"eps": 1e-2}, (3, 4, 5, 2)),
    "group norm, no positions": Row("GroupNorm", (3, 6), {}, (4, 6)),
    "group norm, plain": Row("GroupNorm", (1, 4), {"affine": False}, (2, 4, 5)),
    "rms norm": Row("RMSNorm", (4,), {}, (3, 5, 4)),
    "rms norm, two axes": Row("RMSNorm", ((5, 4),), {"eps": 1e-2}, (3, 5, 4)),
    "rms norm, plain": Row("RMSNorm", (4,), {"elementwise_affine": False}, (3, 4)),
    "lstm cell": Row("LSTMCell", (3, 4), {}, ((5, 3), (5, 4), (5, 4))),
    "lstm cell, no states": Row("LSTMCell", (3, 4), {"bias": False}, (5, 3), 0, False),
    "lstm cell, one": Row("LSTMCell", (3, 4), {}, ((3,), (4,), (4,)), None, False),
    "gru cell": Row("GRUCell", (3, 4), {}, ((5, 3), (5, 4))),
    "gru cell, no state": Row("GRUCell", (3, 4), {"bias": False}, (5, 3), 0, False),
    "gru cell, one": Row("GRUCell", (3, 4), {}, ((3,), (4,)), None, False),
    "encoder": Row("TransformerEncoder", ((8, 2, 12), 2, 8), {}, (5, 3, 8), 1, False),
    "encoder, no norm": Row("TransformerEncoder", ((8, 2, 12), 1), {}, (5, 3, 8), 1, False),
    "decoder": Row("TransformerDecoderLayer", (8, 2, 12), G, ((4, 3, 8), (5, 3, 8)), 1, False),
    "decoder, batch first": Row(
        "TransformerDecoderLayer", (8, 2, 12), {**G, "batch_first": True, "norm_first": True},
        ((3, 4, 8), (3, 5, 8)),
    ),
    "decoder, one": Row("TransformerDecoderLayer", (8, 2, 12), {**G, "bias": False}, ((4, 8), (5, 8)), None, False),
    "nearest": Row("Upsample", (), {"scale_factor": 2}, (2, 3, 4, 5)),
    "nearest, odd": Row("Upsample", (), {"scale_factor": (1.7, 0.6)}, (2, 3, 4, 5)),
    "nearest, kept and doubled": Row("Upsample", (), {"scale_factor": (1.23, 2.3)}, (2, 3, 3, 2)),
    "bilinear, kept": Row("Upsample", (), {"scale_factor": (1.23, 2.3), "mode": "bilinear"}, (2, 3, 3, 2)),
    "nearest, size": Row("Upsample", ((7, 3),), {}, (2, 3, 4, 5)),
    "nearest 1d": Row("Upsample", (11,), {}, (2, 3, 4)),
    "linear": Row("Upsample", (), {"scale_factor": 2.5, "mode": "linear"}, (2, 3, 4)),
    "linear, corners": Row("Upsample", (9,), {"mode": "linear", "align_corners": True}, (2, 3, 4)),
    "bilinear": Row("Upsample", (), {"scale_factor": (2, 3), "mode": "bilinear"}, (2, 3, 4, 3)),
    "bilinear, smaller": Row("Upsample", ((3, 1),), {"mode": "bilinear"}, (2, 3, 4, 5)),
    "bilinear, corners": Row("Upsample", ((1, 7),), {"mode": "bilinear", "align_corners": True}, (2, 3, 4, 5)),
    "prelu": Row("PReLU", (), {}, small),
    "prelu, channels": Row("PReLU", (4,), {"init": 0.1}, small),
    "prelu, features": Row("PReLU", (3,), {}, (5, 3)),
    "mish": Row("Mish", (), {}, small),
    "hardswish": Row("Hardswish", (), {}, pieces),
    "glu": Row("GLU", (), {}, (3, 6)),
    "glu, channels": Row("GLU", (1,), {}, small),
}  # fmt: skip
LOSSES = {
    "kl div": Row("KLDivLoss", (), {}, logs),
    "kl div, per sample": Row("KLDivLoss", (), {"reduction": "batchmean"}, logs),
    "kl div, logs": Row("KLDivLoss", (), {"reduction": "sum", "log_target": True}, lambda rng: logs(rng)[:1] * 2),
    "kl div, each": Row("KLDivLoss", (), {"reduction": "none"}, logs),
    "cosine": Row("CosineEmbeddingLoss", (), {}, pairs),
    "cosine, margin": Row("CosineEmbeddingLoss", (0.2, ), {"reduction": "sum"}, pairs),
    "cosine, one": Row("CosineEmbeddingLoss", (), {}, lambda rng: [a[0] for a in pairs(rng)], None),
    "triplet": Row("TripletMarginLoss", (), {}, ((6, 3),) * 3),
    "triplet, all": Row("TripletMarginLoss", (0.5, 3.0, 1e-3, True), {"reduction": "none"}, ((6, 3),) * 3),
    "triplet, largest": Row("TripletMarginLoss", (1.0, np.inf), {}, ((6, 3),) * 3),
    "triplet, sizes": Row("TripletMarginLoss", (9.0, 1.0), {}, apart),
    "triplet, one": Row("TripletMarginLoss", (), {"reduction": "sum"}, ((3,),) * 3, None),
}  # fmt: skip
OURS = {  # what PyTorch has no name for
    "categorical, labels": Row(
        "CategoricalCrossEntropyLoss", (), {}, lambda rng: [probabilities(rng, 5, 3), np.array([0, 2, 1, 1, 0])]
    ),
    "categorical, one-hot": Row(
        "CategoricalCrossEntropyLoss",
        (np.array([0.5, 1.0, 2.0]),),
        {"reduction": "sum"},
        lambda rng: [probabilities(rng, 5, 3), np.eye(3)[[0, 2, 1, 1, 0]]],
    ),
    "categorical, pixels": Row(
        "CategoricalCrossEntropyLoss",
        (np.array([0.5, 1.0, 2.0]), 1),
        {},
        lambda rng: [probabilities(rng, 2, 3, 4), rng.integers(0, 3, (2, 4))],
    ),
}
ROWS = {**LAYERS, **LOSSES, **OURS}
