"""Transforms against what they replace: a program of its own, ``python -m benchmarks.transforms``.

A Jacobian by columns beside so many evaluations, a Hessian beside ``torch.func.hessian`` (where PyTorch is there), and
gradients of each example beside a loop. Times are the best of interleaved rounds, in one process, on one thread.
"""

import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

import autograd as ag
import nn

Run = Callable[[], Any]


def best(runs: dict[str, Run], rounds: int = 7) -> dict[str, float]:
    """Time each run once a round, after one to warm up; return the best of each, in milliseconds."""
    found = dict.fromkeys(runs, float("inf"))
    for k in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            found[name] = min(found[name], time.perf_counter() - start if k else float("inf"))
    return {name: 1e3 * seconds for name, seconds in found.items()}


def field(z: Any, k: Any) -> Any:
    """Give the velocity of a Duffing oscillator."""
    return np.stack([z[1], -k[0] * z[0] - k[1] * z[1] - k[2] * z[0] ** 3 + k[3] * np.cos(z[0])])


def orbit(k: Any, steps: int = 61, h: float = 0.05) -> Any:
    """Integrate it by Runge and Kutta's method: 122 numbers from four."""
    z, found = np.array([1.0, 0.0]) * (1 + 0 * k[0]), []
    for _ in range(steps):
        a = field(z, k)
        b = field(z + h / 2 * a, k)
        c = field(z + h / 2 * b, k)
        z = z + h / 6 * (a + 2 * b + 2 * c + field(z + h * c, k))
        found.append(z)
    return np.concatenate(found)


def jacobian_of_an_orbit() -> dict[str, float]:
    """Time 122 × 4 derivatives beside four evaluations, recorded and on arrays."""
    k = np.array([1.0, 0.1, 0.3, 0.2])
    leaf = ag.Tensor(k, requires_grad=True)
    return best(
        {
            "jacobian 122×4": lambda: ag.jacobian(orbit)(k),
            "four evaluations of Tensors": lambda: [orbit(leaf) for _ in range(4)],
            "four evaluations of arrays": lambda: [orbit(k) for _ in range(4)],
            "four of its rows, by vjp": lambda: [ag.vjp(orbit, k)[1](np.eye(122)[i]) for i in range(4)],
        }
    )


def _functions(xp: Any, matrix: Any, log_sum_exp: Any, solve: Any) -> dict[str, Run]:
    """List functions of 100 numbers, in the words of NumPy and of PyTorch."""

    def rosenbrock(x: Any) -> Any:
        return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def logistic(x: Any) -> Any:
        return xp.sum(xp.log(1 + xp.exp(-(matrix @ x)))) + 0.01 * xp.sum(x * x)

    def network(x: Any) -> Any:
        return xp.sum((matrix[:10] @ xp.tanh(matrix @ x) - 1) ** 2)

    def mixed(x: Any) -> Any:
        return xp.sum(xp.tanh(matrix @ x) ** 2) + xp.sum(xp.sin(x) * x) + xp.log(1 + (x * x).sum())

    return {
        "mixed": mixed,
        "Rosenbrock": rosenbrock,
        "logistic regression": logistic,
        "a network": network,
        "log-sum-exp": lambda x: log_sum_exp(matrix @ x),
        "the largest, and a norm": lambda x: x.max() ** 2 + xp.linalg.norm(x),
        "a solution": lambda x: xp.sum(solve(x.reshape(10, 10)) ** 2),
    }


def hessian_of_a_hundred() -> dict[str, float]:
    """Time Hessians of functions of 100 numbers, plain and compiled, beside PyTorch's."""
    rng = np.random.default_rng(0)
    matrix, x = rng.normal(size=(100, 100)) / 10, rng.normal(size=100)
    ours = _functions(
        np,
        matrix,
        lambda z: np.log(np.sum(np.exp(z - np.max(z)))) + np.max(z),
        lambda a: np.linalg.solve(a + 9 * np.eye(10), np.ones(10)),
    )
    found: dict[str, float] = {}
    for name, f in ours.items():
        plain, compiled = ag.hessian(f), ag.compile(ag.hessian(f))
        runs: dict[str, Run] = {
            name: lambda plain=plain: plain(x),
            f"{name}, compiled": lambda compiled=compiled: compiled(x),
        }
        if find_spec("torch"):
            torch: Any = import_module("torch")
            torch.set_num_threads(1)
            eye, given = 9 * torch.eye(10, dtype=torch.float64), torch.tensor(x)
            same = torch.func.hessian(
                _functions(
                    torch,
                    torch.tensor(matrix),
                    lambda z, torch=torch: torch.logsumexp(z, 0),
                    lambda a, torch=torch, eye=eye: torch.linalg.solve(a + eye, torch.ones(10, dtype=torch.float64)),
                )[name]
            )
            np.testing.assert_allclose(plain(x), same(given).numpy(), atol=1e-7)
            runs[f"{name}, torch.func.hessian"] = lambda same=same, given=given: same(given)
        found |= best(runs)
    return found


def gradients_of_each_example() -> dict[str, float]:
    """Time the gradients of 256 examples of a small network beside a loop, and beside the gradient of their sum."""
    model = nn.MLP(10, [50, 50, 1], rng=0)
    params = {name: p.numpy() for name, p in model.named_parameters()}
    x = np.random.default_rng(0).normal(size=(256, 10)).astype(np.float32)

    def loss(params: Any, x: Any) -> Any:
        return (nn.functional_call(model, params, x) ** 2).sum()

    each, whole = ag.vmap(ag.grad(loss), in_axes=(None, 0)), ag.grad(loss)
    compiled = ag.compile(each)
    return best(
        {
            "vmap(grad)": lambda: each(params, x),
            "vmap(grad), compiled": lambda: compiled(params, x),
            "a loop of grad": lambda: [whole(params, row) for row in x],
            "grad of the sum": lambda: whole(params, x),
        },
        rounds=3,
    )


def main() -> None:
    """Print a table for each."""
    for measure in (jacobian_of_an_orbit, hessian_of_a_hundred, gradients_of_each_example):
        found = measure()
        first = next(iter(found.values()))
        print(f"\n| {measure.__name__.replace('_', ' ')} | ms | ratio |\n|---|---|---|")
        for name, ms in found.items():
            print(f"| {name} | {ms:.2f} | {ms / first:.2f} |")


if __name__ == "__main__":
    main()
