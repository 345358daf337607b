"""Forward mode over the steps of a program: compiled, and in a function that is mapped."""

import numpy as np
import pytest

import autograd as ag
import nn

X, T = np.array([0.5, -1.0, 2.0]), np.array([1.0, -2.0, 0.5])


def _written_element(y):
    y[0] = y[1] ** 2
    return y


def _unrecorded(x):
    with ag.no_grad():
        return x * 2


PUSHED = {
    "a definition": lambda x: nn.functional.gelu(x).sum() * x,
    "a checkpoint": lambda x: ag.checkpoint(np.sin)(x) * x,
    "a rule transposed": lambda x: ag.softmax(x) * np.linalg.inv(np.outer(x, x) + np.eye(3))[0],
    "split and joined": lambda x: np.concatenate(np.split(x, 3)[::-1]) * x,
    "complex": lambda x: np.abs(np.fft.fft(x) * 1j) ** 2,
    "a write": lambda x: _written_element(x * 1.0) * x,
    "integers": lambda x: x[np.argsort(x)],
    "no_grad": lambda x: x * _unrecorded(x),
    "a constant": lambda x: np.ones(3) * 2,
}


@pytest.mark.parametrize("name", PUSHED)
def test_forward_mode_in_a_program(name):
    f = PUSHED[name]
    for run in (lambda x, t: ag.jvp(f, (x,), (t,))[1], lambda x, t: ag.jacfwd(f)(x) @ t):
        right = run(X, T)
        np.testing.assert_allclose(ag.compile(run)(X, T), right, atol=1e-12)
        np.testing.assert_allclose(ag.vmap(run)(np.stack([X, X]), np.stack([T, T])), [right, right], atol=1e-12)
