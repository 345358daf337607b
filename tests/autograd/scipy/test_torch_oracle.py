"""SciPy's functions against PyTorch's: value, first and second derivative, where PyTorch has them."""

import numpy as np
import pytest

import autograd as ag

torch = pytest.importorskip("torch")
special = pytest.importorskip("autograd.scipy.special")
stats = pytest.importorskip("autograd.scipy.stats")
linalg = pytest.importorskip("autograd.scipy.linalg")
pytestmark = pytest.mark.torch

RNG = np.random.default_rng(3)
X, Y = RNG.uniform(0.3, 0.9, (3, 4)), RNG.uniform(0.5, 2, (3, 4))
MATRIX = RNG.uniform(-0.5, 0.5, (3, 3)) + 2 * np.eye(3)
D = torch.distributions

ONE = "digamma entr erf erfc erfcx erfinv expit exp2 expm1 gammaln i0 i0e i1 i1e log_ndtr logit ndtr ndtri sinc "
ONE += "xlogy xlog1py"
SPECIAL = {name: (getattr(special, name), getattr(torch.special, name)) for name in ONE.split()}
SPECIAL["multigammaln"] = (lambda x: special.multigammaln(x + 2, 3), lambda x: torch.special.multigammaln(x + 2, 3))
DENSITIES = {
    "norm": (lambda x, a: stats.norm.logpdf(x, a, a), lambda x, a: D.Normal(a, a).log_prob(x)),
    "gamma": (lambda x, a: stats.gamma.logpdf(x, a), lambda x, a: D.Gamma(a, torch.ones_like(a)).log_prob(x)),
    "beta": (lambda x, a: stats.beta.logpdf(x, a, 2 * a), lambda x, a: D.Beta(a, 2 * a).log_prob(x)),
    "t": (lambda x, a: stats.t.logpdf(x, a, 0.1, a), lambda x, a: D.StudentT(a, 0.1, a).log_prob(x)),
    "laplace": (lambda x, a: stats.laplace.logpdf(x, 0.1, a), lambda x, a: D.Laplace(0.1, a).log_prob(x)),
    "cauchy": (lambda x, a: stats.cauchy.logpdf(x, a, a), lambda x, a: D.Cauchy(a, a).log_prob(x)),
    "gumbel_r": (lambda x, a: stats.gumbel_r.logpdf(x, a, a), lambda x, a: D.Gumbel(a, a).log_prob(x)),
    "lognorm": (lambda x, a: stats.lognorm.logpdf(x, a), lambda x, a: D.LogNormal(0.0, a).log_prob(x)),
    "pareto": (lambda x, a: stats.pareto.logpdf(x + 1, a), lambda x, a: D.Pareto(1.0, a).log_prob(x + 1)),
    "the cdf of norm": (lambda x, a: stats.norm.cdf(x, a, a), lambda x, a: D.Normal(a, a).cdf(x)),
}
COUNTS = {
    "poisson": (
        lambda a: stats.poisson.logpmf(3, a),
        lambda a: D.Poisson(a).log_prob(torch.tensor(3.0, dtype=torch.float64)),
    ),
    "geom": (
        lambda a: stats.geom.logpmf(4, a / 3),
        lambda a: D.Geometric(a / 3).log_prob(torch.tensor(3.0, dtype=torch.float64)),
    ),
    "binom": (
        lambda a: stats.binom.logpmf(2, 5, a / 3),
        lambda a: D.Binomial(5, a / 3).log_prob(torch.tensor(2.0, dtype=torch.float64)),
    ),
}
MATRICES = {
    "expm": (linalg.expm, torch.linalg.matrix_exp),
    "solve_triangular": (
        lambda a: linalg.solve_triangular(a, MATRIX),
        lambda a: torch.linalg.solve_triangular(a, torch.from_numpy(MATRIX), upper=True),
    ),
}
ROWS = [(name, *row, [X, Y][: 1 + (name in ("xlogy", "xlog1py"))]) for name, row in SPECIAL.items()]
ROWS += [(name, *row, [X, Y]) for name, row in DENSITIES.items()]
ROWS += [(name, *row, [Y]) for name, row in COUNTS.items()] + [(name, *row, [MATRIX]) for name, row in MATRICES.items()]


@pytest.mark.parametrize(("ours", "theirs", "args"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_value_and_derivatives(ours, theirs, args):
    def slopes(*args):
        shares = ag.grad(lambda *args: (ours(*args) ** 2).sum(), tuple(range(len(args))))(*args)
        return sum((np.sin(share) * share).sum() for share in shares)

    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in args]
    y = theirs(*leaves)
    np.testing.assert_allclose(ours(*args), y.detach().numpy(), rtol=1e-10, atol=1e-13)
    first = torch.autograd.grad((y**2).sum(), leaves, create_graph=True)
    for found, expected in zip(
        ag.grad(lambda *a: (ours(*a) ** 2).sum(), tuple(range(len(args))))(*args), first, strict=True
    ):
        np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-8, atol=1e-10)
    try:
        second = torch.autograd.grad(sum((torch.sin(share) * share).sum() for share in first), leaves)
    except (RuntimeError, NotImplementedError) as error:
        pytest.skip(f"PyTorch has no second derivative: {error}"[:80])
    for found, expected in zip(ag.grad(slopes, tuple(range(len(args))))(*args), second, strict=True):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-7, atol=1e-8)
