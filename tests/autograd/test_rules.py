"""What one declaration says: refused where it is wrong, and read as it is written."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import MissingRule, RuleError
from tests.autograd.tools import leaf

X = np.array([0.5, -1.0, 2.0])


DECLARATIONS = {
    "lambda without a name": (lambda: ag.op(lambda x: x, vjp=lambda g: g), r"op: a lambda has no name; pass name='…'"),
    "no rule": (
        lambda: ag.op(lambda x: x, name="f"),
        r"op 'f': give vjp= or definition=; for a piecewise-constant function use nondifferentiable",
    ),
    "unknown input": (
        lambda: ag.op(lambda a, b: a, name="f", vjp=dict(a=lambda g: g, c=lambda g: g)),
        r"op 'f': vjp names 'c', but the inputs are a, b",
    ),
    "unknown parameter": (
        lambda: ag.op(lambda x, k=1: x, name="f", vjp=lambda g, z: g),
        r"op 'f': a rule asks for 'z'; it may use g, y, shapes, needs, arrived, alive, x, k",
    ),
    "first is not g": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda x, g: g),
        r"op 'f': the first parameter of a rule must be named g, got \['x', 'g'\]",
    ),
    "no parameter": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda: 1),
        r"op 'f': the first parameter of a rule must be named g, got \[\]",
    ),
    "a mask of an op that is not elementwise": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda g: g, selects=lambda y: y > 0),
        r"op 'f': selects= as a rule is for elementwise ops; others say selects=True",
    ),
    "an elementwise op that does not say which elements": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda g: g, selects=True, elementwise=True),
        r"op 'f': an elementwise op says by a rule what it selects, as in selects=lambda x: x > 0",
    ),
    "a mask of what is no input": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda g: g, selects=dict(z=lambda y: y > 0), elementwise=True),
        r"op 'f': selects names 'z', but the inputs are x",
    ),
    "a mask that asks for an unknown name": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda g: g, selects=lambda mask: mask, elementwise=True),
        r"op 'f': a rule asks for 'mask'; it may use g, y, shapes, needs, arrived, alive, x",
    ),
    "a mask of g": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda g: g, selects=lambda g: g > 0, elementwise=True),
        r"op 'f': a rule asks for 'g'; it may use",
    ),
    "a joint rule that asks for an unknown name": (
        lambda: ag.op(lambda a, b: a, name="f", vjp=lambda g, c: (g, g)),
        r"op 'f': a rule asks for 'c'; it may use g, y, shapes, needs, arrived, alive, a, b",
    ),
    "a rule for *args by a place in it": (
        lambda: ag.op(lambda *parts: parts[0], name="f", vjp={"parts[0]": lambda g: g}),
        r"op 'f': vjp names 'parts\[0\]', but the inputs are parts",
    ),
    "an input called needs": (
        lambda: ag.op(lambda needs: needs, name="f", vjp=lambda g, needs: g),
        r"op 'f': a rule asks for 'needs', which is an input here .* means which inputs want a gradient",
    ),
    "a formula of what is no input": (
        lambda: ag.op(lambda x: x, name="f", vjp=lambda g: g, formula=dict(z="1")),
        r"op 'f': formula names 'z', but the inputs are x",
    ),
    "mixed with *args": (
        lambda: ag.op(lambda x, *rest: x, name="f", vjp=lambda g: (g,)),
        r"op 'f': the forward mixes \['x'\] with \*rest; use one or the other",
    ),
    "an input that is no name": (
        lambda: ag.op(np.negative, inputs=["a b"], name="f", vjp=lambda g: g),
        r"op 'f': 'a b' is no name for a parameter, or stands twice\. Rename it",
    ),
    "an input that is a word of Python": (
        lambda: ag.op(np.negative, inputs=["class"], name="f", vjp=lambda g: g),
        r"op 'f': 'class' is no name for a parameter",
    ),
    "an input that is no text": (
        lambda: ag.op(np.multiply, inputs=["a", 2], name="f", vjp=lambda g: (g, g)),
        r"op 'f': 2 is no name for a parameter",
    ),
    "two inputs of one name": (
        lambda: ag.op(np.multiply, inputs=["a", "a"], name="f", vjp=lambda g: (g, g)),
        r"op 'f': 'a' is no name for a parameter, or stands twice",
    ),
    "a cached value called as an input": (
        lambda: ag.op(lambda x: (x, x > 0), cache=["x"], name="f", vjp=lambda g, x: g),
        r"op 'f': 'x' is no name for a parameter, or stands twice",
    ),
    "a keyword that the written code calls": (
        lambda: ag.op(lambda x, isinstance=1: x, name="f", vjp=lambda g: g),
        r"op 'f': 'isinstance' is a name that the written-out code uses itself\. Rename it",
    ),
    "an input named as the written code names its own": (
        lambda: ag.op(lambda x_data: x_data, name="f", vjp=lambda g: g),
        r"op 'f': 'x_data' is a name that the written-out code uses itself",
    ),
    "names as one text": (
        lambda: ag.op(np.multiply, inputs="ab", name="f", vjp=lambda g: (g, g)),
        r"op 'f': inputs= is a list of names, got 'ab'",
    ),
    "too few names for a ufunc": (
        lambda: ag.op(np.multiply, inputs=["a"], name="f", vjp=lambda g: g),
        r"op 'f': inputs=\['a'\] are 1 names, but the ufunc takes 2",
    ),
    "names in another order": (
        lambda: ag.op(lambda a, b: a - b, inputs=["b", "a"], name="f", vjp=dict(a=lambda g: g, b=lambda g: -g)),
        r"op 'f': the inputs are the first parameters of the forward, in its order: \['a', 'b'\], not \['b', 'a'\]",
    ),
    "other names than the forward's": (
        lambda: ag.op(lambda a, b: a - b, inputs=["p"], name="f", vjp=lambda g: g),
        r"op 'f': the inputs are the first parameters of the forward, in its order: \['a'\], not \['p'\]",
    ),
    "no input": (
        lambda: ag.op(lambda k=1: k, name="f", vjp=lambda g: g),
        r"op 'f': the inputs are the first parameters .*: it has none without a default, not \[\]",
    ),
    "no signature": (
        lambda: ag.op(max, name="f", vjp=lambda g: g),
        r"op 'f': the forward has no readable signature; name its inputs with inputs=\[…\]",
    ),
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_wrong_declaration(name):
    declare, message = DECLARATIONS[name]
    with pytest.raises(RuleError, match=message):
        declare()


def test_input_called_as_the_output_is_refused():
    """In a rule ``y`` is the output: with an input of that name nobody could tell which is meant."""
    with pytest.raises(RuleError, match=r"op 'times': a rule asks for 'y', which is an input here .* the output"):
        ag.op(lambda x, y: x * y, name="times", vjp={"x": lambda g, y: g * y, "y": lambda g, x: g * x})
    plus = ag.op(lambda x, y: x + y, name="plus", vjp={"x": lambda g: g, "y": lambda g: g}, elementwise=True)
    ag.check_grads(plus, X, X)


@pytest.mark.parametrize(
    "other", [X, ag.Tensor(X), 2.0, np.float64(2.0)], ids=["array", "constant", "number", "scalar"]
)
def test_needs_tells_which_inputs_want_a_gradient(other):
    seen = []

    def rule(g, a, b, needs):
        seen.append(needs)
        return g * b, g * a

    f = ag.op(lambda a, b: a * b, name="asking", vjp=rule)
    f(leaf(X), other).sum().backward()
    f(other, leaf(X)).sum().backward()
    f(leaf(X), leaf(X)).sum().backward()
    assert seen == [(True, False), (False, True), (True, True)]


# how an op is written -> what is read of it
READ = {
    "a ufunc of one": (dict(forward=np.tanh, vjp=lambda g, y: g), ["x"], {}),
    "a ufunc of two": (dict(forward=np.hypot, vjp=dict(a=lambda g: g)), ["a", "b"], {}),
    "a ufunc with names": (dict(forward=np.hypot, inputs=["p", "q"], vjp=dict(q=lambda g: g)), ["p", "q"], {}),
    "keywords": (dict(forward=lambda x, k=2, *, axis=None: x, vjp=lambda g, k, axis: g), ["x"], {"k": 2, "axis": None}),
    "any number": (dict(forward=lambda *parts: parts[0], vjp=lambda g: (g,)), ["parts"], {}),
    "an input with a default": (
        dict(forward=lambda x, w=1.0, k=0: x, inputs=["x", "w"], vjp=dict(w=lambda g: g)),
        ["x", "w"],
        {"k": 0},
    ),
}


@pytest.mark.parametrize("name", READ)
def test_inputs_and_keywords_are_read_from_the_forward(name):
    declared, inputs, keywords = READ[name]
    op = ag.op(**declared, name="written").op
    assert (op.inputs, op.keywords) == (inputs, keywords)
    assert repr(op) == f"<op written({', '.join(inputs)})>"


# rules of a(·)b -> which inputs are kept when (a, b), only a, only b need a gradient
KEPT = {
    "nothing": (dict(a=lambda g: g, b=lambda g: g), [set(), set(), set()]),
    "the other": (dict(a=lambda g, b: g, b=lambda g, a: g), [{0, 1}, {1}, {0}]),
    "itself": (dict(a=lambda g, a: g, b=lambda g, b: g), [{0, 1}, {0}, {1}]),
    "the output": (dict(a=lambda g, y: g, b=lambda g, y: g), [set(), set(), set()]),
    "one of them": (dict(a=lambda g, b: g, b=lambda g: g), [{1}, {1}, set()]),
    "by a joint rule": (lambda g, a: (g, g), [{0}, {0}, {0}]),
}


@pytest.mark.parametrize("name", KEPT)
def test_parameter_names_say_what_is_kept(name):
    rules, kept = KEPT[name]
    op = ag.op(lambda a, b: a * b, name="product", vjp=rules).op
    assert [set(op.reads(needs)) for needs in ((True, True), (True, False), (False, True))] == kept
    assert op.reads_output == (name == "the output")


def test_a_mask_keeps_what_it_reads():
    """Also where the rule reads nothing."""
    op = ag.op(lambda x: x, name="f", vjp=lambda g: g, selects=lambda x: x > 0, elementwise=True).op
    assert op.reads((True,)) == {0}
    op = ag.op(lambda x: x, name="f", vjp=lambda g: g, selects=lambda y: y > 0, elementwise=True).op
    assert op.reads_output


def test_a_definition_keeps_all_inputs():
    op = ag.op(lambda a, b: a * b, name="product", definition=lambda a, b: a * b).op
    assert op.reads((True, False)) == {0, 1}


FORMULAS = {
    "none": (None, (None, None)),
    "of one input": (dict(b="a"), (None, "a")),
    "of all": (dict(a="b", b="a"), ("b", "a")),
    "a text is that of the first": ("b", ("b", None)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_by_input(name):
    given, read = FORMULAS[name]
    rules = dict(a=lambda g, b: g * b, b=lambda g, a: g * a)
    assert ag.op(lambda a, b: a * b, name="product", vjp=rules, formula=given).op.formula == read


ARGUMENTS = [(["a", "b"], 0, "a"), (["a", "b"], 1, "b"), (["a", "b"], 2, "a value from outside")]


@pytest.mark.parametrize(("inputs", "i", "name"), ARGUMENTS)
def test_messages_name_inputs(inputs, i, name):
    op = ag.op(np.hypot.__call__, inputs=inputs, name="hypotenuse", vjp=lambda g: (g, g)).op
    assert op.argument(i) == name
    assert ag.op(lambda *parts: parts[0], name="many", vjp=lambda g: (g,)).op.argument(3) == "parts[3]"


def test_a_name_is_printable():
    op = ag.op(lambda x: x, name="red\x1b[31m", symbol="\x07", vjp=lambda g: g).op
    assert (op.name, op.symbol) == (r"red\x1b[31m", r"\x07")


KEYWORDS = {
    "an array": lambda: np.ones(3),
    "a list": lambda: [1.0, 1.0, 1.0],
    "a tuple of arrays": lambda: (np.ones(3), 1),
    "a list of lists": lambda: [[1.0], np.ones(2)],
    "a view": lambda: np.ones(6)[::2],
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_keywords_that_others_may_change_are_copied(name):
    op = ag.op(lambda x, k=None: x, name="f", vjp=lambda g: g).op
    given = KEYWORDS[name]()
    kept = op.constant("k", given)
    assert type(kept) is type(given)
    assert kept is not given
    for part, own in zip(given, kept, strict=True):
        assert not np.shares_memory(part, own) or np.isscalar(part)


@pytest.mark.parametrize("value", [None, 2, 2.5, "text", slice(1), np.float32, np.dtype(int), (1, "a"), True])
def test_keywords_that_nobody_can_change_stay(value):
    op = ag.op(lambda x, k=None: x, name="f", vjp=lambda g: g).op
    assert op.constant("k", value) is value


def test_a_keyword_that_carries_a_gradient_is_refused():
    scaled = ag.op(lambda x, k=1.0: x * k, name="scaled", vjp=lambda g, k: g * k)
    for k in (leaf(2.0), [leaf(2.0)], (1.0, [leaf(2.0)])):
        with pytest.raises(MissingRule, match=r"scaled\(\): keyword 'k' has no gradient rule\. Pass k=….detach\(\)"):
            scaled(leaf(X), k=k)
    np.testing.assert_array_equal(scaled(leaf(X), k=leaf(2.0).detach()).data, 2 * X)
