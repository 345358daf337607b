"""Every derivative written in symbols is held against the rule of its op."""

import numpy as np
import pytest

import autograd as ag
from autograd.primitive import registry
from autograd.viz.formulas import as_latex, as_text, evaluate, is_whole

VALUES = {"arccosh": (1.7,), "logit": (0.3,), "arctanh": (0.4,), "arcsin": (0.4,), "arccos": (0.4,)}


WITH = {name: row.op for name, row in registry.items() if hasattr(row, "op") and any(row.op.formula)}
WHOLE = {name: op for name, op in WITH.items() if any(rule and is_whole(rule) for rule in op.formula)}
OPS = {name: op for name, op in WITH.items() if name not in WHOLE}
# a tie, both sides of it, and where a naive form would overflow or lose its digits
POINTS = {
    **{key: [(0.7, 1.3), (1.3, 0.7), (1.0, 1.0)] for key in ("maximum", "minimum", "fmax", "fmin")},
    "logaddexp": [(0.7, 1.3), (300.0, -300.0)],
    "expm1": [(0.7,), (-40.0,)],
    "silu": [(0.7,), (-3.0,)],
    "relu": [(0.7,), (0.0,), (-1.0,)],
    "arccosh": [(1.7,)],
    **{key: [(0.3,)] for key in ("logit", "arctanh", "arcsin", "arccos")},
}


@pytest.mark.parametrize("name", OPS)
def test_formula_is_the_rule(name):
    op = OPS[name]
    for values in POINTS.get(name, [(0.7, 1.3)]):
        tensors = [ag.Tensor(v, requires_grad=True) for v in values[: len(op.inputs)]]
        y = registry[name](*tensors)
        y.backward()
        known = dict(zip(op.inputs, values, strict=False)) | {"y": y.item()}
        for expression, tensor in zip(op.formula, tensors, strict=True):
            if expression is not None:
                assert tensor.grad.item() == pytest.approx(float(evaluate(expression, known)), rel=1e-12)


def test_most_elementwise_ops_have_a_formula():
    assert len(OPS) > 45
    assert {"exp", "multiply", "maximum", "relu"} <= set(OPS)


@pytest.mark.parametrize(
    ("expression", "text", "latex"),
    [
        ("1 - y**2", "1 − o²", "1 - o^{2}"),
        ("-a / b**2", "−p/q²", r"\frac{-p}{q^{2}}"),
        ("b * a**(b - 1)", "q·p^(q − 1)", r"q \cdot p^{q - 1}"),
        ("1 / (1 + x)", "1/(1 + u)", r"\frac{1}{1 + u}"),
        ("1 / sqrt(1 - x**2)", "1/√(1 − u²)", r"\frac{1}{\sqrt{1 - u^{2}}}"),
        ("[a > b]", "[p > q]", "[p > q]"),
        ("[a > b] + [a == b] / 2", "[p > q] + [p = q]/2", r"[p > q] + \frac{[p = q]}{2}"),
        ("180 / pi", "180/π", r"\frac{180}{\pi}"),
        ("a - (b - x)", "p − (q − u)", "p - (q - u)"),
    ],
)
def test_writing(expression, text, latex):
    words = dict(y="o", a="p", b="q", x="u")
    assert as_text(expression, words) == text
    assert as_latex(expression, words) == latex


def test_negative_numbers_are_bracketed():
    assert as_text("b * a", {"a": "-3", "b": "2"}) == "2·(-3)"
    assert as_text("2 * x", {"x": "-3"}) == "2·(-3)"


def test_unknown_parts_are_refused():
    for bad in ("f(x) + 1", "x if y else 1", "[x]"):
        with pytest.raises((ValueError, KeyError)):
            as_text(bad, {})
    assert np.isnan(evaluate("log(x)", {"x": np.float64("nan")}))
