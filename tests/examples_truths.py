"""What the programs of ``docs/examples`` must print, by ways that do not use this project: the oracle of their test.

A row gives the numbers in the order in which they are printed, and how far off they may be: for each, or for all.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import integrate, optimize, signal, stats

Truth = tuple[list[float], Any]
TRUTHS: dict[str, Callable[[Any], Truth]] = {}  # called with the module, of which they read data and settings


def truth(f: Callable[[Any], Truth]) -> Callable[[Any], Truth]:
    TRUTHS[f.__name__] = f
    return f


def minimum(f: Callable[..., Any], start: Any) -> Any:
    """Search without derivatives."""
    return optimize.minimize(f, start, method="Nelder-Mead", options=dict(xatol=1e-9, fatol=1e-11, maxiter=4000))


# ----------------------------------------------------------------------------------------------------------- statistics


@truth
def gaussian_process(program):
    x, y = program.data()

    def loss(p):
        K = np.exp(2 * p[0] - (x[:, None] - x) ** 2 / (2 * np.exp(2 * p[1]))) + np.exp(2 * p[2]) * np.eye(len(x))
        return -stats.multivariate_normal.logpdf(y, cov=K)

    found = minimum(loss, [0.0, 0.0, -1.0])
    return [-found.fun, *np.exp(found.x[1:])], 1e-3


@truth
def black_scholes(program):
    """The formulas of the textbooks."""
    S, K, T, r, v = 100.0, 110.0, 0.5, 0.03, 0.25
    d1 = (math.log(S / K) + (r + v * v / 2) * T) / (v * math.sqrt(T))
    d2, density = d1 - v * math.sqrt(T), stats.norm.pdf(d1)
    gamma, vega = density / (S * v * math.sqrt(T)), S * density * math.sqrt(T)
    price = S * stats.norm.cdf(d1) - K * math.exp(-r * T) * stats.norm.cdf(d2)
    speed, zomma = -gamma / S * (d1 / (v * math.sqrt(T)) + 1), gamma * (d1 * d2 - 1) / v
    ultima = -vega / v**2 * (d1 * d2 * (1 - d1 * d2) + d1**2 + d2**2)
    return [price, stats.norm.cdf(d1), vega, gamma, -density * d2 / v, speed, zomma, ultima], 1e-6


@truth
def kalman_filter(program):
    """Durbin and Koopman (2012), section 2.10.3; the likelihood as that of one normal vector of differences."""
    y, weather, climate = np.array(program.NILE.split(), float), 15099.0, 1469.1
    n = np.arange(1, len(y))
    covariance = climate * np.minimum(n[:, None], n) + weather * (np.eye(len(n)) + 1)
    return [weather, climate, stats.multivariate_normal.logpdf(y[1:] - y[0], cov=covariance)], [1, 0.5, 1e-2]


@truth
def logistic_newton(program):
    """Iteratively reweighted least squares."""
    (x, y), w, steps, size = program.data(), np.zeros(3), 0, 1.0
    while size > 1e-10:
        p = 1 / (1 + np.exp(-x @ w))
        step = np.linalg.solve(x.T @ ((p * (1 - p))[:, None] * x), x.T @ ((y + 1) / 2 - p))
        w, steps, size = w + step, steps + 1, np.linalg.norm(step)
    return [*w, np.log1p(np.exp(-y * (x @ w))).sum(), steps], 1e-6


@truth
def hmc(program):
    """x₀ ~ N(0, 1), x₁ ~ N(x₀², 1): its mean is E x₀² = 1, its variance 1 + Var x₀² = 3."""
    return [0.0, 1.0, 1.0, 3.0], [0.05, 0.1, 0.1, 0.4]


@truth
def mixture_of_gaussians(program):
    """EM, from the same start."""
    x, w, means, covariances = (
        program.data(),
        np.full(3, 1 / 3),
        program.data()[[0, 50, 100]],
        np.tile(np.eye(2), (3, 1, 1)),
    )
    for _ in range(300):
        parts = np.stack([w[k] * stats.multivariate_normal.pdf(x, means[k], covariances[k]) for k in range(3)])
        share = parts / parts.sum(0)
        w, means = share.mean(1), (share @ x) / share.sum(1)[:, None]
        apart = x - means[:, None]
        covariances = np.einsum("kn,kni,knj->kij", share, apart, apart) / share.sum(1)[:, None, None]
    return [np.log(parts.sum(0)).sum(), *np.sort(w)], 1e-3


@truth
def natural_gradient(program):
    shape, _, scale = stats.gamma.fit(program.data(), floc=0)
    return [shape, 1 / scale], 1e-4


@truth
def laplace_approximation(program):
    def loss(w):
        logs = stats.poisson.logpmf(program.COUNTS, np.exp(w[0] + w[1] * program.YEARS))
        return -logs.sum() - stats.norm.logpdf(w, 0, 2).sum()

    found, X = minimum(loss, [1.0, 1.0]), np.column_stack([np.ones(12), program.YEARS])
    curvature = X.T @ (np.exp(X @ found.x)[:, None] * X) + np.eye(2) / 4
    value = -found.fun + np.log(2 * np.pi) - np.log(np.linalg.det(curvature)) / 2
    exact, _ = integrate.dblquad(lambda b, a: np.exp(found.fun - loss([a, b])), 0.5, 3, -1, 3, epsabs=1e-4)
    assert abs(np.log(exact) - found.fun - value) < 0.02  # of what is approximated
    return [value, found.x[1], np.sqrt(np.linalg.inv(curvature)[1, 1])], 1e-3


@truth
def kernel_regression(program):
    """Fit without each point in turn."""
    x, y = program.data()

    def loss(p):
        K = np.exp(-abs(x[:, None] - x) / np.exp(p[0]))
        errors = []
        for i in range(len(x)):
            rest = np.arange(len(x)) != i
            alpha = np.linalg.solve(K[np.ix_(rest, rest)] + np.exp(p[1]) * np.eye(rest.sum()), y[rest])
            errors.append(y[i] - K[i, rest] @ alpha)
        return np.square(errors).mean()

    found = optimize.minimize(loss, np.log([0.1, 0.1]), method="Nelder-Mead")
    return [found.fun, np.exp(found.x[1] - found.x[0])], [1e-5, 1e-2]


@truth
def variational_inference(program):
    """The posterior of a linear model with normal noise is normal."""
    x, y = program.data()
    covariance = np.linalg.inv(x @ x.T / 0.25 + np.eye(2))
    evidence = stats.multivariate_normal.logpdf(y, cov=0.25 * np.eye(len(y)) + x.T @ x)
    return [(covariance @ x @ y / 0.25)[1], np.sqrt(covariance[1, 1]), evidence], 1e-3


# ------------------------------------------------------------------------------------------- mechanics, signals, fields


@truth
def inverse_kinematics(program):
    """The law of cosines for the two links before the hand."""
    (a, b, c), (x, y, direction) = program.LENGTHS, program.TARGET
    x, y = x - c * math.cos(direction), y - c * math.sin(direction)
    elbow = math.acos((x * x + y * y - a * a - b * b) / (2 * a * b))
    shoulder = math.atan2(y, x) - math.atan2(b * math.sin(elbow), a + b * math.cos(elbow))
    return [shoulder, elbow, direction - shoulder - elbow, 0.0], 1e-6


@truth
def beam(program):
    """A uniform beam gives 1/3; else hᵢ ∝ cᵢ^¼, with cᵢ the integral of the squared moment over an element."""
    ends = np.linspace(1, 0, program.N + 1)
    c = np.array([(a**3 - b**3) / 3 for a, b in pairwise(ends)])
    h = c**0.25 / np.mean(c**0.25)
    return [1 / 3, (c / h**3).sum(), h[0]], [1e-6, 1e-4, 1e-2]


@truth
def optimal_control(program):
    """Pontryagin's conditions as a boundary value problem: λ₁′ = λ₂ cos θ, λ₂′ = −λ₁, u = −λ₂."""

    def motion(t, s):
        return np.stack([s[1], -np.sin(s[0]) - s[3], s[3] * np.cos(s[0]), -s[2]])

    t = np.linspace(0, program.TIME, 60)
    guess = np.stack([np.pi * t / 4, np.ones_like(t), np.zeros_like(t), -np.ones_like(t)])
    found = integrate.solve_bvp(motion, lambda a, b: np.array([*a[:2], b[0] - np.pi, b[1]]), t, guess, tol=1e-8)
    fine = np.linspace(0, program.TIME, 2001)
    return [integrate.simpson(found.sol(fine)[3] ** 2 / 2, x=fine), np.pi, 0.0], [2e-3, 1e-5, 1e-5]


@truth
def quantum_control(program):
    """Schrödinger's equation, solved for both states at the start; and a gate that is reached."""

    def motion(t, u):
        k = min(int(t / program.TIME * program.STEPS), program.STEPS - 1)
        return (-1j * (program.Z + pulse[k] * program.X) @ u.reshape(2, 2)).ravel()

    pulse, u = np.sin(np.linspace(0, 3, program.STEPS)), np.eye(2, dtype=complex).ravel()
    for a, b in pairwise(np.linspace(0, program.TIME, program.STEPS + 1)):
        middle = (a + b) / 2
        u = integrate.solve_ivp(lambda t, u, at=middle: motion(at, u), (a, b), u, rtol=1e-10, atol=1e-10).y[:, -1]
    return [1 - abs(u[1] + u[2]) ** 2 / 4, 0.0], 1e-7


@truth
def lyapunov(program):
    """0.9056 is Sprott's, *Chaos and Time-Series Analysis* (2003); the sum is the trace of the Jacobian."""
    return [0.9056, -(program.SIGMA + 1 + program.BETA)], [0.03, 0.005]


@truth
def deconvolution(program):
    """One linear system for all pixels."""
    image, kernel, blurred = program.data()
    n = image.size
    units = np.eye(n).reshape(n, *image.shape)
    A = np.stack([signal.convolve2d(unit, kernel, mode="valid").ravel() for unit in units], axis=1)
    D = np.concatenate([np.diff(units, axis=1).reshape(n, -1), np.diff(units, axis=2).reshape(n, -1)], axis=1).T
    x = np.linalg.solve(A.T @ A + program.PENALTY * D.T @ D, A.T @ blurred.ravel())
    loss = ((A @ x - blurred.ravel()) ** 2).sum() / 2 + program.PENALTY / 2 * ((D @ x) ** 2).sum()
    return [loss, np.linalg.norm(x - image.ravel()) / np.linalg.norm(image)], [1e-5, 2e-3]


@truth
def phase_retrieval(program):
    return [1.0, 0.0], 1e-5


@truth
def fluid(program):
    """Finite differences of the simulation, which runs on arrays; and all smoke where it should be."""
    start = 0.05 * np.random.default_rng(0).normal(size=(2, program.N, program.N))
    slope = (program.loss(start * (1 + 1e-6)) - program.loss(start * (1 - 1e-6))) / 2e-6
    return [slope, 0.0], [1e-6, 0.02]


@truth
def neural_ode(program):
    """Where the law that made the data ends."""
    end = integrate.solve_ivp(lambda t, y: program.TRUE @ y**3, (0, 4), program.START, rtol=1e-9, atol=1e-9).y[:, -1]
    return list(end), 0.05


@truth
def pinn(program):
    return [-1.0, math.sqrt(0.5), 1.0], 1e-3


# ------------------------------------------------------------------------------------------------------------- learning


@truth
def implicit_layer(program):
    """The same descent with the theorem's formula, written out."""
    rng, (x, y) = np.random.default_rng(0), program.data()
    W, U, b = 0.1 * rng.normal(size=(6, 6)), 0.5 * rng.normal(size=(6, 5)), np.zeros(6)
    out = rng.normal(size=6)
    for _ in range(60):
        z = solved(W, x @ U.T + b)
        weight = -y / (1 + np.exp(y * (z @ out))) / len(x)
        loss, D = np.logaddexp(0, -y * (z @ out)).mean(), 1 - z**2
        u = np.stack(
            [np.linalg.solve((np.eye(6) - d[:, None] * W).T, w * out) * d for w, d in zip(weight, D, strict=True)]
        )
        W, U, b, out = W - 0.5 * u.T @ z, U - 0.5 * u.T @ x, b - 0.5 * u.sum(0), out - 0.5 * weight @ z
    return [loss, u.sum(0)[0], 32], [1e-6, 1e-7, 0]


def solved(W, x):
    z = np.zeros((len(x), 6))
    for _ in range(500):
        z = np.tanh(z @ W.T + x)
    return z


@truth
def ntk(program):
    """2, 1/π and 0: the kernel of the limit at three angles."""
    return [2.0, 1 / np.pi, 0.0], 0.03


@truth
def per_sample_clipping(program):
    """Back-propagation by hand, for all samples at once."""
    (W, b, v), x, y = program.data()
    hidden = np.tanh(x @ W.T + b)
    outer = -y / (1 + np.exp(y * (hidden @ v)))
    inner = outer[:, None] * v * (1 - hidden**2)
    rows = np.hstack([(inner[:, :, None] * x[:, None]).reshape(len(x), -1), inner, outer[:, None] * hidden])
    sizes = np.linalg.norm(rows, axis=1)
    total = np.linalg.norm((rows * np.minimum(1, program.MOST / sizes)[:, None]).sum(0))
    return [sizes.max(), (sizes > program.MOST).sum(), total], 1e-6


@truth
def maml(program):
    """What PyTorch 2.13 gives in float64, by ``maml_in_torch``."""
    return [0.618221, 0.283966], 5e-4


def maml_in_torch(program):
    """Run the same program with ``torch.autograd.grad`` and ``torch.optim.Adam``."""
    import torch

    def loss(p, x, y):
        return ((torch.tanh(torch.tanh(x[:, None] * p[0] + p[1]) @ p[2] + p[3]) @ p[4] - y) ** 2).mean()

    def loss_after_a_step(p, task):
        seen, new = [[torch.from_numpy(a) for a in half] for half in task]
        slope = torch.autograd.grad(loss(p, *seen), p, create_graph=True)
        return loss(p, *new), loss([a - 0.05 * b for a, b in zip(p, slope, strict=True)], *new)

    rng = np.random.default_rng(0)
    shapes = [(16,), (16,), (16, 16), (16,), (16,)]
    p = [torch.tensor(rng.normal(size=s) / np.sqrt(s[0] if len(s) > 1 else 1), requires_grad=True) for s in shapes]
    optimizer = torch.optim.Adam(p, lr=0.01)
    for _ in range(500):
        optimizer.zero_grad()
        for task in program.waves(rng, 4):
            loss_after_a_step(p, task)[1].backward()
        optimizer.step()
    found = [[loss.item() for loss in loss_after_a_step(p, task)] for task in program.waves(rng, 50)]
    return np.mean(found, axis=0)


@truth
def wgan_gp(program):
    """Of ±2 with deviation ½: E|x| = 2, E x² = 4¼."""
    return [2.0, 4.25, 0.0], [0.1, 0.3, 0.2]


@truth
def sharpness(program):
    """The gradient by hand, and the Hessian of that by finite differences."""
    w, x, y = program.data()

    def gradient(w):
        W, b, v = w[:10], w[10:20], w[20:]
        hidden = np.tanh(x[:, None] * W + b)
        miss = (hidden @ v - y) / len(x)
        inner = miss[:, None] * v * (1 - hidden**2)
        return np.concatenate([x @ inner, inner.sum(0), miss @ hidden])

    for _ in range(501):
        at = w
        w = w - 0.2 * gradient(w)
    H = np.stack([(gradient(at + e) - gradient(at - e)) / 2e-5 for e in 1e-5 * np.eye(30)])
    return list(np.linalg.eigvalsh((H + H.T) / 2)[::-1][:3]), 1e-5


@truth
def transformer(program):
    """The entropy of the language, by the chain of its pairs of letters."""
    p, n = program.chances(), program.LETTERS
    chain = np.zeros((n, n, n, n))
    for a, b in np.ndindex(n, n):
        chain[a, b, b] = p[a, b]
    pairs = np.full(n * n, 1 / n**2)
    for _ in range(1000):
        pairs = pairs @ chain.reshape(n * n, n * n)
    return [-(pairs @ (p * np.log(p)).sum(-1).ravel())], 0.07


@truth
def double_backward(program):
    return [math.cosh(1.5), math.sinh(1.5), math.cosh(1.5)], 1e-6
