"""The package: SciPy is loaded by it alone, its modules at their first use, and what is missing is named."""

import subprocess
import sys

import pytest

import autograd as ag

scipy = pytest.importorskip("scipy")
ours = pytest.importorskip("autograd.scipy")


def run(code):
    """Run a program of its own, as imports happen once."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_the_engine_does_not_load_scipy():
    done = run("import autograd, nn, sys; print('scipy' in sys.modules, 'autograd.scipy' in sys.modules)")
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_importing_it_teaches_the_ufuncs():
    code = """
import autograd as ag, scipy.special
t = ag.Tensor(2.0, requires_grad=True)
try:
    scipy.special.gammaln(t)
except TypeError as error:
    print(str(error).partition(': ')[0])
import autograd.scipy
scipy.special.gammaln(t).backward()
print(round(t.grad.item(), 6))
"""
    done = run(code)
    said, grad = done.stdout.splitlines()
    assert said == "scipy.special.gammaln has no gradient rule. Use autograd.scipy"
    assert grad == "0.422784"


def test_without_scipy_the_extra_is_named():
    code = """
import sys
sys.modules["scipy"] = None
try:
    import autograd.scipy
except ImportError as error:
    print(type(error).__name__, error)
"""
    said = 'MissingExtra autograd.scipy needs scipy 1.13 or newer. Install it: python -m pip install "scipy>=1.13"'
    assert run(code).stdout.strip() == said


def test_modules_load_at_their_first_use():
    code = """
import sys, autograd.scipy
for name in autograd.scipy.__all__:
    before = f"autograd.scipy.{name}" in sys.modules
    print(before, getattr(autograd.scipy, name).__name__)
"""
    words = run(code).stdout.split()
    assert words[1::2] == [f"autograd.scipy.{name}" for name in ours.__all__]
    assert words[::2] == [str(name == "special") for name in ours.__all__]  # whose ufuncs take Tensors from then on


def test_unknown_names_are_refused():
    with pytest.raises(
        ag.errors.UnknownName, match=r"'autograd\.scipy' has no attribute 'spatial'; it has integrate, interpolate"
    ):
        ours.spatial  # noqa: B018
