"""Random programs with every kind of op that a picture treats apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
from graphs import leaf

import autograd as ag
import nn

Pool = list[Any]
SHAPES = ((), (1,), (3,), (2, 3), (3, 2), (1, 1), (4, 1), (10, 9), (0,))


def _same(pool: Pool, rng: np.random.Generator, shape: Any = None) -> tuple[Any, Any]:
    """Pick a value and another of its shape (it may be the same)."""
    a = pool[rng.integers(len(pool))] if shape is None else shape
    alike = [t for t in pool if t.shape == a.shape]
    return a, alike[rng.integers(len(alike))]


def _plain(f: Callable[[Any], Any]) -> Callable[[Pool, np.random.Generator], Any]:
    return lambda pool, rng: f(pool[rng.integers(len(pool))])


def _pair(f: Callable[[Any, Any], Any]) -> Callable[[Pool, np.random.Generator], Any]:
    return lambda pool, rng: f(*_same(pool, rng))


def _halves(x: Any) -> Any:
    return np.split(x, x.shape[0])[0] if x.ndim and x.shape[0] else x * 1.0


def _dense(x: Any, rng: np.random.Generator) -> Any:
    return nn.Linear(x.shape[-1], 2, rng=int(rng.integers(9)), dtype=np.float64)(x) if x.ndim and x.shape[-1] else x + 1


def _scoped(x: Any) -> Any:
    with ag.scope("block.\x1b0", "Block"):
        return np.tanh(x) * 0.5


MAKERS: tuple[Callable[[Pool, np.random.Generator], Any], ...] = (
    _pair(lambda a, b: a * b),
    _pair(lambda a, b: a + b),
    _pair(lambda a, b: np.where(np.asarray(a.numpy()) > 0, a, b)),
    _pair(lambda a, b: np.maximum(a, b)),
    _pair(lambda a, b: np.stack([a, b])[0]),
    _plain(np.tanh),
    _plain(ag.relu),
    _plain(lambda x: np.log(x)),
    _plain(lambda x: x.sum()),
    _plain(lambda x: x.reshape(-1)[::-1]),
    _plain(lambda x: x.T),
    _plain(lambda x: x.sum(keepdims=True)),
    _plain(lambda x: np.clip(x, -0.1, 0.1)),
    _plain(lambda x: x.reshape(-1)[np.zeros(70, int)].sum() if x.size else x * 2.0),
    _plain(_halves),
    _plain(_scoped),
    _plain(lambda x: x.detach() * 2.0 + x),
    _plain(lambda x: ag.softmax(x, -1) if x.ndim and x.size else x / 2.0),
    lambda pool, rng: _dense(pool[rng.integers(len(pool))], rng),
)


def random_graph(seed: int) -> tuple[Any, list[Any], dict[str, Any]]:
    """Make a graph of 3 to 30 ops: its scalar result, all values in it, and names, some of which are foul."""
    rng = np.random.default_rng(seed)
    pool: Pool = [
        leaf(rng.normal(size=SHAPES[k]), ("x", None, 'a"\x1b[31m\n<b>', "日本")[k % 4])
        for k in rng.permutation(len(SHAPES))[:4]
    ]
    pool.append(ag.Tensor(rng.normal(size=(2, 3))))
    for _ in range(rng.integers(3, 30)):
        with np.errstate(all="ignore"):
            made = MAKERS[rng.integers(len(MAKERS))](pool, rng)
        pool.append(made)
    with np.errstate(all="ignore"):
        root = sum((t.sum() for t in pool[-4:]), leaf(0.0, "start"))
    return root, pool, {f"t{k}": t for k, t in enumerate(pool) if k % 3 == 0}
