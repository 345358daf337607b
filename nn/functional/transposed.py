"""Transposed convolution: the gradient of a convolution with respect to its image, as a function of its own.

So its forward is the way back of :mod:`nn.functional.convolution`, and its gradients are that one's way forward and
the gradient of its weights, with image and upstream gradient in each other's place. See Dumoulin & Visin, "A guide to
convolution arithmetic for deep learning" (2016).
"""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional import convolution as conv
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.windows import Pads, Pair, read


def _sizes(x: Any, weight: Any, stride: Pair, pads: Pads, dilation: Pair, extra: Pair) -> list[int]:
    """Return the lengths of the output: (n − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1."""
    return [
        (n - 1) * s - before - after + d * (k - 1) + more + 1
        for n, k, s, (before, after), d, more in zip(
            x.shape[2:], weight.shape[2:], stride, pads, dilation, extra, strict=False
        )
    ]


def _forward(
    x: Any, weight: Any, bias: Any, *, stride: Pair, pads: Pads, dilation: Pair, groups: int, extra: Pair
) -> Any:
    dtype, sizes = np.result_type(x, weight), _sizes(x, weight, stride, pads, dilation, extra)
    image = np.broadcast_to(
        np.zeros((), dtype), (x.shape[0], weight.shape[1] * groups, *sizes)
    )  # only its shape counts
    y, _, _ = conv._backward(x, image, weight, 0.0, stride, pads, dilation, groups, (True, False, False))
    if isinstance(bias, np.ndarray):
        y += bias.reshape(-1, *(1,) * (x.ndim - 2))
    return y


def _backward(
    g: Any, x: Any, weight: Any, bias: Any, stride: Pair, pads: Pads, dilation: Pair, groups: int, needs: Any
) -> Any:
    geometry: dict[str, Any] = {"stride": stride, "pads": pads, "dilation": dilation, "groups": groups}
    dx = conv._forward(g, weight, 0.0, **geometry) if needs[0] else None
    dw = conv._backward(x, g, weight, 0.0, **geometry, needs=(False, True, False))[1] if needs[1] else None
    db = g.sum(axis=(0, *range(2, g.ndim))) if needs[2] and isinstance(bias, np.ndarray) else None
    return dx, dw, db


def _definition(
    x: Any, weight: Any, bias: Any, *, stride: Pair, pads: Pads, dilation: Pair, groups: int, extra: Pair
) -> Any:
    """Put stride − 1 zeros between the elements, pad, and convolve with the turned kernel, by plain ops."""
    if x.ndim == 3:
        keywords: Any = dict(stride=stride, pads=pads, dilation=dilation, groups=groups, extra=extra)
        return _definition(x[:, :, :, None], weight[:, :, :, None], bias, **keywords)[:, :, :, 0]
    n, channels, *size = x.shape
    (sh, sw), kernel = stride, weight.shape[2:]
    x = np.pad(x.reshape(n, channels, size[0], 1, size[1], 1), ((0, 0),) * 3 + ((0, sh - 1), (0, 0), (0, sw - 1)))
    x = x.reshape(n, channels, size[0] * sh, size[1] * sw)
    sides = [
        (d * (k - 1) - before, d * (k - 1) - after + more - s + 1)
        for d, k, (before, after), more, s in zip(dilation, kernel, pads, extra, stride, strict=True)
    ]
    cut = [
        slice(max(0, -before), length - max(0, -after))
        for (before, after), length in zip(sides, x.shape[2:], strict=True)
    ]
    x = np.pad(x[:, :, cut[0], cut[1]], ((0, 0), (0, 0), *[(max(0, a), max(0, b)) for a, b in sides]))
    turned = np.swapaxes(weight.reshape(groups, channels // groups, *weight.shape[1:])[..., ::-1, ::-1], 1, 2)
    turned = turned.reshape(-1, channels // groups, *kernel)
    return conv._definition(x, turned, bias, stride=(1, 1), pads=((0, 0), (0, 0)), dilation=dilation, groups=groups)


def _samples(rng: np.random.Generator) -> Any:
    none = (0, 0)
    cases = [
        ((2, 3, 4, 3), (3, 2, 3, 2), (2, 1), ((1, 1), (0, 0)), (1, 1), 1, (1, 0)),
        ((1, 4, 3, 3), (4, 2, 2, 3), (1, 2), (none, none), (2, 1), 2, none),
        ((2, 2, 3, 3), (2, 2, 3, 3), (1, 1), ((1, 1), (2, 2)), (1, 1), 1, none),
        ((2, 2, 5), (2, 3, 3), (3, 1), ((1, 1), none), (1, 1), 1, (2, 0)),
    ]
    for x, weight, stride, pads, dilation, groups, extra in cases:
        args = [rng.standard_normal(shape) for shape in (x, weight, (weight[1] * groups,))]
        yield args, dict(stride=stride, pads=pads, dilation=dilation, groups=groups, extra=extra)


_transposed = ag.op(
    _forward, name="conv_transpose", vjp=_backward, definition=_definition, symbol="convᵀ", domain=_samples
)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Lay a kernel down for each element: y[n, o, s·p + d·i − padding, …] = b[o] + Σ w[c, o, i, …] · x[n, c, p, …].

    x: (N, C, H, W) or (C, H, W), weight: (C, O/groups, kh, kw), bias: (O,); y: (N, O, oh, ow) with oh =
    (H − 1)·stride − 2·padding + dilation·(kh − 1) + output_padding + 1: what a conv2d with these numbers would take to
    the size of x. ``output_padding`` < stride says which of the sizes that it takes there. Raises ShapeError if
    channels or sizes do not fit.

    >>> import numpy as np, nn
    >>> nn.functional.conv_transpose2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), stride=2)[0, 0].shape
    (4, 4)
    """
    return _lay("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Lay a kernel (C, O/groups, k) down for each element of (N, C, L) or (C, L); see :func:`conv_transpose2d`.

    y[n, o, s·t + d·i − padding] += w[c, o, i] · x[n, c, t]. Raises ShapeError unless x has the channels of the weight.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[1.0, 2.0]], requires_grad=True)
    >>> nn.functional.conv_transpose1d(x, [[[1.0, -1.0]]], stride=2).tolist()
    [[1.0, -1.0, 2.0, -2.0]]
    """
    return _lay("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _lay(
    name: str,
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    weight = as_input(weight)
    x = as_input(x, weight)
    _check_shapes(name, axes, x, weight, bias, groups)
    steps, spread = (read(v, f"{name}: {what}", axes) for v, what in ((stride, "stride"), (dilation, "dilation")))
    pad, extra = (
        read(v, f"{name}: {what}", axes, 0) for v, what in ((padding, "padding"), (output_padding, "output_padding"))
    )
    if any(e >= s for e, s in zip(extra, steps, strict=True)):
        raise ArgumentError(
            f"{place(name)}: output_padding must be smaller than stride {stride}, got {output_padding}."
        )
    batched = x if x.ndim == axes + 2 else x[None]
    pads = (pad[0], pad[0]), (pad[1], pad[1])
    sizes = _sizes(batched, weight, steps, pads, spread, extra)
    if any(size < 1 for size in sizes):
        raise wrong_shape(name, x, f"the output would have the lengths {tuple(sizes)}. Use less padding.")
    y = _transposed(
        batched,
        weight,
        0.0 if bias is None else bias,
        stride=steps,
        pads=pads,
        dilation=spread,
        groups=int(groups),
        extra=extra,
    )
    return y if x.ndim == axes + 2 else y[0]


def _check_shapes(name: str, axes: int, x: Any, weight: Any, bias: Any, groups: Any) -> None:
    if weight.ndim != axes + 2:
        expected = f"it must have {axes + 2} axes (in_channels, out_channels/groups, *kernel)."
        raise wrong_shape(name, weight, expected, "weight")
    if x.ndim not in (axes + 1, axes + 2):
        raise wrong_shape(name, x, f"it must be {'(N, C, H, W) or (C, H, W)' if axes == 2 else '(N, C, L) or (C, L)'}.")
    channels, outputs = weight.shape[0], weight.shape[1] * groups
    if not isinstance(groups, int | np.integer) or groups < 1 or channels % groups:
        raise ArgumentError(f"{place(name)}: groups must divide the {channels} input channels, got {groups!r}.")
    if x.shape[-axes - 1] != channels:
        raise wrong_shape(name, x, f"axis {-axes - 1} (channels) must be {channels}.")
    if bias is not None and tuple(bias.shape) != (outputs,):
        raise wrong_shape(name, bias, f"it must be ({outputs},), one number per output channel.", "bias")
