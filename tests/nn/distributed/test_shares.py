"""How a batch is divided, and what a part counts; no ranks needed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from nn.batches import Batch
from nn.distributed.facts import checksum, describe
from nn.distributed.shares import rows, share


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
    """Σ share · loss of a part = loss of the batch."""
    loss, y = LOSSES[name]
    output = np.random.default_rng(0).normal(size=(12, 3))
    trainer = nn.Trainer(nn.Identity(), loss, nn.optim.SGD([nn.Parameter(1.0)], lr=0.1))
    whole = Batch(output, y, np.linspace(0.5, 2, 12) if weighted else None)
    total = 0.0
    for rank in range(size):
        at = rows(12, rank, size)
        part = Batch(output[at], y[at], None if whole.weight is None else whole.weight[at])
        total += share(loss, whole, part, part.x) * trainer._loss(nn.losses.tensor(part.x), part).item()
    assert total == pytest.approx(trainer._loss(nn.losses.tensor(output), whole).item(), rel=1e-12)


def test_checksums_see_each_bit():
    x = np.arange(6.0)
    assert checksum([x]) != checksum([np.nextafter(x, 9)])
    assert checksum([x.reshape(2, 3).T]) == checksum([np.ascontiguousarray(x.reshape(2, 3).T)])
    assert describe([[1.0], [2.0, 3.0]]) == "a ragged list"
    assert describe({"a": 1}) == "{'a': 1}"
    assert describe((x, None)) == f"{describe(x)} and None"
    assert describe(iter([1])) == "list_iterator"
    assert describe({1: 2}.items()) == "dict_items of 1"
