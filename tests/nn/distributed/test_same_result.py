"""N ranks give what one process gives, and the same bytes again; restarted runs too."""

from pathlib import Path

import numpy as np
import pytest

from tests.nn.distributed.launch import run, write

pytestmark = pytest.mark.mpi
SCENARIOS = Path(__file__).with_name("scenarios.py")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Give the results of a plain Trainer in one process."""
    return results(0, tmp_path_factory.mktemp("plain"), "--plain")


def results(ranks, folder, *arguments, **env):
    ran = run(ranks, SCENARIOS, str(folder / "out.npz"), *arguments, **env)
    assert ran.code == 0, ran.err
    with np.load(folder / "out.npz") as file:
        return dict(file)


@pytest.mark.parametrize("ranks", [0, 1])
def test_alone_it_is_a_trainer(ranks, plain, tmp_path):
    found = results(ranks, tmp_path)
    assert found.keys() == plain.keys()
    assert [name for name in plain if not np.array_equal(found[name], plain[name])] == []


@pytest.mark.parametrize("ranks", [3, *(pytest.param(ranks, marks=pytest.mark.whole) for ranks in (2, 4))])
def test_ranks_give_the_result_of_one_process(ranks, plain, tmp_path):
    found = results(ranks, tmp_path)
    assert found.keys() == plain.keys()
    for name, value in plain.items():
        loose = name.startswith(("float32", "two_dtypes"))
        np.testing.assert_allclose(found[name], value, rtol=2e-3 if loose else 1e-8, atol=1e-4 if loose else 1e-10,
                                   err_msg=name)  # fmt: skip


DIGEST = """
import hashlib, json

def digest(t):
    found = t.world.gather(hashlib.sha256(b"".join(v.tobytes() for v in t.model.state_dict().values())).hexdigest())
    assert len(set(found)) == 1
    return found[0]
"""
NORMALIZED = """
t = trainer(model=nn.Sequential(nn.BatchNorm1d(5, dtype=np.float64), nn.Linear(5, 2, rng=0, dtype=np.float64)))
t.train_on_batch(X[:10].astype(float), Y[:10])
parts = [X[:10][nn.distributed.trainer.rows(10, r, t.size, 2)].astype(float) for r in range(t.size)]
shares = np.array([len(p) for p in parts]) / 10
mean = 0.1 * (shares @ [p.mean(0) for p in parts])
var = 0.9 + 0.1 * (shares @ [p.var(0, ddof=1) for p in parts])
norm = t.model[0]
np.testing.assert_allclose(norm.running_mean, mean, rtol=1e-12)
np.testing.assert_allclose(mean, 0.1 * X[:10].astype(float).mean(0), rtol=1e-6)
np.testing.assert_allclose(norm.running_var, var, rtol=1e-12)
t.train_on_batch(X[:5], Y[:5])  # parts of 3, 2, 0: a single sample has no variance
many = np.arange(2_500_000, dtype=np.float32) % 7 * (t.rank + 1)  # more than one piece
t.world.add(many)
assert np.array_equal(many, np.arange(2_500_000) % 7 * 6)
"""


OWN_ROWS = """
from nn.distributed.lazy import Rows

read, take = [], Rows.__getitem__
Rows.__getitem__ = lambda rows, at: (rows.source.ndim == 2 and read.append(len(rows.numbers[at])), take(rows, at))[1]
t = trainer()
t.fit(X, Y, batch_size=20, progress=False)
counts = t.world.gather(sum(read))
assert sum(counts) == len(X) and max(counts) < len(X) / 2, counts
"""


def test_each_rank_copies_its_own_rows_only(tmp_path):
    ran = run(3, write(tmp_path, OWN_ROWS))
    assert ran.code == 0, ran.err


def test_running_statistics_and_long_arrays(tmp_path):
    ran = run(3, write(tmp_path, NORMALIZED))
    assert ran.code == 0, ran.err


DROPPED = (
    DIGEST
    + """
t = trainer(clip_grad_norm=1.0)
t._seed({"batch": 1})
draws = t.world.gather(t.model[3].rng.random(4).tolist())
assert len({str(d) for d in draws}) == t.size, "ranks must drop different units"
t = trainer()
t.fit(X, Y, epochs=3, batch_size=20, rng=5, validation_split=0.2, progress=False)
text = digest(t)
if t.rank == 0:
    print(text, json.dumps(dict(t.history)))
"""
)


@pytest.mark.parametrize("ranks", [2, 3])
def test_same_seed_same_bytes(ranks, tmp_path):
    """Dropout, batch normalization and shuffling included, whatever the hash seed."""
    script = write(tmp_path, DROPPED)
    one, two = (run(ranks, script, PYTHONHASHSEED=seed) for seed in "12")
    assert one.code == 0, one.err
    assert one.out
    assert one.out == two.out


SYNCHRONIZED = (
    DIGEST
    + """
rank = int(os.environ.get("PMI_RANK", 0))
model = nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.5), nn.Linear(8, 2))  # fresh entropy: different on each rank
t = trainer(model=model)
digest(t)
t.model[0].weight.data[...] = 0.5
t.fit(X, Y, batch_size=20, progress="lines")  # no seed either: the order is rank 0's
digest(t)
t.fit(X, Y, batch_size=20, progress="lines")
a, b = t.evaluate(X, Y)["loss"], t.predict(X)[0]
if rank == 0:
    assert t.predict(X).shape == (103, 2), "evaluate and predict need no other rank"
assert t.world.gather(a) == [a] * t.size
"""
)


def test_weights_and_random_state_are_those_of_rank_0(tmp_path):
    ran = run(3, write(tmp_path, SYNCHRONIZED))
    assert ran.code == 0, ran.err
    assert ran.out.count("epoch 1/1") == ran.out.count("epoch 2/2") == 1, "progress is shown by rank 0 only"
