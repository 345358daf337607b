"""Files: weights that PyTorch reads and writes, training states, and everything that can be wrong with a file."""

import json
import os

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, FileError, ShapeError
from nn import files


def model(width=4, seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(3, width, rng=rng), nn.BatchNorm1d(width), nn.Linear(width, 2, rng=rng))


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_round_trip(tmp_path):
    path = tmp_path / "m.safetensors"
    one, two = model(), model(seed=1)
    nn.save_model(one, path, {"author": "me"})
    assert nn.load_model(two, path) == ([], [])
    assert same(one.state_dict(), two.state_dict())
    metadata = files.read_arrays(path)[1]
    assert metadata["author"] == "me"
    assert "Linear" in metadata["architecture"]
    assert metadata["chainrule"]


def test_transposed_and_strided_arrays_are_stored_right(tmp_path):
    arrays = {
        "t": np.arange(6.0).reshape(2, 3).T,
        "s": np.arange(10)[::3],
        "zero": np.float32(3).reshape(()),
        "none": np.zeros((0, 2)),
    }
    files.write_arrays(tmp_path / "a", arrays, {})
    assert same(files.read_arrays(tmp_path / "a")[0], arrays)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_pytorch_reads_ours_and_we_read_pytorchs(tmp_path, dtype):
    torch = pytest.importorskip("torch")
    st = pytest.importorskip("safetensors.torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)).eval()
    ours, x = model().eval(), np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    st.save_model(theirs.to(getattr(torch, dtype)), tmp_path / "theirs")
    nn.load_model(ours, tmp_path / "theirs")
    theirs = theirs.float()
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
    nn.save_model(ours, tmp_path / "ours")
    fresh = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)).eval()
    st.load_model(fresh, tmp_path / "ours", strict=False)
    np.testing.assert_allclose(ours(x).data, fresh(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_weight_that_pytorch_shares_under_two_names(tmp_path):
    weight = np.ones((3, 3), np.float32)
    files.write_arrays(tmp_path / "tied", {"0.weight": weight}, {"1.weight": "0.weight"})
    tied = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    nn.load_model(tied, tmp_path / "tied")
    np.testing.assert_array_equal(tied[1].weight.data, weight)


def test_load_lists_every_misfit_and_changes_nothing(tmp_path):
    nn.save_model(model(width=5), tmp_path / "m")
    other = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    before = other.state_dict()
    with pytest.raises(ShapeError) as caught:
        nn.load_model(other, tmp_path / "m")
    text = str(caught.value)
    assert "wrong shape: 0.weight is (5, 3), needs (4, 3)" in text
    assert "unexpected: 2.weight" in text
    assert same(before, other.state_dict())


def test_strict_false_returns_the_names(tmp_path):
    files.write_arrays(tmp_path / "m", {"weight": np.ones((2, 3)), "extra": np.ones(1)}, {})
    assert nn.load_model(nn.Linear(3, 2), tmp_path / "m", strict=False) == (["bias"], ["extra"])


def test_damaged_files(tmp_path):
    path = tmp_path / "m"
    nn.save_model(model(), path)
    whole = path.read_bytes()
    target = model(seed=1)
    before = target.state_dict()
    header = int.from_bytes(whole[:8], "little")
    damaged = {
        "cut": whole[:-5],
        "empty": b"",
        "text": b"hello world, this is no file of tensors",
        "long": whole + b"12345",
        "oversized header": (2**60).to_bytes(8, "little") + whole[8:],
        "no header": whole[:8] + b"\0" * header + whole[8 + header :],
    }
    for name, data in damaged.items():
        path.write_bytes(data)
        with pytest.raises(FileError, match="not a whole safetensors file"):
            nn.load_model(target, path)
        assert same(before, target.state_dict()), name


def test_overlapping_tensors_are_refused(tmp_path):
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({"a": entry, "b": entry}).encode()
    (tmp_path / "m").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    with pytest.raises(FileError):
        files.read_arrays(tmp_path / "m")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: nn.load_model(model(), p / "nowhere"), FileError, "cannot read .*nowhere"),
        (lambda p: nn.save_model(model(), p / "no" / "folder"), FileError, "the folder .* does not exist"),
        (lambda p: nn.save_model(model(), p / "m", {"n": 3}), ArgumentError, "metadata maps texts to texts"),
        (
            lambda p: files.write_arrays(p / "m", {"c": np.ones(1, complex)}, {}),
            ArgumentError,
            "'c' has dtype complex128",
        ),
        (
            lambda p: files.write_tree(p / "m", {"f": print}, "x"),
            ArgumentError,
            "the state at 'f' is a builtin_function_or_method",
        ),
    ],
)
def test_messages(tmp_path, call, error, message):
    with pytest.raises(error, match=message):
        call(tmp_path)


def test_tree_round_trip(tmp_path):
    tree = {
        "a": np.arange(3),
        "b": [1, 2.5, None, True, "x", {"c": np.float32(0.5)}],
        "big": 2**127,
        "inf": float("inf"),
    }
    files.write_tree(tmp_path / "t", tree, "test")
    back = files.read_tree(tmp_path / "t", "test")
    np.testing.assert_array_equal(back.pop("a"), tree.pop("a"))
    assert back == {**tree, "b": [1, 2.5, None, True, "x", {"c": 0.5}]}
    with pytest.raises(FileError, match="is not a other: it says 'test'"):
        files.read_tree(tmp_path / "t", "other")


def test_write_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "f"
    files.write_bytes(path, b"old")
    (tmp_path / ".f.stale.tmp").write_bytes(b"left by a killed process")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def trainer(width=4, callbacks=()):
    network = model(width)
    return nn.Trainer(network, nn.MSELoss(), nn.optim.Adam(network.parameters()), callbacks=callbacks)


def state_file(tmp_path):
    t = trainer()
    t.fit(np.ones((8, 3)), np.ones((8, 2)), epochs=2, progress=False)
    t.save(tmp_path / "state")
    return tmp_path / "state"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tree: tree.pop("optimizer"), "missing: optimizer"),
        (lambda tree: tree["model"].pop("0.bias"), "missing: 0.bias"),
        (
            lambda tree: tree["callbacks"].append({"type": "EarlyStopping", "state": {"waited": 1}}),
            "state: the file has",
        ),
        (lambda tree: tree["generators"].append({}), "random generators: the file has 1, the model has 0"),
        (lambda tree: tree["optimizer"].pop("state"), "needs a dict with 'state'"),
        (lambda tree: tree.update(epoch="three"), "epoch: 'str', needs 'int'"),
        (lambda tree: tree.update(history=[1]), "history: 'list', needs 'dict'"),
    ],
)
def test_mismatched_state_changes_nothing(tmp_path, change, message):
    path = state_file(tmp_path)
    tree = files.read_tree(path, "chainrule training state")
    change(tree)
    files.write_tree(path, tree, "chainrule training state")
    t = trainer()
    t.fit(np.zeros((8, 3)), np.ones((8, 2)), progress=False)
    before, optimizer = t.model.state_dict(), t.optimizer.state_dict()
    with pytest.raises((FileError, ArgumentError, ShapeError), match=message):
        t.load(path)
    assert same(before, t.model.state_dict())
    assert same(
        optimizer["state"][0] | {"step": np.int64(0)}, t.optimizer.state_dict()["state"][0] | {"step": np.int64(0)}
    )
    assert (t.epoch, t.history.epochs) == (1, 1)


def test_weights_file_is_no_training_state(tmp_path):
    nn.save_model(model(), tmp_path / "m")
    with pytest.raises(FileError, match="is not a chainrule training state"):
        trainer().load(tmp_path / "m")
