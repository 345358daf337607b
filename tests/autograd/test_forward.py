"""Forward mode: every op against two reverse passes and finite differences, nesting, and what no op has made."""

import numpy as np
import pytest

from tests.autograd import pushed
from tests.autograd.laws.fused import WITH_DEFINITION
from tests.autograd.laws.fused import samples as fused_samples
from tests.autograd.rows import COMPLEX, MIXED, ROWS, made_complex, samples

# ------------------------------------------------------------------------------------------------------- every op


@pytest.mark.parametrize("name", ROWS)
def test_every_op(name):
    for args, kwargs in samples(name):
        f, floats = pushed.of_floats(ROWS[name], args, kwargs, 1 if name == "quantile" else None)
        if floats:
            pushed.hold(f, floats)


@pytest.mark.parametrize("name", [name for name in COMPLEX if name not in {*MIXED, "astype"}])
def test_every_op_of_complex_numbers(name):
    for args, kwargs in samples(name):
        f, floats = pushed.of_floats(ROWS[name], made_complex(args), kwargs, 1 if name == "quantile" else None)
        if floats:
            pushed.hold(f, floats, smooth=False, rtol=1e-8)


@pytest.mark.parametrize("name", [name for name in WITH_DEFINITION if name not in ROWS])
def test_every_fused_op(name):
    rng = np.random.default_rng(7)
    for args, kwargs in list(fused_samples(WITH_DEFINITION[name], rng))[:2]:
        f, floats = pushed.of_floats(WITH_DEFINITION[name], args, kwargs)
        pushed.hold(f, floats)
