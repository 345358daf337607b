"""Files: weights that PyTorch reads and writes, training states, and everything that can be wrong with a file."""

import json
import sys

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, FileError, MissingExtra, ShapeError
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


class Tied(nn.Module):
    def __init__(self):
        self.a, self.b = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
        self.b.weight = self.a.weight


class TiedByData(nn.Module):
    def __init__(self):
        self.a, self.b = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
        self.b.weight.data = self.a.weight.data


@pytest.mark.parametrize("kind", [Tied, TiedByData])
def test_a_weight_with_two_names_is_stored_once(tmp_path, kind):
    one, two = kind(), kind()
    one.a.weight.data[...] = 5
    nn.save_model(one, tmp_path / "m", {"best layer": "a.weight", "a.bias": "text"})
    arrays, metadata = files.read_arrays(tmp_path / "m")
    assert list(arrays) == ["a.bias", "a.weight", "b.bias"]
    assert metadata["b.weight"] == "a.weight"
    assert nn.load_model(two, tmp_path / "m") == ([], [])
    assert same(one.state_dict(), two.state_dict())
    apart = nn.Sequential({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    nn.load_model(apart, tmp_path / "m")
    assert same(one.state_dict(), apart.state_dict())


@pytest.mark.parametrize("kind", [Tied, TiedByData])
def test_two_values_for_one_weight_are_an_error(kind):
    m = kind()
    state, before = m.state_dict(), m.state_dict()
    state["a.weight"] = np.zeros((2, 2))
    with pytest.raises(ArgumentError, match=r"\n  two values: a.weight and b.weight are one weight, and differ$"):
        m.load_state_dict(state)
    assert same(before, m.state_dict())
    del state["b.weight"]
    assert m.load_state_dict(state) == ([], [])
    assert not m.b.weight.data.any()
    del state["a.weight"]
    with pytest.raises(ArgumentError, match=r"missing: a.weight\n  missing: b.weight"):
        m.load_state_dict(state)


@pytest.mark.torch
def test_pytorch_loads_a_tied_weight(tmp_path):
    torch = pytest.importorskip("torch")
    st = pytest.importorskip("safetensors.torch")

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
            self.b.weight = self.a.weight

    nn.save_model(Tied(), tmp_path / "ours")
    theirs = Theirs()
    assert st.load_model(theirs, tmp_path / "ours") == (set(), [])
    np.testing.assert_array_equal(theirs.b.weight.detach().numpy(), Tied().a.weight.data)
    ours = Tied()
    with torch.no_grad():
        theirs.a.weight.fill_(7.0)
    st.save_model(theirs, tmp_path / "theirs")
    assert nn.load_model(ours, tmp_path / "theirs") == ([], [])
    assert (ours.b.weight.data == 7).all()


def test_texts_of_the_user_are_no_names(tmp_path):
    m = nn.Sequential(nn.Linear(2, 2))
    nn.save_model(m, tmp_path / "m", {"best layer": "0.weight"})
    assert nn.load_model(m, tmp_path / "m") == ([], [])


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for i, order in enumerate((["b", "a", "c"], ["c", "b", "a"])):
        arrays = {"a": np.ones(3, np.float32), "b": np.ones(2), "c": np.ones(1, bool)}
        files.write_arrays(tmp_path / str(i), {name: arrays[name] for name in order}, {"x": "é", "y": "2"})
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()


@pytest.mark.torch
def test_the_library_reads_what_is_written(tmp_path):
    st = pytest.importorskip("safetensors.numpy")
    arrays = {f"ü{i}\n": np.arange(i * 3).astype(kind) for i, kind in enumerate(files._DTYPES.values())}
    arrays |= {"big-endian": np.arange(3, dtype=">f4"), "turned": np.arange(6.0).reshape(2, 3).T}
    files.write_arrays(tmp_path / "m", arrays, {"text": "\x00 日本"})
    assert same(st.load_file(tmp_path / "m"), arrays)
    assert same(files.read_arrays(tmp_path / "m")[0], arrays)


@pytest.mark.slow
def test_a_bit_that_flips_is_noticed(tmp_path):
    """Whichever it is: the file is refused, or holds what it held."""
    path = tmp_path / "m"
    files.write_arrays(path, {"w": np.arange(3.0), "n": np.zeros(2, np.int8)}, {"who": "me"})
    whole, arrays = path.read_bytes(), files.read_arrays(path)[0]
    refused = 0
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            assert same(files.read_arrays(path)[0], arrays)
        except FileError:
            refused += 1
    assert refused > 8 * len(whole) * 0.8
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 16]))
    with pytest.raises(
        FileError, match=r"/m is damaged, or was changed by .* checksum in its metadata .* another copy"
    ):
        files.read_arrays(path)


def test_files_of_others_have_no_checksum(tmp_path):
    st = pytest.importorskip("safetensors.numpy")
    st.save_file({"weight": np.ones((2, 3), np.float32), "bias": np.ones(2, np.float32)}, tmp_path / "m")
    assert nn.load_model(nn.Linear(3, 2), tmp_path / "m") == ([], [])


def test_a_file_written_anew_by_another_program_keeps_its_checksum(tmp_path):
    """The library orders metadata by chance, and the checksum does not depend on it."""
    st, library = pytest.importorskip("safetensors.numpy"), pytest.importorskip("safetensors")
    arrays = {"a": np.ones(3, np.float32), "b": np.ones(2)}
    files.write_arrays(tmp_path / "m", arrays, {"x": "1", "y": "2", "z": "3"})
    with library.safe_open(tmp_path / "m", "numpy") as file:
        metadata = file.metadata()
    st.save_file(arrays, tmp_path / "m", metadata)
    assert files.read_arrays(tmp_path / "m")[1] == {"x": "1", "y": "2", "z": "3"}


OTHERS = {
    "a zip archive; one of PyTorch .* safetensors.torch.save_file": b"PK\x03\x04 and so on",
    "a file of PyTorch's old kind, which can hold code and is not read here. Convert it": b"\x80\x02\x8a\nl\xfc\x9cF",
    "a pickle, which can hold code and is not read": b"\x80\x05\x95\0\0\0\0\0\0",
    "an HDF5 file, such as Keras writes. Give its arrays by name to load_state_dict": b"\x89HDF\r\n\x1a\n\0",
    r"an array of NumPy. Read it with np\.load": b"\x93NUMPY\x01\0v\0",
}


@pytest.mark.parametrize(("message", "data"), OTHERS.items(), ids=range(len(OTHERS)))
def test_files_of_other_kinds(tmp_path, message, data):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(FileError, match=f"/m is not a whole safetensors file: .* It is {message}"):
        nn.load_model(model(), tmp_path / "m")


@pytest.mark.torch
@pytest.mark.parametrize("zipped", [True, False])
def test_the_files_of_pytorch_itself(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(FileError, match="of PyTorch"):
        nn.load_model(nn.Linear(2, 2), tmp_path / "m.pt")


@pytest.mark.parametrize("name", ["__metadata__", "chainrule.sha256"])
def test_names_that_the_file_needs_itself(tmp_path, name):
    with pytest.raises(ArgumentError, match=f"the name '{name}' is kept for the file itself. Choose another"):
        files.write_arrays(tmp_path / "m", {name: np.ones(1)}, {})
    with pytest.raises(ArgumentError, match="is kept for the file itself"):
        nn.save_model(nn.Linear(1, 1), tmp_path / "m", {name: "text"})


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
        (lambda p: nn.save_model(model(), p / "m", {"n": 3}), ArgumentError, "metadata maps texts to texts"),
        (lambda p: nn.save_model(model(), p / "m", "notes"), ArgumentError, "metadata maps texts to texts, got str"),
        (
            lambda p: files.write_arrays(p / "m", {"c": np.ones(1, complex)}, {}),
            ArgumentError,
            "'c' has dtype complex128",
        ),
        (
            lambda p: nn.save_model(model(), p / "m", {"n": "\ud800"}),
            ArgumentError,
            r"'\\ud800' holds half a character",
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


class Own(nn.Callback):
    """Keep anything."""

    value = None

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state):
        if state["value"] == "poison":
            self.value = "spoilt"
            raise state.get("error", ValueError)("poison")
        self.value = state["value"]


@pytest.mark.parametrize("here", [1, 0.5, np.float32(0.25), np.int64(1)])
@pytest.mark.parametrize("there", [1, 0.5, np.float32(0.25), np.int64(2)])
def test_a_file_is_not_held_against_the_numbers_that_happen_to_be_there(tmp_path, here, there):
    def make(lr):
        m = model()
        sgd = nn.optim.SGD(m.parameters(), lr=lr, momentum=lr / 2)
        plateau = nn.optim.ReduceLROnPlateau(sgd, patience=type(lr)(np.ceil(lr)))
        stop = nn.EarlyStopping("loss")
        stop.best = None if lr == 1 else float(lr)
        return nn.Trainer(m, nn.MSELoss(), sgd, callbacks=[nn.LRSchedule(plateau, monitor="loss"), stop, Own()])

    one, other = make(there), make(here)
    one.callbacks[2].value = there
    other.callbacks[2].value = {"another": ["kind"]}
    one.save(tmp_path / "t")
    other.load(tmp_path / "t")
    assert other.optimizer.lr == there
    assert other.callbacks[2].value == there


@pytest.mark.parametrize("error", [ValueError, KeyError, RuntimeError, KeyboardInterrupt])
def test_a_callback_that_fails_leaves_everything_as_it_was(tmp_path, monkeypatch, error):
    t = trainer(callbacks=[Own()])
    t.save(tmp_path / "good")
    t.callbacks[0].value = "poison"
    t.save(tmp_path / "bad")
    t.callbacks[0].value = 3
    before = t.model.state_dict()
    monkeypatch.setattr(Own, "load_state_dict", failing(Own.load_state_dict, error))
    with pytest.raises(FileError if error in (ValueError, KeyError) else error):
        t.load(tmp_path / "bad")
    assert same(before, t.model.state_dict())
    assert t.callbacks[0].value == 3
    t.load(tmp_path / "good")
    assert t.callbacks[0].value is None


def failing(load, error):
    def loads(self, state):
        try:
            load(self, state)
        except ValueError as known:
            raise error("poison") from known

    return loads


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": "0.1"}, "Adam: lr must be a number, got '0.1'"),
        ({"lr": True}, "Adam: lr must be a number, got True"),
        ({"eps": [1]}, r"Adam: eps must be a number, got \[1\]"),
        ({"betas": ["a", 0.9]}, r"Adam: betas must be a row of numbers, got \['a', 0.9\]"),
        ({"betas": 0.9}, "Adam: betas must be a row of numbers, got 0.9"),
        ({"initial_lr": None}, "Adam: initial_lr must be a number, got None"),
    ],
)
def test_options_are_checked_by_what_they_are(options, message):
    adam = trainer().optimizer
    state = adam.state_dict()
    state["param_groups"][0].update(options)
    with pytest.raises(ArgumentError, match=message):
        adam.load_state_dict(state)
    assert adam.lr == 1e-3


def test_without_safetensors(tmp_path, monkeypatch):
    """Writing needs NumPy only."""
    files.write_arrays(tmp_path / "m", {"w": np.ones(2)}, {})
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingExtra, match=r"reading a safetensors file needs safetensors .*Install it: python -m pip"):
        files.read_arrays(tmp_path / "m")
