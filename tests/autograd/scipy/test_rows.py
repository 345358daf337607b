"""Every row of ``autograd.scipy`` obeys what the engine's own rows obey: dtypes, shapes, memory order, broadcasting."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import GradientError
from tests.autograd.rows import arrays, backward, draw, ranges_of, redeclared

pytest.importorskip("scipy")
ours = pytest.importorskip("autograd.scipy")
registry = pytest.importorskip("tests.autograd.test_registry")
mutants = pytest.importorskip("tests.autograd.test_mutants")
table = pytest.importorskip("tests.autograd.scipy.table")
for module in ours.__all__:
    getattr(ours, module)
ROWS = {f"{module}.{name}": row for module in ours.__all__ for name, row in table.rows(module).items()}
OPS = {name: row for name, row in ROWS.items() if hasattr(row, "op")}
ELEMENTWISE = [name for name, row in OPS.items() if row.op.elementwise and not callable(row.op.domain)]
CONSTANT = {name for name, row in OPS.items() if row.op.rules and len(row.op.rules) < len(row.op.inputs)}
every = pytest.mark.parametrize("name", ROWS)
elementwise = pytest.mark.parametrize("name", ELEMENTWISE)


def samples(name, dtype=float):
    """Give the inputs on which a row is tested, its arrays in ``dtype``."""
    for args, kwargs in table.samples(ROWS[name]):
        with np.errstate(divide="ignore"):
            if not all(np.isfinite(part).all() for part in arrays(ROWS[name](*args, **kwargs))):
                continue  # the logarithm of a probability of 0
        yield [x.astype(dtype) if isinstance(x, np.ndarray) else x for x in args], kwargs


def is_vonmises(name):
    """Tell whether a row wants its second input, a parameter without a rule, as a constant."""
    return name.startswith("stats.vonmises.") and name != "stats.vonmises.logpdf"


@every
def test_value_is_that_of_plain_arrays(name):
    for args, kwargs in samples(name):
        plain, y = ROWS[name](*args, **kwargs), ROWS[name](*table.leaves_of(args)[0], **kwargs)
        for a, b in zip(arrays(y), arrays(plain), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


# SciPy's functions of integers and numbers have no loop for float32; what is made of them computes in float64, too.
IN_FLOAT64 = ("yn", "kn", "struve", "modstruve", "hyp2f1", "ellip", "eval_", "expn", "agm", "inv_boxcox", "genextreme")
IN_FLOAT64 += ("genpareto", "maxwell", "t.cdf_by_df", "gammainc_by", "betainc_by")


@every
def test_float32_stays_float32(name):
    """Also inside: no rule computes in float64 and is cast back by the engine."""
    wide = name.partition(".")[2].startswith(IN_FLOAT64)
    for args, kwargs in samples(name, np.float32):
        inputs, leaves = table.leaves_of(args)
        if is_vonmises(name):
            inputs, leaves = [inputs[0], *args[1:]], leaves[:1]
        y = ROWS[name](*inputs, **kwargs)
        assert wide or all(part.dtype == np.float32 for part in arrays(y) if part.dtype.kind == "f")
        cast = registry.widened(lambda y=y: backward(y))
        assert [leaf.grad.dtype for leaf in leaves] == [np.float32] * len(leaves)
        assert wide or not cast


@every
def test_strided_input_is_like_contiguous(name):
    for args, kwargs in samples(name):
        found = []
        for change in (np.ascontiguousarray, registry.strided):
            changed = [change(x) if isinstance(x, np.ndarray) and x.ndim else x for x in args]
            leaf = ag.Tensor(changed[-1] if isinstance(changed[-1], np.ndarray) else changed[0], requires_grad=True)
            place = len(changed) - 1 if isinstance(changed[-1], np.ndarray) else 0
            leaf.data = changed[place]
            y = ROWS[name](*changed[:place], leaf, *changed[place + 1 :], **kwargs)
            if is_vonmises(name):
                found.append(arrays(y))
                continue
            backward(y)
            found.append([*arrays(y), leaf.grad.data])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@every
def test_compiled_it_is_the_same(name):
    """With its gradient; the series beneath the incomplete gamma and beta functions read how far they have to go."""
    args, kwargs = next(samples(name))
    at = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)][: 1 if is_vonmises(name) else None]

    def f(*varied):
        filled = dict(enumerate(args)) | dict(zip(at, varied, strict=True))
        y = ROWS[name](*filled.values(), **kwargs)
        return sum((part * part).sum() for part in (y if isinstance(y, tuple) else (y,)) if part.dtype.kind == "f")

    both = ag.value_and_grad(f, tuple(range(len(at))))
    expected = both(*[args[i] for i in at])
    compiled = ag.compile(both)
    if name.startswith("special.") and "_by_" in name:
        with pytest.warns(RuntimeWarning, match=r"runs uncompiled: the gradient of .* reads numbers\."):
            compiled(*[args[i] for i in at])
    for _ in range(2):
        found = compiled(*[args[i] for i in at])
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
        for a, b in zip(found[1], expected[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


SHAPES = {1: [[(3,)], [()], [(1,)]], 2: [[(2, 3), (3,)], [(2, 1), (1, 3)], [(), (2,)], [(2,), ()], [(), ()]]}
SHAPES[3] = [[(2, 1), (1, 3), ()], [(), (), (2,)], [(2,), (1,), (3, 1)]]
EMPTY = {1: [[(0,)]], 2: [[(0, 3), (3,)], [(2, 0), (1,)], [(), (0, 2)]], 3: [[(0,), (), (1,)]]}


@elementwise
def test_elementwise_broadcasts(name):
    """Also down to 0-d inputs; gradients come back in the shapes of the inputs."""
    row, rng = ROWS[name], np.random.default_rng(3)
    for shapes in SHAPES[len(ranges_of(row))]:
        args = draw(row, shapes, rng)
        fixed = {1: args[1]} if name in CONSTANT or is_vonmises(name) else {}
        given = [x for i, x in enumerate(args) if i not in fixed]

        def f(*given, row=row, fixed=fixed):
            return row(*given, *fixed.values())

        parts = arrays(f(*given))
        assert {part.shape for part in parts} == {np.broadcast_shapes(*shapes)}
        ag.check_grads(f, *given, order=1)


@elementwise
def test_elementwise_on_empty_arrays(name):
    row, rng = ROWS[name], np.random.default_rng(3)
    for shapes in EMPTY[len(ranges_of(row))]:
        leaves = [ag.Tensor(x, requires_grad=True) for x in draw(row, shapes, rng)]
        if is_vonmises(name):
            leaves = [leaves[0], leaves[1].detach()]
        y = row(*leaves)
        parts = y if isinstance(y, tuple) else (y,)
        assert {part.shape for part in parts} == {np.broadcast_shapes(*shapes)}
        sum(part.sum() for part in parts).backward()
        for leaf in leaves:
            np.testing.assert_array_equal(leaf.grad.data if leaf.grad is not None else 0, np.zeros(leaf.shape))


RULES = [(name, label) for name, row in OPS.items() for label in mutants.rules_of(row.op) if row.op.definition is None]


@pytest.mark.parametrize(("name", "label"), RULES, ids=str)
def test_a_wrong_rule_is_rejected(name, label):
    op = OPS[name].op
    for kind in ("times 1.001", "detached"):
        mutant = redeclared(op, mutants.MUTATIONS[kind], None if label == "all inputs" else label)
        with pytest.raises(GradientError):
            check(name, mutant)


def check(name, mutant):
    if not is_vonmises(name):
        table.check_row(mutant)
        return
    (x, kappa), _ = next(table.samples(mutant))
    ag.check_grads(lambda x: mutant(x, kappa), x)
