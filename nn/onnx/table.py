"""How each op of ``autograd`` is said in ONNX: one small translation per op, in one table.

A translation takes the graph under construction and a step, adds nodes, and gives back the names of the outputs.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nn.onnx.graph import Graph, Translation
from nn.onnx.lengths import Size
from nn.onnx.plan import Item, Step

# --------------------------------------------------------------------------------------------------- element by element


def same(op: str, **attributes: Any) -> Translation:
    """Translate an elementwise op to an ONNX op that does the same."""
    return lambda g, s: g.node(op, *g.operands(s), **attributes)


def formula(build: Callable[..., str]) -> Translation:
    """Translate an elementwise op to several: ``build(n, c, *inputs)`` adds nodes by ``n`` and numbers by ``c``."""

    def translate(g: Graph, s: Step) -> str:
        dtype = s.outputs[0].dtype
        return build(g.node, lambda value: g.constant(np.asarray(value, dtype)), *g.operands(s), **s.kwargs)

    return translate


def _gelu(n: Any, c: Any, x: str, approximate: str) -> str:
    """½ x (1 + erf(x/√2)), or ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))."""
    if approximate == "tanh":
        cubic = n("Mul", n("Mul", n("Mul", x, x), x), c(0.044715))
        phi = n("Tanh", n("Mul", n("Add", x, cubic), c(math.sqrt(2 / math.pi))))
    else:
        phi = n("Erf", n("Mul", x, c(math.sqrt(0.5))))
    return str(n("Mul", n("Mul", x, c(0.5)), n("Add", phi, c(1))))


def _logaddexp(n: Any, c: Any, a: str, b: str) -> str:
    ratio = n("Exp", n("Neg", n("Abs", n("Sub", a, b))))
    return str(n("Add", n("Max", a, b), n("Log", n("Add", ratio, c(1)))))


def _where(g: Graph, s: Step) -> Any:
    """Choose by a condition; a constant that is the same everywhere chooses the branch here."""
    condition, shape, dtype = s.kwargs["condition"], s.outputs[0].shape, s.outputs[0].dtype
    if isinstance(condition, Item):
        return g.node("Where", g.tensor(condition, np.bool_), *[g.tensor(x, dtype) for x in s.inputs])
    for branch, holds in zip(s.inputs, (condition.all(), not condition.any()), strict=True):
        if holds:
            return g.node("Expand", g.tensor(branch, dtype), g.ints(shape))
    a, b = (g.tensor(x, dtype) for x in s.inputs)
    return g.node("Where", g.constant(condition), a, b)


def _clip(n: Any, c: Any, x: str, low: str, high: str) -> str:
    return str(n("Min", n("Max", x, low), high))


def _remainder(g: Graph, s: Step) -> Any:
    """Write a − ⌊a / b⌋ b; of integers ONNX has it as one op."""
    a, b = g.operands(s)
    if s.outputs[0].dtype.kind in "iu":
        return g.node("Mod", a, b)
    return g.node("Sub", a, g.node("Mul", g.node("Floor", g.node("Div", a, b)), b))


def _cast(g: Graph, s: Step) -> Any:
    return g.cast(g.tensor(s.inputs[0]), s.outputs[0].dtype)


ELEMENTWISE: dict[str, Translation] = {
    "add": same("Add"),
    "subtract": same("Sub"),
    "multiply": same("Mul"),
    "divide": same("Div"),
    "power": same("Pow"),
    "float_power": same("Pow"),
    "maximum": same("Max"),
    "minimum": same("Min"),
    "fmod": same("Mod", fmod=1),
    "negative": same("Neg"),
    "positive": same("Identity"),
    "copy": same("Identity"),
    "absolute": same("Abs"),
    "fabs": same("Abs"),
    "reciprocal": same("Reciprocal"),
    "sqrt": same("Sqrt"),
    "exp": same("Exp"),
    "log": same("Log"),
    "erf": same("Erf"),
    "sin": same("Sin"),
    "cos": same("Cos"),
    "tan": same("Tan"),
    "arcsin": same("Asin"),
    "arccos": same("Acos"),
    "arctan": same("Atan"),
    "sinh": same("Sinh"),
    "cosh": same("Cosh"),
    "tanh": same("Tanh"),
    "arcsinh": same("Asinh"),
    "arccosh": same("Acosh"),
    "arctanh": same("Atanh"),
    "relu": same("Relu"),
    "sigmoid": same("Sigmoid"),
    "astype": _cast,
    "where": _where,
    "square": formula(lambda n, c, x: n("Mul", x, x)),
    "cbrt": formula(lambda n, c, x: n("Mul", n("Sign", x), n("Pow", n("Abs", x), c(1 / 3)))),
    "hypot": formula(lambda n, c, a, b: n("Sqrt", n("Add", n("Mul", a, a), n("Mul", b, b)))),
    "remainder": _remainder,
    "exp2": formula(lambda n, c, x: n("Pow", c(2), x)),
    "expm1": formula(lambda n, c, x: n("Sub", n("Exp", x), c(1))),
    "log2": formula(lambda n, c, x: n("Div", n("Log", x), c(math.log(2)))),
    "log10": formula(lambda n, c, x: n("Div", n("Log", x), c(math.log(10)))),
    "log1p": formula(lambda n, c, x: n("Log", n("Add", x, c(1)))),
    "logaddexp": formula(_logaddexp),
    "logit": formula(lambda n, c, x: n("Log", n("Div", x, n("Sub", c(1), x)))),
    "deg2rad": formula(lambda n, c, x: n("Mul", x, c(math.pi / 180))),
    "radians": formula(lambda n, c, x: n("Mul", x, c(math.pi / 180))),
    "rad2deg": formula(lambda n, c, x: n("Mul", x, c(180 / math.pi))),
    "degrees": formula(lambda n, c, x: n("Mul", x, c(180 / math.pi))),
    "clip": formula(_clip),
    "gelu": formula(_gelu),
    "fused_gelu": formula(_gelu),
    "softplus": same("Softplus"),
    "silu": formula(lambda n, c, x: n("Mul", x, n("Sigmoid", x))),
    "prelu": same("PRelu"),
    "leaky_relu": formula(lambda n, c, x, negative_slope: n("LeakyRelu", x, alpha=float(negative_slope))),
    "elu": formula(lambda n, c, x, alpha: n("Elu", x, alpha=float(alpha))),
}

# ----------------------------------------------------------------------------------------------------------- reductions


def _axes(s: Step) -> list[int]:
    """List the axes that a step reduces, none negative."""
    ndim, axis = len(s.inputs[0].shape), s.kwargs.get("axis")
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [int(a) % ndim for a in axes]


def reduce(g: Graph, op: str, x: Any, axes: list[int], keepdims: bool) -> Any:
    """Reduce over axes, which are an attribute up to opset 17 (but for ReduceSum) and an input after it."""
    if not axes:
        return g.node("Identity", x)
    if op == "ReduceSum" or g.opset >= 18:
        return g.node(op, x, np.asarray(axes, np.int64), keepdims=int(keepdims))
    return g.node(op, x, axes=axes, keepdims=int(keepdims))


def reduction(op: str) -> Translation:
    """Translate a reduction to an ONNX op that does the same."""

    def translate(g: Graph, s: Step) -> Any:
        if s.kwargs.get("least", s.kwargs.get("most")) is not None:
            g.refuse("initial= has no counterpart; use np.maximum or np.minimum after it")
        return reduce(g, op, g.tensor(s.inputs[0], s.outputs[0].dtype), _axes(s), s.kwargs["keepdims"])

    return translate


def _variance(g: Graph, s: Step) -> Any:
    """E[(x − E[x])²] · n / (n − ddof), and its root for ``std``."""
    x, axes, ddof, dtype = g.tensor(s.inputs[0]), _axes(s), s.kwargs["ddof"], s.outputs[0].dtype
    centered = g.node("Sub", x, reduce(g, "ReduceMean", x, axes, True))
    y = reduce(g, "ReduceMean", g.node("Mul", centered, centered), axes, s.kwargs["keepdims"])
    if ddof:
        lengths = [s.inputs[0].shape[a] for a in axes]
        if any(isinstance(n, Size) for n in lengths):
            g.refuse("ddof over an axis whose length varies has no translation; use ddof=0")
        n = math.prod(lengths)
        y = g.node("Mul", y, np.asarray(n / (n - ddof), dtype))
    return g.node("Sqrt", y) if s.op == "std" else y


def _norm(g: Graph, s: Step) -> Any:
    """(Σ |x|ᵖ)^(1/p)."""
    x, axes, dtype = g.tensor(s.inputs[0]), _axes(s), s.outputs[0].dtype
    p, keepdims = s.kwargs["ord"], s.kwargs["keepdims"]
    if p == 2:
        return reduce(g, "ReduceL2", x, axes, keepdims)
    powers = g.node("Pow", g.node("Abs", x), np.asarray(p, dtype))
    return g.node("Pow", reduce(g, "ReduceSum", powers, axes, keepdims), np.asarray(1 / p, dtype))


def _cumsum(g: Graph, s: Step) -> Any:
    x, axis = g.tensor(s.inputs[0], s.outputs[0].dtype), s.kwargs["axis"]
    if axis is None:
        x, axis = g.node("Reshape", x, np.asarray([-1], np.int64)), 0
    return g.node("CumSum", x, np.asarray(axis, np.int64))


REDUCTIONS: dict[str, Translation] = {
    "sum": reduction("ReduceSum"),
    "mean": reduction("ReduceMean"),
    "prod": reduction("ReduceProd"),
    "max": reduction("ReduceMax"),
    "min": reduction("ReduceMin"),
    "logsumexp": reduction("ReduceLogSumExp"),
    "var": _variance,
    "std": _variance,
    "norm": _norm,
    "cumsum": _cumsum,
    "softmax": lambda g, s: g.node("Softmax", s.inputs[0], axis=s.kwargs["axis"]),
    "log_softmax": lambda g, s: g.node("LogSoftmax", s.inputs[0], axis=s.kwargs["axis"]),
}

# ------------------------------------------------------------------------------------------------------------- products


def _matmul(g: Graph, s: Step) -> Any:
    return g.node("MatMul", *[g.tensor(x, s.outputs[0].dtype) for x in s.inputs])


def _einsum(g: Graph, s: Step) -> Any:
    return g.node("Einsum", *[g.tensor(x, s.outputs[0].dtype) for x in s.inputs], equation=s.kwargs["subscripts"])


PRODUCTS: dict[str, Translation] = {"matmul": _matmul, "einsum": _einsum}

# ------------------------------------------------------------------------------------- what no gradient flows through


def comparison(op: str, opposite: bool = False) -> Translation:
    """Compare in the dtype that both have in common; ONNX has no ≠, which is the opposite of =."""

    def translate(g: Graph, s: Step) -> Any:
        dtype = np.result_type(*[x.dtype if isinstance(x, Item) else x for x in s.inputs])
        y = g.node(op, *[g.tensor(x, dtype) for x in s.inputs])
        return g.node("Not", y) if opposite else y

    return translate


def _extreme(op: str) -> Translation:
    def translate(g: Graph, s: Step) -> Any:
        x, axis = g.tensor(s.inputs[0]), s.inputs[1] if len(s.inputs) > 1 else s.kwargs.get("axis")
        if axis is None:
            x = g.node("Reshape", x, np.asarray([-1], np.int64))
        keepdims = int(bool(s.kwargs.get("keepdims", False)) and axis is not None)
        y = g.node(op, x, axis=0 if axis is None else int(axis), keepdims=keepdims)
        return g.reshape(y, s.outputs[0].shape) if axis is None and s.outputs[0].shape else y

    return translate


def _round(g: Graph, s: Step) -> Any:
    if [*s.inputs[1:], *s.kwargs.values()] not in ([], [0]):
        g.refuse("rounding to decimals has no translation; scale, round, and scale back")
    return g.node("Round", s.inputs[0])


def _given(g: Graph, s: Step) -> Any:
    """Pass on what was checked, or has another name: in the dtype of the result."""
    return g.cast(g.tensor(s.inputs[0]), s.outputs[0].dtype)


COMPARISONS = {
    **dict.fromkeys(("gt", "greater"), comparison("Greater")),
    **dict.fromkeys(("lt", "less"), comparison("Less")),
    **dict.fromkeys(("ge", "greater_equal"), comparison("GreaterOrEqual")),
    **dict.fromkeys(("le", "less_equal"), comparison("LessOrEqual")),
    **dict.fromkeys(("eq", "equal"), comparison("Equal")),
    **dict.fromkeys(("ne", "not_equal"), comparison("Equal", opposite=True)),
}
PLAIN: dict[str, Translation] = {
    **COMPARISONS,
    **{name: same(op) for name, op in {"sign": "Sign", "floor": "Floor", "ceil": "Ceil", "rint": "Round"}.items()},
    "round": _round,
    "argmax": _extreme("ArgMax"),
    "argmin": _extreme("ArgMin"),
    **dict.fromkeys(("asarray", "as_index", "detach", "argument", "result"), _given),
}

TABLE: dict[str, Translation] = {**ELEMENTWISE, **REDUCTIONS, **PRODUCTS, **PLAIN}
