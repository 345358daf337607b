"""Every derivative written in symbols is held against the rule of its op."""

import numpy as np
import pytest

import autograd as ag
from autograd.primitive import registry
from autograd.viz.formulas import FORMULAS, as_latex, as_text, evaluate, formula

VALUES = {"arccosh": (1.7,), "logit": (0.3,), "arctanh": (0.4,), "arcsin": (0.4,), "arccos": (0.4,)}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_is_the_rule(name):
    values = VALUES.get(name, (0.7, 1.3))[: len(FORMULAS[name])]
    tensors = [ag.Tensor(v, requires_grad=True) for v in values]
    y = registry[name](*tensors)
    op = y._node.op
    assert op.name == name
    y.backward()
    assert len(FORMULAS[name]) == len(op.inputs)
    known = dict(zip(op.inputs, values, strict=True)) | {"y": float(y)}
    for k, tensor in enumerate(tensors):
        assert float(tensor.grad) == pytest.approx(float(evaluate(formula(name, k), known)), rel=1e-12), op.inputs[k]


@pytest.mark.parametrize(
    ("expression", "text", "latex"),
    [
        ("1 - y**2", "1 − o²", "1 - o^{2}"),
        ("-a / b**2", "−p/q²", r"\frac{-p}{q^{2}}"),
        ("b * a**(b - 1)", "q·p^(q − 1)", r"q \cdot p^{q - 1}"),
        ("1 / (1 + x)", "1/(1 + u)", r"\frac{1}{1 + u}"),
        ("1 / sqrt(1 - x**2)", "1/√(1 − u²)", r"\frac{1}{\sqrt{1 - u^{2}}}"),
        ("[a > b]", "[p > q]", "[p > q]"),
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
    assert formula("no such op", 0) is None
    assert np.isnan(evaluate("log(x)", {"x": np.float64("nan")}))
