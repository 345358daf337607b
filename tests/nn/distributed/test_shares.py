"""How a batch is divided, and what a part counts; no ranks needed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from nn.batches import Batch
from nn.criterion import Criterion
from nn.distributed.facts import checksum, describe
from nn.distributed.shares import rows


@given(count=st.integers(1, 200), size=st.integers(1, 40), least=st.integers(1, 3))
def test_rows_are_an_even_partition(count, size, least):
    parts = [rows(count, rank, size, least) for rank in range(size)]
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(count))
    lengths = [part.stop - part.start for part in parts]
    busy = [n for n in lengths if n]
    assert max(busy) - min(busy) <= 1
    assert lengths == sorted(lengths, reverse=True), "ranks without rows come last"
    assert min(busy) >= min(least, count)


LOSSES = {
    "mean": (nn.MSELoss(), np.zeros((12, 3))),
    "sum": (nn.L1Loss(reduction="sum"), np.zeros((12, 3))),
    "labels": (nn.CrossEntropyLoss(), np.arange(12) % 3),
    "class weights": (nn.CrossEntropyLoss(weight=[1.0, 2.0, 5.0]), np.arange(12) % 3),
    "ignored": (nn.NLLLoss(ignore_index=0, weight=[1.0, 2.0, 5.0]), np.arange(12) % 3),
    "probabilities": (nn.CrossEntropyLoss(weight=[1.0, 2.0, 5.0]), np.full((12, 3), 1 / 3)),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
@given(size=st.integers(1, 5))
def test_parts_make_up_the_whole(name, weighted, size):
    """Σ w l and Σ w of the parts are those of the batch."""
    loss, y = LOSSES[name]
    output = ag.Tensor(np.log(np.random.default_rng(0).dirichlet(np.ones(3), 12)))
    criterion = Criterion(loss)
    whole = Batch(output, y, np.linspace(0.5, 2, 12) if weighted else None)
    parts = [whole.part(rows(12, rank, size)) for rank in range(size)]
    measured = [criterion.measure(part.x, part) for part in parts]
    expected = criterion.measure(output, whole)
    assert sum(part.total for part in measured) == pytest.approx(expected.total, rel=1e-12)
    assert sum(part.mass for part in measured) == pytest.approx(expected.mass, rel=1e-12)
    assert expected.loss.item() == pytest.approx(expected.total / (1 if criterion.summed else expected.mass), rel=1e-12)


def test_checksums_see_each_bit():
    x = np.arange(6.0)
    assert checksum([x]) != checksum([np.nextafter(x, 9)])
    assert checksum([x.reshape(2, 3).T]) == checksum([np.ascontiguousarray(x.reshape(2, 3).T)])
    assert describe([[1.0], [2.0, 3.0]]) == "a ragged list"
    assert describe({"a": 1}) == "{'a': 1}"
    assert describe((x, None)) == f"{describe(x)} and None"
    assert describe(iter([1])) == "list_iterator"
    assert describe({1: 2}.items()) == "dict_items of 1"
