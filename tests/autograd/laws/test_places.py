"""Messages with a place: shapes that do not fit, habits from elsewhere, calls that mean another one."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ShapeError
from tests.autograd.laws.misfits import MISFITS
from tests.autograd.laws.oracle import plain

misfits = pytest.mark.parametrize("name", MISFITS)
OPS = [name for name in MISFITS if not name.startswith(("backward", "ag."))]  # what stands in a forward
FITS = re.compile(r"must|fit|needs?|takes?|expected|cannot|differ|same|square|broadcast|use |give|want", re.IGNORECASE)


def pair(requires_grad=True):
    return ag.Tensor(np.ones((2, 3)), requires_grad), ag.Tensor(np.ones(4), requires_grad)


def hold(message, op, shapes):
    assert any(word in message for word in op.split("|")), f"{op!r} is missing in: {message}"
    for word in shapes:
        assert word in message, f"{word!r} is missing in: {message}"
    assert FITS.search(message), f"does not say what would fit: {message}"


@misfits
def test_a_shape_that_does_not_fit(name):
    call, op, shapes = MISFITS[name]
    with pytest.raises(ShapeError) as caught:
        call(*pair())
    hold(str(caught.value), op, shapes)


@pytest.mark.parametrize("name", OPS)
def test_on_constants_and_under_no_grad_too(name):
    call, op, shapes = MISFITS[name]
    with pytest.raises(ShapeError) as caught, ag.no_grad():
        call(*pair(False))
    hold(str(caught.value), op, shapes)


class Mixer(nn.Module):
    def __init__(self, call):
        self.call = call

    def forward(self, a, b):
        return self.call(a, b)


class Decoder(nn.Module):
    def __init__(self, call):
        self.mixer = Mixer(call)

    def forward(self, a, b):
        return self.mixer(a, b)


class Model(nn.Module):
    def __init__(self, call):
        self.decoder = Decoder(call)

    def forward(self, a, b):
        return self.decoder(a, b)


@pytest.mark.parametrize("name", OPS)
def test_inside_a_module_the_message_has_its_path(name):
    call, op, shapes = MISFITS[name]
    with pytest.raises(ShapeError) as caught:
        Model(call)(*pair())
    hold(str(caught.value), op, (*shapes, "decoder.mixer"))


def test_the_path_is_that_of_the_module_that_runs_and_is_gone_after_it():
    model = Model(lambda a, b: a + b)
    with pytest.raises(ShapeError):
        model(*pair())
    a, b = pair()
    with pytest.raises(ShapeError) as caught:
        a + b
    assert "mixer" not in str(caught.value)


def test_the_path_of_a_part_of_a_sequential():
    model = nn.Sequential({"front": nn.Identity(), "back": nn.Sequential(Twin(), nn.Tanh())})
    with pytest.raises(ShapeError) as caught:
        model(ag.Tensor(np.ones((2, 3))))
    assert "back.0" in str(caught.value)


class Twin(nn.Module):
    def forward(self, x):
        return x + np.ones(4)


@pytest.mark.parametrize("name", ["a + b", "np.concatenate, axes", "np.linalg.inv", "np.einsum, lengths", "reshape"])
def test_a_shape_error_is_a_value_error_and_one_of_ours(name):
    with pytest.raises(ValueError):  # noqa: PT011
        MISFITS[name][0](*pair())
    with pytest.raises(ag.AutogradError):
        MISFITS[name][0](*pair())


def test_shapes_that_fit_are_no_errors():
    """The guard costs no program that NumPy runs."""
    a = ag.Tensor(np.ones((2, 3)), requires_grad=True)
    for b in (1.0, np.ones(3), np.ones((2, 1)), np.ones((1, 3)), np.ones((5, 2, 3)), np.ones(())):
        assert (a + b).shape == np.broadcast_shapes((2, 3), np.shape(b))
        assert np.maximum(b, a).shape == np.broadcast_shapes((2, 3), np.shape(b))


# ----------------------------------------------------------------------------------------------- habits from elsewhere

ATTRIBUTES = {  # what people write on a Tensor -> the word that works here
    "view": "reshape",
    "view_as": "reshape",
    "unsqueeze": "expand_dims",
    "numel": "size",
    "dim": "ndim",
    "to": "astype",
    "cuda": "NumPy",
    "cpu": "",
    "float": "astype",
    "double": "astype",
    "half": "astype",
    "long": "astype",
    "int": "astype",
    "type": "astype",
    "requires_grad_": "requires_grad",
    "detach_": "detach",
    "zero_": "zero",
    "fill_": "=",
    "add_": "+=",
    "mul_": "*=",
    "sub_": "-=",
    "copy_": "=",
    "clamp": "clip",
    "permute": "transpose",
    "mm": "@",
    "matmul": "@",
    "cat": "concatenate",
    "expand": "broadcast_to",
    "contiguous": "",
    "clone": "copy",
    "t": "T",
    "device": "",
    "label": "name",
}
TENSOR_HAS = set(dir(ag.Tensor))


@pytest.mark.parametrize("name", [name for name in ATTRIBUTES if name not in TENSOR_HAS])
def test_a_habit_on_a_tensor_gets_a_hint(name):
    t = ag.Tensor([1.0, 2.0], requires_grad=True)
    assert not hasattr(t, name)
    with pytest.raises(AttributeError) as caught:
        getattr(t, name)
    assert isinstance(caught.value, ag.AutogradError)
    assert name in str(caught.value)
    assert ATTRIBUTES[name] in str(caught.value), str(caught.value)


@pytest.mark.parametrize("name", ["view", "unsqueeze", "numel", "to", "cuda", "float", "requires_grad_"])
def test_these_are_no_attributes(name):
    """Code that asks what a thing can do (hasattr(x, "cpu")) gets an honest no."""
    t = ag.Tensor([1.0, 2.0])
    assert not hasattr(t, name)
    assert getattr(t, name, None) is None
    assert name not in dir(t)


def test_an_unknown_attribute_is_the_usual_error():
    t = ag.Tensor([1.0])
    assert not hasattr(t, "no_such_thing_at_all")
    with pytest.raises(AttributeError, match="no_such_thing_at_all"):
        t.no_such_thing_at_all  # noqa: B018


@pytest.mark.parametrize("attribute", ["label", "_op", "tag", "grads"])
def test_an_attribute_that_is_not_there_cannot_be_set(attribute):
    t = ag.Tensor([1.0])
    with pytest.raises(AttributeError) as caught:
        setattr(t, attribute, "x")
    if attribute == "label":
        assert isinstance(caught.value, ag.AutogradError)
        assert "name" in str(caught.value).replace("name 'label'", "")


MODULE_NAMES = {
    "tensor": "Tensor",
    "Variable": "Tensor",
    "from_numpy": "Tensor",
    "zeros": "np.zeros",
    "ones": "np.ones",
    "cat": "np.concatenate",
    "exp": "np.exp",
    "manual_seed": "rng",
}


@pytest.mark.parametrize("name", [name for name in MODULE_NAMES if not hasattr(ag, name)])
def test_a_habit_of_a_module_gets_a_hint(name):
    assert not hasattr(ag, name)
    with pytest.raises(AttributeError) as caught:
        getattr(ag, name)
    assert isinstance(caught.value, ag.AutogradError)
    assert name in str(caught.value)
    assert MODULE_NAMES[name] in str(caught.value)


KEYWORDS = {
    "t.sum(dim=0)": lambda t: t.sum(dim=0),
    "t.mean(dim=0)": lambda t: t.mean(dim=0),
    "t.max(dim=0)": lambda t: t.max(dim=0),
    "t.min(dim=1)": lambda t: t.min(dim=1),
    "t.var(dim=0)": lambda t: t.var(dim=0),
    "t.std(dim=0)": lambda t: t.std(dim=0),
    "t.prod(dim=0)": lambda t: t.prod(dim=0),
    "t.cumsum(dim=0)": lambda t: t.cumsum(dim=0),
    "t.squeeze(dim=0)": lambda t: t[None].squeeze(dim=0),
    "np.sum(t, dim=0)": lambda t: np.sum(t, dim=0),
    "np.mean(t, dim=0)": lambda t: np.mean(t, dim=0),
    "np.max(t, dim=0)": lambda t: np.max(t, dim=0),
    "np.concatenate(…, dim=0)": lambda t: np.concatenate([t, t], dim=0),
    "np.stack(…, dim=0)": lambda t: np.stack([t, t], dim=0),
    "ag.softmax(t, dim=0)": lambda t: ag.softmax(t, dim=0),
    "ag.log_softmax(t, dim=0)": lambda t: ag.log_softmax(t, dim=0),
    "ag.logsumexp(t, dim=0)": lambda t: ag.logsumexp(t, dim=0),
    "t.sum(keepdim=True)": lambda t: t.sum(axis=0, keepdim=True),
    "np.sum(t, keepdim=True)": lambda t: np.sum(t, axis=0, keepdim=True),
    "np.max(t, keepdim=True)": lambda t: np.max(t, axis=0, keepdim=True),
    "ag.logsumexp(t, keepdim=True)": lambda t: ag.logsumexp(t, axis=0, keepdim=True),
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_a_keyword_of_pytorch_gets_the_one_of_numpy(name):
    """NumPy's own functions refuse it before they ask us, so theirs is any TypeError."""
    t = ag.Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(TypeError) as caught:
        KEYWORDS[name](t)
    if not name.startswith("np."):
        assert isinstance(caught.value, ag.AutogradError)
        assert ("keepdims" if "keepdim" in name else "axis") in str(caught.value)


# ------------------------------------------------------------------------------------------- another function was meant


def recorded():
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    return x, (x**2).sum()


TRANSFORMS = {
    "ag.grad(y, x)": lambda x, y: ag.grad(y, x),
    "ag.grad(y)": lambda x, y: ag.grad(y),
    "ag.value_and_grad(y)": lambda x, y: ag.value_and_grad(y),
    "ag.jacobian(y, x)": lambda x, y: ag.jacobian(y, x),
    "ag.hessian(y, x)": lambda x, y: ag.hessian(y, x),
    "ag.hvp(y)": lambda x, y: ag.hvp(y),
    "ag.vjp(y, x)": lambda x, y: ag.vjp(y, x),
    "ag.jvp(y, (x,), (x,))": lambda x, y: ag.jvp(y, (x,), (x,)),
    "ag.checkpoint(y)": lambda x, y: ag.checkpoint(y),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_of_a_recorded_result_names_the_call_for_it(name):
    x, y = recorded()
    with pytest.raises(TypeError) as caught:
        TRANSFORMS[name](x, y)
    assert isinstance(caught.value, ag.AutogradError)
    assert "backward()" in str(caught.value) or "ag.gradient" in str(caught.value)


@pytest.mark.parametrize("value", [3.0, np.ones(2), None, "f"], ids=["number", "array", "None", "text"])
@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian, ag.hvp, ag.checkpoint])
def test_a_transform_of_what_is_no_function(transform, value):
    with pytest.raises(TypeError) as caught:
        transform(value)(1.0)
    assert isinstance(caught.value, ag.AutogradError)


ARGUMENTS = {
    'argnums="w"': lambda: ag.grad(lambda w: w, argnums="w")(1.0),
    "argnums=1.5": lambda: ag.grad(lambda w: w, argnums=1.5)(1.0),
    "argnums beyond": lambda: ag.grad(lambda w: w, argnums=3)(1.0),
    "hvp of two arguments": lambda: ag.hvp(lambda a, b: (a * b).sum())(np.ones(2), np.ones(2), np.ones(2), np.ones(2)),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_make_no_sense(name):
    """hvp of two arguments may work one day; until then it is refused by an error of ours."""
    try:
        ARGUMENTS[name]()
    except ag.AutogradError:
        return
    assert name == "hvp of two arguments"


@pytest.mark.skipif(find_spec("scipy") is None, reason="no SciPy")
@pytest.mark.parametrize(
    ("name", "ours"), [("zeta", ""), ("gammaln", "gammaln"), ("erf", "erf"), ("expit", "sigmoid"), ("j0", "")]
)
def test_a_function_of_scipy_is_named_as_such(name, ours):
    from scipy import special

    t = ag.Tensor([1.5, 2.5], requires_grad=True)
    try:
        y = getattr(special, name)(t) if name != "zeta" else special.zeta(t, 2.0)
    except ag.AutogradError as error:
        message = str(error)
    else:
        y.sum().backward()  # declared: then it has a gradient
        message = "scipy.special" + name + ours
    assert "scipy.special" in message
    assert name in message
    assert "np." + name not in message


# ---------------------------------------------------------------------------------------------------- the user's line


def test_a_nan_names_the_line_where_it_arose():
    x = ag.Tensor([-1.0, 4.0], requires_grad=True)
    with np.errstate(all="ignore"), ag.detect_anomaly(check_nan=False):
        y = np.sqrt(x) * 2.0
        found = str(ag.find_nonfinite(y.sum()))
    assert "sqrt" in found
    assert "test_places.py" in found


def test_a_nan_in_backward_names_the_line_where_it_arose():
    x = ag.Tensor([0.0, 4.0], requires_grad=True)
    with ag.detect_anomaly(check_nan=False):
        y = np.sqrt(x) * 2.0
        z = y.sum()
    z.backward()
    found = str(ag.find_nonfinite(z))
    assert "backward" in found
    assert "y = np.sqrt(x) * 2.0" in found


# ------------------------------------------------------------------------------------------------------ small numerics


@pytest.mark.parametrize("zero", [0, 0.0, np.float64(0), np.zeros(())], ids=["int", "float", "float64", "array"])
def test_division_by_zero_is_inf(zero):
    """As in NumPy, with its warning, and not Python's ZeroDivisionError."""
    x = ag.Tensor(1.0, requires_grad=True)
    with np.errstate(all="ignore"):
        (x / zero).backward()
    assert plain(x.grad) == np.inf


def test_division_by_zero_warns_as_numpy_does():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        ag.Tensor(1.0, requires_grad=True) / 0.0


@pytest.mark.parametrize("x", [-40.0, -1.0, -1e-3, 0.0, 1e-3, 2.0])
def test_the_slope_of_expm1_has_all_its_digits(x):
    np.testing.assert_allclose(ag.grad(np.expm1)(x), np.exp(x), rtol=1e-13)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_logsumexp_of_nothing_but_minus_infinity(axis):
    z = ag.Tensor([-np.inf, -np.inf], requires_grad=True)
    y = ag.logsumexp(z, axis=axis)
    assert y.item() == -np.inf
    y.backward()
    assert not np.isinf(plain(z.grad)).any()


def test_whole_numbers_of_numpy_are_whole_numbers():
    x, two = ag.Tensor(np.ones(4), requires_grad=True), np.int64(2)
    assert x.reshape(two, two).shape == np.reshape(x, (two, 2)).shape == (2, 2)
    assert np.repeat(x, two).shape == (8,)
    assert np.split(x, two)[0].shape == (2,)
    assert np.stack([x, x], axis=np.int64(1)).sum(axis=np.int64(0)).shape == (2,)
    assert ag.grad(lambda a, b: a * b, argnums=np.int64(1))(2.0, 3.0) == 2.0
