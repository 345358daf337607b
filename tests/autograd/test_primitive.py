"""Ops of one's own through the public autograd.op: five lines, and a message for every way to write them wrongly."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import GraphError, InPlaceError, RuleError

X = np.array([0.5, -1.0, 2.0])


def leaf(data=X):
    return Tensor(data, requires_grad=True)


def test_five_lines():
    def cube(x):
        return x**3

    cube = ag.op(cube, vjp=lambda g, x: 3 * g * x**2, elementwise=True)
    ag.check_grads(cube, X, order=3)
    assert cube.__name__ == "cube"
    assert isinstance(cube(X), np.ndarray)
    assert isinstance(cube(leaf()), Tensor)
    assert repr(cube.op) == "<op cube(x)>"


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("elementwise", [True, False])
def test_a_forward_that_gives_an_input_back_gives_another_name_for_it(count, recording, elementwise):
    """What is written under one name is seen under the other, as with the function on arrays."""
    forward = [lambda a: a, lambda a, b: b, lambda a, b, c: c][count - 1]
    rule = [lambda g: g, lambda g: (0 * g, g), lambda g: (0 * g, 0 * g, g)][count - 1]
    if count == 2 and elementwise:
        rule = dict(a=lambda g: 0 * g, b=lambda g: g)
    same = ag.op(forward, vjp=rule, name="same", elementwise=elementwise)
    inputs = [leaf() for _ in range(count)]
    if recording:
        y = same(*inputs)
    else:
        with ag.no_grad():
            y = same(*inputs)
    assert y is not inputs[-1]
    np.testing.assert_array_equal(y.numpy(), X)
    if recording:
        y.sum().backward()
        np.testing.assert_array_equal(inputs[-1].grad.numpy(), np.ones(3))
    with ag.no_grad():
        inputs[-1] += 1
    np.testing.assert_array_equal(y.numpy(), X + 1)


@pytest.mark.parametrize("at", ["a", "b"])
@pytest.mark.parametrize(
    ("share", "message"),
    [
        ("no number", "returned str, not an array"),
        (1j * np.ones(()), "returned dtype complex128"),
    ],
)
def test_a_wrong_rule_on_numbers_is_refused(at, share, message):
    rules = dict(a=lambda g, b: g * b, b=lambda g, a: g * a)
    rules[at] = lambda g: share
    product = ag.op(lambda a, b: a * b, vjp=rules, name="product", elementwise=True)
    with pytest.raises(RuleError, match=f"op 'product': the rule for '{at}' {message}"):
        product(leaf(2.0), leaf(3.0)).backward()
    if at == "a":
        double = ag.op(lambda a: a * 2, vjp=lambda g: share, name="product", elementwise=True)
        with pytest.raises(RuleError, match=f"op 'product': the rule for 'a' {message}"):
            double(leaf(2.0)).backward()


@pytest.mark.parametrize("share", [2, 2.0, np.float32(2.0), np.array(2.0)])
def test_what_a_rule_gives_for_a_number_becomes_one(share):
    double = ag.op(lambda x: x * 2, vjp=lambda g: share, name="double", elementwise=True)
    product = ag.op(lambda a, b: a * 2 + b, vjp=dict(a=lambda g: share, b=lambda g: share), name="p", elementwise=True)
    for f in (double, lambda x: product(x, 1.0), lambda x: product(1.0, x)):
        x = leaf(3.0)
        f(x).backward()
        assert x.grad.item() == 2
        assert x.grad.dtype == np.float64


def test_dict_of_rules():
    ratio = ag.op(
        lambda a, b: a / b,
        name="ratio",
        vjp=dict(a=lambda g, b: g / b, b=lambda g, a, b: -g * a / b**2),
        elementwise=True,
    )
    ag.check_grads(ratio, X, np.array(2.0))
    ag.check_grads(lambda a: ratio(a, b=2.0), X)
    ag.check_grads(lambda b: ratio(b=b, a=2.0), X)


def test_keywords_are_named_by_rules():
    scaled = ag.op(
        lambda x, factor=2.0, *, shift=0.0: x * factor + shift, name="scaled", vjp=lambda g, factor: g * factor
    )
    ag.check_grads(scaled, X)
    ag.check_grads(lambda x: scaled(x, 5.0, shift=1.0), X)
    np.testing.assert_array_equal(scaled(leaf(), factor=3.0).data, X * 3)


def test_joint_rule():
    def rule(g, a, b, needs):
        return (g * b if needs[0] else None, g * a if needs[1] else None)

    joint = ag.op(lambda a, b: a * b, name="joint", vjp=rule)
    ag.check_grads(joint, X, X + 1)
    x = leaf()
    joint(x, X).sum().backward()
    np.testing.assert_array_equal(x.grad.data, X)
    joint(X, x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 2 * X)


def test_joint_rule_notices_changes_and_released_arrays():
    both = ag.op(lambda a, b: a * b, name="both", vjp=lambda g, a, b: (g * b, g * a))
    a, b = leaf(np.ones(100)), leaf(np.full(100, 2.0))
    y = both(a, b).sum()
    with ag.no_grad():
        b += 1
    with pytest.raises(InPlaceError, match="input 'b' of 'both'"):
        y.backward()
    y = both(a, b)
    y.sum().backward()
    with pytest.raises(GraphError, match="backward reached 'both', whose saved arrays were released"):
        y.sum().backward()


def test_any_number_of_inputs():
    def together(*parts):
        return np.concatenate(parts)

    def rule(g, parts, shapes):
        ends = np.cumsum([shape[0] for shape in shapes])
        return tuple(g[end - shape[0] : end] for shape, end in zip(shapes, ends, strict=True))

    joined = ag.op(together, vjp=rule)
    ag.check_grads(joined, X, X[:2], X[:1])
    x = leaf()
    joined(x, X, x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2, 2, 2])


def test_several_outputs():
    def polar(across, up):
        return np.hypot(across, up), np.arctan2(up, across)

    def rule(g, y):
        (gr, ga), (r, angle) = g, y
        return gr * np.cos(angle) - ga * np.sin(angle) / r, gr * np.sin(angle) + ga * np.cos(angle) / r

    f = ag.op(polar, vjp=rule)
    a, b = np.array([1.0, 2.0]), np.array([0.5, 0.7])
    ag.check_grads(f, a, b)
    for i in range(2):  # a cotangent that does not arrive is zeros
        ag.check_grads(lambda a, b, i=i: f(a, b)[i], a, b)
    assert isinstance(f(a, b)[0], np.ndarray)
    assert isinstance(f(Tensor(a), b)[1], Tensor)


def test_definition_instead_of_a_rule():
    swish = ag.op(
        lambda x: x / (1 + np.exp(-x)), name="my_swish", definition=lambda x: x * ag.sigmoid(x), elementwise=True
    )
    ag.check_grads(swish, X, order=3)
    np.testing.assert_allclose(ag.grad(lambda x: swish(x).sum())(X), ag.grad(lambda x: ag.silu(x).sum())(X))


def test_cache_and_definition():
    """A fused op keeps an extra array for its rule; second derivatives come from the definition."""
    runs = []

    def forward(x, scale=1.0):
        mask = x > 0
        return x * mask * scale, mask

    def rule(g, mask, scale):
        runs.append("rule")
        return g * mask * scale

    def definition(x, scale=1.0):
        runs.append("definition")
        return np.maximum(x, 0) * scale

    f = ag.op(forward, name="fused", cache=("mask",), vjp=rule, definition=definition)
    assert isinstance(f(X), np.ndarray)
    x = leaf()
    f(x, scale=3.0).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 3 * (X > 0))
    assert runs == ["rule"]
    ag.check_grads(f, X)
    assert "definition" in runs


def test_cache_with_several_outputs():
    def forward(x):
        e = np.exp(x)
        return (e, e * 2), e

    f = ag.op(
        forward,
        name="two_and_cache",
        cache=("e",),
        vjp=lambda g, e: g[0] * e + 2 * g[1] * e,
        definition=lambda x: (np.exp(x), 2 * np.exp(x)),
    )
    ag.check_grads(f, X)


def test_view_op():
    """An output that looks at the memory of its input is a view, and changes in place are noticed through it."""
    halves = ag.op(lambda x: x[:2], name="first_two", vjp=lambda g, shapes: np.pad(g, (0, shapes[0][0] - 2)))
    ag.check_grads(halves, X)
    x = leaf()
    y = (halves(x) ** 2).sum()
    x.data -= 1
    with pytest.raises(ag.errors.InPlaceError):
        y.backward()


def test_elementwise_rules_broadcast():
    ag.check_grads(
        ag.op(lambda a, b: a + 2 * b, name="plus2", vjp=dict(a=lambda g: g, b=lambda g: 2 * g), elementwise=True),
        X,
        np.ones((2, 1)),
    )


def test_python_numbers_are_made_arrays():
    total = ag.op(lambda x: float(np.sum(x)), name="total", vjp=lambda g, shapes: np.broadcast_to(g, shapes[0]))
    ag.check_grads(total, X)
    assert total(leaf()).shape == ()
    constant = ag.op(lambda x: x * 0.0 + 1, name="one", vjp=lambda g: 0.0, elementwise=True)
    assert constant(leaf(2.0)).requires_grad


def test_rule_may_return_a_number():
    f = ag.op(lambda x: x * 2.0, name="twice", vjp=lambda g: float(g) * 2)
    x = leaf(1.0)
    f(x).backward()
    assert x.grad.item() == 2


def test_numpy_function_is_dispatched_to_own_op():
    i0 = ag.op(np.i0, inputs=["x"], vjp=lambda g, x: g * np.i0(x) * 0, elementwise=True)
    y = np.i0(leaf())
    assert isinstance(y, Tensor)
    np.testing.assert_allclose(y.data, np.i0(X))
    np.testing.assert_array_equal(i0(X), np.i0(X))


def test_ufunc_from_a_python_function_names_its_inputs():
    nextafter = ag.op(
        np.nextafter, inputs=["here", "there"], vjp=dict(here=lambda g: g, there=lambda g: g * 0), elementwise=True
    )
    assert nextafter.op.inputs == ["here", "there"]
    assert np.nextafter(leaf(), 1.0).requires_grad


def test_implements_composes_without_a_rule():
    @ag.implements(np.sinc)
    def sinc(x):
        return np.sin(np.pi * x) / (np.pi * x)

    y = np.sinc(leaf())
    np.testing.assert_allclose(y.data, np.sinc(X), atol=1e-15)
    assert y.requires_grad


def test_nondifferentiable():
    steps = ag.nondifferentiable(lambda x, size=1.0: np.floor(x / size) * size, name="steps")
    y = steps(leaf(), size=0.5)
    assert isinstance(y, Tensor)
    assert not y.requires_grad
    assert isinstance(steps(X), np.ndarray)


def test_nondifferentiable_may_return_numbers_and_tuples():
    x = leaf()
    one, parts = (
        ag.nondifferentiable(lambda x: 1, name="one")(x),
        ag.nondifferentiable(lambda x: (x % 1, x // 1), name="split")(x),
    )
    assert (type(one), one.item(), one.requires_grad) == (Tensor, 1, False)
    assert [type(part) for part in parts] == [Tensor, Tensor]
    assert not any(part.requires_grad for part in parts)


@pytest.mark.parametrize("forward", [lambda x: x, lambda x: x[::-1]])
def test_nondifferentiable_owns_its_memory(forward):
    x = leaf()
    y = ag.nondifferentiable(forward, name="same")(x)
    y[0] = 100.0
    np.testing.assert_array_equal(x.data, X)


def test_replacing_a_rule_of_ours():
    """Declaring a NumPy function again replaces its rule for np.f."""
    ag.op(np.absolute, vjp=lambda g, x: g * 100.0, elementwise=True)
    assert ag.grad(lambda x: np.abs(x))(3.0) == 100


def test_checked_at_every_order():
    f = ag.op(lambda x: np.sin(x), name="mysin", vjp=lambda g, x: g * np.cos(x), elementwise=True)
    assert ag.grad(ag.grad(ag.grad(f)))(0.3) == pytest.approx(-np.cos(0.3))


def test_rule_that_works_on_the_data_is_caught_at_order_two():
    """A rule that unpacks Tensors gives the right number and no graph."""
    sneaky = ag.op(
        lambda x: x**2,
        name="sneaky",
        vjp=lambda g, x: g * 2 * np.asarray(x.data if isinstance(x, Tensor) else x),
        elementwise=True,
    )
    ag.check_grads(sneaky, X, order=1)
    with pytest.raises(ag.errors.GradientError):
        ag.check_grads(sneaky, X)


def test_op_in_a_class_body_and_as_callable_object():
    class Doubler:
        def __call__(self, x):
            return x * 2

    f = ag.op(Doubler(), vjp=lambda g: g * 2)
    assert f.op.name == "Doubler"
    ag.check_grads(f, X)


def test_elementwise_rule_of_shapes_and_needs():
    f = ag.op(
        lambda a, b: a + b,
        name="shapely",
        vjp=dict(a=lambda g, shapes: g * len(shapes), b=lambda g, needs: g * sum(needs)),
        elementwise=True,
    )
    x, y = leaf(), leaf([1.0])
    f(x, y).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2, 2, 2])
    np.testing.assert_array_equal(y.grad.data, [6])


@pytest.mark.parametrize("definition", [np.sign, lambda x: np.ones(3), lambda x: (np.sign(x),)])
def test_definition_that_is_constant(definition):
    f = ag.op(lambda x: np.sign(x), name="by_constant", definition=definition)
    if definition(X).__class__ is tuple:
        f = ag.op(lambda x: (np.sign(x),), name="by_constant", definition=definition)
    gradient = ag.grad(lambda x: (f(x)[0] if definition(X).__class__ is tuple else f(x)).sum())(X)
    np.testing.assert_array_equal(gradient, np.zeros(3))


def test_forward_without_signature_with_named_inputs():
    f = ag.op(max, inputs=["x"], name="builtin_max", vjp=lambda g, x, y: g * (x == y))
    assert f.op.inputs == ["x"]
    assert f(leaf()).item() == 2
    ag.check_grads(f, X, order=1)


def test_parameters_are_given_as_the_forward_takes_them():
    def scaled(x, by=2.0, *, plus):
        return x * by + plus

    f = ag.op(scaled, vjp=lambda g, by: g * by, elementwise=True)
    for call in (f, scaled):
        with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'plus'"):
            call(X)
        with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments but 3 were given"):
            call(X, 3.0, 1.0)
    x = leaf()
    y = f(x, 3.0, plus=1.0)
    y.sum().backward()
    np.testing.assert_array_equal(y.numpy(), scaled(X, 3.0, plus=1.0))
    np.testing.assert_array_equal(x.grad.numpy(), [3, 3, 3])
