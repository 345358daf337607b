"""Numbers as people read them: no digits that are noise, no 0 that is not zero."""

import numpy as np
import pytest

from autograd.viz.labels import columns
from autograd.viz.numbers import alike, number, spread


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([-0.3243, 0.4628, -0.2135, -1.0005], ["-0.3243", "0.4628", "-0.2135", "-1.0005"]),
        ([1.0, -2.0, 0.5], ["1.0", "-2.0", "0.5"]),
        ([0.0, 0.0152, 2e-9], ["0", "0.0152", "2e-09"]),
        ([1e-7, 2.2e-8, 0.0], ["1e-07", "2.2e-08", "0"]),
        ([1234567.0, 2.0], ["1.23e+06", "2"]),
        ([120.5, 3.25], ["120.50", "3.25"]),
        ([np.nan, 1.5, -np.inf], ["nan", "1.5", "-inf"]),
        ([True, False], ["1", "0"]),
    ],
)
def test_elements_have_equally_many_decimals(values, texts):
    assert alike(np.array(values)) == texts


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([-1.4e-17 - 0.5, 0.5], "0 ± 0.5"),
        ([0.004, 0.0352], "0.0196 ± 0.0156"),
        ([3e-7, -1e-7, 2e-7], "(1.33 ± 1.70)e-07"),
        ([2.5e7, 3.5e7], "(3.0 ± 0.5)e+07"),
        ([0.0, 0.0], "all 0"),
        ([1.0, np.inf, 1.0], "all 1, 1 not finite"),
        ([np.nan], "no finite value in 1"),
        ([1e300, 1.0], "5e+299 ± inf"),
    ],
)
def test_mean_and_deviation(values, text):
    assert spread(np.array(values)) == text


def test_scientific_form_has_no_empty_digits():
    assert [number(x) for x in (1e-4, 6.265e-5, 1e6)] == ["1e-04", "6.265e-05", "1e+06"]


def test_a_long_vector_goes_on_in_a_second_row():
    assert [len(row) for row in columns(np.linspace(1e-7, 2e-7, 9))] == [5, 4]
    assert len(columns(np.arange(9))) == 1
