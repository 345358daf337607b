"""Functions that are compiled in tests, with arguments for their calls."""

import numpy as np

import autograd as ag
import nn
from nn import functional as F

rng = np.random.default_rng(0)
VECTORS = [(rng.normal(size=4),) for _ in range(3)]
PAIRS = [(a[0], b[0]) for a, b in zip(VECTORS, VECTORS[1:] + VECTORS[:1], strict=True)]
MATRICES = [(rng.normal(size=(3, 4)),) for _ in range(2)]
DENSE = nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1)).astype(np.float64)


def f(x):
    return (np.sin(x) * x**3).sum()


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def written(x):
    y = x * 1.0
    y[1:3] = x[0] * 2
    y += 1
    return (y * y).sum()


def springs(x):
    state = x.reshape(2, 2)
    for _ in range(3):
        half = state + 0.05 * np.stack([state[1], -2 * state[0]])
        state = state + 0.1 * np.stack([half[1], -2 * half[0]])
    return (state**2).sum()


def eliminated(x):
    y = np.outer(x, x) + 2 * np.eye(4)
    for i in range(4):
        row = y[i]
        row /= row[i]
        for j in range(i + 1, 4):
            y[j] -= row * y[j, i]
    return (y * y).sum()


def entropy(x):
    logits = x.reshape(2, 2) - x.reshape(2, 2).max(axis=1, keepdims=True)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -logp[np.arange(2), np.array([1, 0])].mean()


def penalty(weight):
    return (ag.grad(lambda z: F.linear(z, weight).sum())(np.ones((2, 4))) ** 2).sum()


def no_grad_inside(x):
    with ag.no_grad():
        scale = np.exp(x)
    return x * scale


BELOW = {  # functions of a vector, whose gradient is asked for
    "value": f,
    "model": DENSE,
    "in place": written,
    "where": lambda x: np.where(x < 0.5, np.log1p(np.exp(x)), x).sum(),
    "a mask": lambda x: np.where((x > -1) & ~(x > 1), x, 0.0),
    "sort": lambda x: (np.sort(x) * np.arange(4)).sum(),
    "springs": springs,
    "eliminated": eliminated,
    "entropy": entropy,
}
FUNCTIONS = {  # name: function, arguments of its calls
    "value": (f, VECTORS),
    "grad": (ag.grad(f), VECTORS),
    "value_and_grad": (ag.value_and_grad(f), VECTORS),
    "grad of grad": (ag.grad(lambda x: ag.grad(lambda y: (y**4).sum())(x).sum()), VECTORS),
    "of a number": (ag.grad(ag.grad(lambda x: x**3)), [(2.0,), (3.0,)]),
    "hvp": (ag.hvp(rosenbrock), PAIRS),
    "hessian": (ag.hessian(f), VECTORS),
    "jacobian": (ag.jacobian(lambda x: np.tanh(x) * x[0]), VECTORS),
    "jvp": (lambda x: ag.jvp(f, (x,), (x * 2,)), VECTORS),
    "vjp": (lambda x: ag.vjp(np.exp, x)[1](x), VECTORS),
    "two pullbacks": (lambda x: [ag.vjp(np.exp, x)[1](k * x) for k in (1, 2)], VECTORS),
    "where": (ag.grad(BELOW["where"]), VECTORS),
    "a mask": (BELOW["a mask"], VECTORS),
    "max": (ag.grad(lambda x: np.max(x) * 2 + x.min()), VECTORS),
    "sort": (ag.grad(BELOW["sort"]), VECTORS),
    "in place": (ag.grad(written), VECTORS),
    "an index": (ag.grad(lambda x: (x[np.argsort(x)[1:]] ** 2).sum()), VECTORS),
    "springs": (ag.value_and_grad(springs), VECTORS),
    "eliminated": (ag.value_and_grad(eliminated), VECTORS),
    "entropy": (ag.value_and_grad(entropy), VECTORS),
    "detach": (ag.grad(lambda x: (x * x.detach()).sum()), VECTORS),
    "checkpoint": (ag.grad(lambda x: ag.checkpoint(lambda z: np.sin(z) * z)(x).sum()), VECTORS),
    "a tree": (lambda t: {"sum": t["a"] + t["b"][0]}, [({"a": v[0], "b": [v[0] * 2]},) for v in VECTORS]),
    "closed over in a gradient": (ag.grad(penalty), MATRICES),
    "model": (DENSE, MATRICES),
    "model, by its input": (ag.grad(lambda x: DENSE(x).sum()), MATRICES),
    "no_grad inside": (no_grad_inside, VECTORS),
    "a number by where": (lambda x: ag.sigmoid(np.where(x > 0, x, 2 * x)), [(np.float64(0.5),), (np.float64(-0.3),)]),
    "a constant, transposed": (
        lambda x: ag.hvp(lambda x: (x.T * np.arange(12.0).reshape(4, 3)).sum() * x.sum())(x, x * 0 + 1),
        MATRICES,
    ),
    "constants": (lambda x: (x * 0 + 1, np.ones(3), ag.grad(lambda x: x.sum())(x)), VECTORS),
}
