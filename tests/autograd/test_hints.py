"""Words out of habit: every row of the tables has a hint that names what works here, and each of those works."""

import re
import sys

import numpy as np
import pytest

import autograd as ag
from autograd import hints
from autograd.errors import ConversionError, MissingRule, UnexpectedKeyword, UnknownName
from autograd.primitive import dispatch


@pytest.mark.parametrize("name", hints.TENSOR)
def test_attribute_of_a_tensor(name):
    t = ag.Tensor([1.0, 2.0])
    assert not hasattr(t, name)
    with pytest.raises(UnknownName) as caught:
        getattr(t, name)
    assert str(caught.value) == f"'Tensor' object has no attribute {name!r}: {hints.TENSOR[name]}."


@pytest.mark.parametrize("name", ["no_such", "_hidden"])
def test_unknown_attribute_without_a_hint(name):
    with pytest.raises(UnknownName, match=rf"^'Tensor' object has no attribute '{name}'\.$"):
        getattr(ag.Tensor(1.0), name)


@pytest.mark.parametrize(("name", "meant"), [("gradd", "grad"), ("detatch", "detach"), ("backwrd", "backward")])
def test_mistyped_attribute_is_told_the_nearest(name, meant):
    with pytest.raises(UnknownName, match=rf"has no attribute '{name}'\. Did you mean '{meant}'\?$"):
        getattr(ag.Tensor(1.0), name)


@pytest.mark.parametrize("name", hints.MODULE)
def test_function_of_the_package(name):
    with pytest.raises(UnknownName) as caught:
        getattr(ag, name)
    assert str(caught.value) == f"module 'autograd' has no attribute {name!r}: {hints.MODULE[name]}."


@pytest.mark.parametrize(
    ("name", "there"), [("zeros", "zeros"), ("cat", "concatenate"), ("mm", "matmul"), ("from_list", "array")]
)
def test_function_that_numpy_has(name, there):
    with pytest.raises(UnknownName, match=rf"^module 'autograd' has no attribute '{name}': use np\.{there}\.$"):
        getattr(ag, name)


@pytest.mark.parametrize(
    ("call", "wrong", "right"),
    [
        (lambda: ag.grad(np.sin, argnum=1), "argnum", "argnums"),
        (lambda: ag.value_and_grad(np.sin, argnum=1), "argnum", "argnums"),
        (lambda: ag.jacobian(np.sin, argnum=0), "argnum", "argnums"),
        (lambda: ag.jacfwd(np.sin, argnum=0), "argnum", "argnums"),
        (lambda: ag.hessian(np.sin, argnum=0), "argnum", "argnums"),
        (lambda: ag.vmap(np.sin, in_dims=0), "in_dims", "in_axes"),
        (lambda: ag.vmap(np.sin, out_dims=0), "out_dims", "out_axes"),
    ],
)
def test_keywords_of_other_libraries(call, wrong, right):
    with pytest.raises(UnexpectedKeyword, match=rf"got an unexpected keyword argument '{wrong}'\. Use {right}\.$"):
        call()


@pytest.mark.parametrize("name", ["no_such_function", "_core", "__wrapped__"])
def test_unknown_function_without_a_hint(name):
    with pytest.raises(UnknownName, match=rf"^module 'autograd' has no attribute '{name}'\.$"):
        getattr(ag, name)


WORDS = [(table, text) for table in (hints.TENSOR, hints.MODULE) for text in table.values()]
NAMES = sorted({word for _, text in WORDS for word in re.findall(r"\bt\.(\w+)", text)})


@pytest.mark.parametrize("name", NAMES)
def test_what_a_hint_names_is_there(name):
    assert hasattr(ag.Tensor([1.0], requires_grad=True), name)


@pytest.mark.parametrize("name", sorted({word for _, text in WORDS for word in re.findall(r"\bag\.(\w+)", text)}))
def test_what_a_hint_names_is_in_the_package(name):
    assert hasattr(ag, name)


@pytest.mark.parametrize("name", sorted({word for _, text in WORDS for word in re.findall(r"\bnp\.(\w+)\(", text)}))
def test_what_a_hint_names_works_on_a_tensor(name):
    assert callable(getattr(np, name))
    assert getattr(np, name) in ag.primitive.dispatch


@pytest.mark.parametrize("name", ["dim", "keepdim"])
@pytest.mark.parametrize("method", ["sum", "mean", "max", "prod"])
def test_keyword_of_a_method(name, method):
    message = (
        rf"^{method}\(\) got an unexpected keyword argument '{name}'\. Use {hints.KEYWORDS[name]}, NumPy's word\.$"
    )
    with pytest.raises(UnexpectedKeyword, match=message):
        getattr(ag.Tensor(np.ones((2, 3))), method)(**{name: 1})


GIVEN = {"clip": (0.0, 1.0), "dot": (np.ones(3),), "take": ([0],), "compress": ([True],), "choose": ([np.ones(3)],)}


@pytest.mark.parametrize(
    "name",
    [n for n, m in vars(np.ndarray).items() if "out=None" in (getattr(m, "__doc__", None) or "")],
)
def test_no_method_writes_into_out(name):
    """NumPy's own list of methods that take it."""
    if not hasattr(ag.Tensor, name):
        pytest.skip("no method of Tensors")
    t = ag.Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(ConversionError, match=rf"t\.{name}\(…, out=…\): results of ops on Tensors are new arrays"):
        getattr(t, name)(*GIVEN.get(name, ()), out=np.zeros(3))


def test_keyword_of_an_own_op_with_an_axis():
    total = ag.op(lambda x, axis=None: x.sum(axis), name="total", vjp=lambda g, shapes: np.broadcast_to(g, shapes[0]))
    with pytest.raises(
        UnexpectedKeyword, match=r"total\(\) got an unexpected keyword argument 'dim'\. Use axis, NumPy's"
    ):
        total(np.ones((2, 3)), dim=0)
    with pytest.raises(UnexpectedKeyword, match=r"total\(\) got an unexpected keyword argument 'other_word'\.$"):
        total(np.ones((2, 3)), other_word=0)


def test_a_hinted_function_is_the_same_otherwise():
    @hints.hinted
    def double(x: float, axis: int = 0) -> float:
        """Double."""
        return 2 * x + axis

    assert (double(2.0), double(2.0, axis=1), double.__name__, double.__doc__) == (4.0, 5.0, "double", "Double.")
    with pytest.raises(UnexpectedKeyword, match=r"double\(\) got an unexpected keyword argument 'keepdim'"):
        double(2.0, keepdim=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        double(2.0, nonsense=True)  # type: ignore[call-arg]


FUNCTIONS = [
    (np.unwrap, "np.unwrap", ""),
    (np.bitwise_and, "np.bitwise_and", ""),
    (np.linalg.lstsq, "np.linalg.lstsq", ""),
    (np.fft.fftshift, "np.fft.fftshift", ""),
    (max, "builtins.max", ""),
]


@pytest.mark.parametrize(("function", "name", "counterpart"), FUNCTIONS, ids=[name for _, name, _ in FUNCTIONS])
def test_functions_are_named_as_users_know_them(function, name, counterpart):
    assert hints.full_name(function, np) == (name, counterpart)


TEACH = "autograd.scipy: importing it gives the functions of scipy.special their derivatives"


@pytest.mark.parametrize(
    ("name", "loaded", "counterpart"),
    [
        ("erf", False, f"autograd.erf, or {TEACH}"),
        ("erf", True, "autograd.erf"),
        ("logit", False, f"autograd.logit, or {TEACH}"),
        ("kolmogorov", False, TEACH),
        ("kolmogorov", True, ""),
    ],
)
def test_functions_of_scipy(name, loaded, counterpart, monkeypatch):
    special = pytest.importorskip("scipy.special")
    if loaded:
        monkeypatch.setitem(sys.modules, "autograd.scipy.special", sys)
    else:
        monkeypatch.delitem(sys.modules, "autograd.scipy.special", raising=False)
    monkeypatch.delitem(dispatch, getattr(special, name), raising=False)
    assert hints.full_name(getattr(special, name), np) == (f"scipy.special.{name}", counterpart)
    with pytest.raises(MissingRule) as caught:
        getattr(special, name)(ag.Tensor([0.5], requires_grad=True))
    said = f"scipy.special.{name} has no gradient rule. Use {counterpart or 'x.detach() for a constant, or declare'}"
    assert str(caught.value).startswith(said)


def test_functions_of_scipy_that_have_no_namesake_say_so():
    ndimage, t = pytest.importorskip("scipy.ndimage"), ag.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ConversionError, match=r"^scipy\.ndimage would .* In its place write it in NumPy's"):
        ndimage.gaussian_filter(t, 1.0)


def test_functions_of_scipy_that_convert_name_their_namesake():
    special = pytest.importorskip("scipy.special")
    with pytest.raises(
        ConversionError, match=r"^scipy\.special would turn .* same name in autograd\.scipy\.special, or"
    ):
        special.softmax(ag.Tensor([0.5], requires_grad=True))
