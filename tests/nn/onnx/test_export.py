"""What stands in the file, what the export leaves behind, and every message."""

import sys
from contextlib import nullcontext

import numpy as np
import pytest

import autograd as ag
import nn
import nn.onnx
from autograd.errors import ArgumentError, DTypeError, FileError, GraphError, MissingExtra, MissingRule
from nn.onnx import check as checks
from nn.onnx import graph
from tests.nn.onnx.runtime import Function, check, ours, session

X = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def _tools(require):
    require("onnx")


def names(loaded):
    return {array.name for array in loaded.graph.initializer}


# ------------------------------------------------------------------------------------------------------ a readable file


def test_parameters_keep_their_names_and_nodes_the_path_of_their_module(tmp_path):
    loaded = check(nn.MLP(3, [4, 2], rng=0), X, tmp_path / "model.onnx")
    assert names(loaded) == {"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"}
    assert [node.name for node in loaded.graph.node] == ["layers.0/Gemm", "layers.0/Relu", "layers.1/Gemm"]
    assert [info.name for info in (*loaded.graph.input, *loaded.graph.output)] == ["input", "output"]
    assert (loaded.graph.name, loaded.producer_name) == ("MLP", "chainrule")


def test_statistics_and_recurrent_weights_are_named(tmp_path):
    norm = check(nn.Sequential(nn.BatchNorm1d(3)), X, tmp_path / "norm.onnx")
    assert names(norm) == {"0.weight", "0.bias", "0.running_mean", "0.running_var"}
    lstm = check(nn.LSTM(3, 2, batch_first=True, rng=0), X[:, None], tmp_path / "lstm.onnx")
    assert names(lstm) >= {"weight_ih_l0", "weight_hh_l0", "bias_l0"}
    docs = {array.name: array.doc_string for array in lstm.graph.initializer}
    assert docs["weight_ih_l0"] == "gates in ONNX's order"


def test_lstm_gates_stand_in_the_order_i_o_f_c(tmp_path):
    import onnx

    model = nn.LSTM(3, 2, batch_first=True, rng=0)
    loaded = check(model, X[:, None], tmp_path / "model.onnx")
    array = next(onnx.numpy_helper.to_array(a) for a in loaded.graph.initializer if a.name == "weight_ih_l0")
    i, f, g, o = model.weight_ih_l0.data.reshape(4, 2, 3)
    np.testing.assert_array_equal(array, np.concatenate([i, o, f, g])[None])


def test_what_does_not_depend_on_the_input_is_computed_before(tmp_path):
    class Scaled(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.full((100, 3), 2.0, np.float32))
            self.mask = ag.Tensor(np.tri(100, 3, dtype=np.float32))

        def forward(self, x):
            return nn.functional.linear(x, np.exp(self.weight) * self.mask)

    model = Scaled()
    model(X)  # the mask has been used in a graph before
    loaded = check(model, X, tmp_path / "model.onnx", atol=1e-3)
    assert [node.op_type for node in loaded.graph.node] == ["Gemm"]
    assert names(loaded) == {"weight"}


def test_weights_that_are_used_twice_stand_once(tmp_path):
    class Twice(nn.Module):
        def __init__(self):
            self.gru = nn.GRU(3, 3, batch_first=True, rng=0)

        def forward(self, x):
            return self.gru(self.gru(x)[0])

    loaded = check(Twice(), X[:, None], tmp_path / "model.onnx")
    assert {name for name in names(loaded) if "gru" in name} == {"gru.weight_ih_l0", "gru.weight_hh_l0", "gru.bias_l0"}


def test_what_nobody_reads_is_left_out(tmp_path):
    class Last(nn.Module):
        def __init__(self):
            self.lstm = nn.LSTM(3, 2, batch_first=True, rng=0)

        def forward(self, x):
            return self.lstm(x)[0]

    loaded = check(Last(), X[:, None], tmp_path / "model.onnx")
    assert [node.op_type for node in loaded.graph.node] == ["Transpose", "LSTM", "Squeeze", "Transpose"]
    assert len(loaded.graph.node[1].output) == 1


def test_frozen_parameters_and_modes_are_left_as_they_were(tmp_path):
    model = nn.Sequential(nn.Embedding(5, 3, rng=0), nn.Dropout(0.5, rng=0), nn.BatchNorm1d(4))
    model[0].weight.requires_grad = False
    model[2].eval()
    nn.onnx.export(model, np.arange(4)[None] % 5, tmp_path / "model.onnx")
    assert [module.training for module in model.modules()] == [True, True, True, False]
    assert not model[0].weight.requires_grad
    assert all(p.grad is None for p in model.parameters())


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        nn.onnx.export(nn.MLP(3, [4, 2], rng=0), X, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_lists_integers_and_tensors_are_taken(tmp_path):
    model = nn.Linear(3, 2, rng=0)
    for example in (X.tolist(), X.astype(np.float64), ag.Tensor(X)):
        check(model, np.asarray(X), tmp_path / "model.onnx")
        nn.onnx.export(model, example, tmp_path / "other.onnx")
        assert (tmp_path / "other.onnx").read_bytes() == (tmp_path / "model.onnx").read_bytes()


# ------------------------------------------------------------------------------------------------------------- messages


def where_positive(x):
    return np.where(x.data > 0, x, 0.0)


def loop(x):
    return sum(x[i] for i in range(x.shape[0]))


class Path(nn.Module):
    def __init__(self, function):
        self.encoder = nn.Sequential(nn.Linear(3, 3, rng=0), Function(function))

    def forward(self, x):
        return self.encoder(x)


LEAVES = "reading the numbers of a Tensor in a function that is recorded (line "

REFUSED = {
    "no translation": (
        Path(lambda x: np.linalg.svd(x)[1]),
        MissingRule,
        "op 'svd' in Function 'encoder.1' has no ONNX translation. Write the model without it",
    ),
    "random": (
        Path(lambda x: nn.functional.dropout(x, 0.5, rng=0)),
        MissingRule,
        "op 'dropout' in Function 'encoder.1' has no ONNX translation.",
    ),
    "comparison": (Path(where_positive), ArgumentError, LEAVES),
    "taken out": (Path(lambda x: x * np.abs(x.data)), ArgumentError, LEAVES),
    "a number taken out": (Path(lambda x: x * x.data.max()), ArgumentError, LEAVES),
    "a function of the user's": (
        Path(lambda x: x * ag.opaque(np.spacing)(x)),
        MissingRule,
        "op 'spacing' in Function 'encoder.1' has no ONNX translation.",
    ),
    "rounded to decimals": (
        Path(lambda x: x + np.round(x, 1)),
        ArgumentError,
        "rounding to decimals has no translation",
    ),
    "columns by an index that is computed": (
        Path(lambda x: x[:, x.argmax(axis=1)]),
        ArgumentError,
        "an index that is computed has a translation where it chooses rows, by integers: x[i]",
    ),
    "rows of its own": (
        Path(lambda x: x + np.arange(x.shape[0], dtype=np.float32)[:, None]),
        ArgumentError,
        "make it the same for every row, or pass dynamic_batch=False",
    ),
    "steps": (
        Function(loop),
        ArgumentError,
        "the model takes other steps for another input or batch size (4 steps against 6 steps). An ONNX file holds one",
    ),
    "other steps": (
        Function(lambda x: np.exp(x) if x.shape[0] == 2 else np.sin(x)),
        ArgumentError,
        "(op 'exp' in Function 'Function' against op 'sin' in Function 'Function')",
    ),
    "index": (
        Function(lambda x: x[x.shape[0] - 1]),
        ArgumentError,
        "op 'getitem' in Function 'Function': the index batch-1 depends on lengths that vary; index from the end",
    ),
    "index arrays": (
        Function(lambda x: x[:, [True, False, True]]),
        ArgumentError,
        "op 'gather' in Function 'Function': this mix of index arrays has no translation",
    ),
    "attribute": (
        Function(lambda x: ag.softmax(x, axis=x.shape[0] - 3)),
        ArgumentError,
        "op 'softmax' in Function 'Function': axis = batch-3 depends on lengths that vary, which ONNX's Softmax cannot",
    ),
    "order": (
        Function(lambda x: np.reshape(x, -1, order="F")),
        ArgumentError,
        "op 'reshape' in Function 'Function': order='F' has no translation; transpose",
    ),
    "roll": (
        Function(lambda x: np.roll(x, 1, 0)),
        ArgumentError,
        "op 'roll' in Function 'Function': rolling along an axis whose length varies has no translation",
    ),
    "ddof": (
        Function(lambda x: np.var(x, axis=0, ddof=1)),
        ArgumentError,
        "op 'var' in Function 'Function': ddof over an axis whose length varies has no translation; use ddof=0",
    ),
    "initial": (
        Function(lambda x: np.max(x, axis=1, initial=0.0)),
        ArgumentError,
        "op 'max' in Function 'Function': initial= has no counterpart; use np.maximum",
    ),
    "constant output": (
        Function(lambda x: 3.0),
        ArgumentError,
        "no output of Function depends on the input.",
    ),
    "batch statistics": (
        Function(lambda x: nn.functional.batch_norm(x, training=True)),
        ArgumentError,
        "it normalizes by the statistics of the batch, and a file needs running ones: use training=False",
    ),
    "moving weights": (
        Function(lambda x: nn.functional.rnn(x[None], None, [[x[:2, :2] * 0 + 1, np.ones((2, 2), np.float32)]])[0]),
        ArgumentError,
        "a recurrent weight depends on the input, but ONNX wants a constant there",
    ),
    "attention dropout": (
        Function(lambda x: nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=0.5, rng=0)),
        ArgumentError,
        "changes with the input or the batch",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_file_cannot_hold(name, tmp_path):
    model, error, message = REFUSED[name]
    example = np.abs(X[:, :2]) if name == "moving weights" else X
    with pytest.raises(error) as raised:
        nn.onnx.export(model, example, tmp_path / "model.onnx")
    assert str(raised.value).startswith("onnx.export: ")
    assert message in str(raised.value)
    assert list(tmp_path.iterdir()) == []


TAKEN = {  # what a model reads of its input past the trace
    "data": lambda self, x: self.linear(np.where(x.data > 0, x, 0.0)),
    "largest": lambda self, x: x / (1 + np.abs(x.data).max()),
    "branch": lambda self, x: self.linear(x) if x.data.sum() > 0 else -self.linear(x),
    "number": lambda self, x: self.linear(x) * float(x.data.sum() > 0),
    "integers": lambda self, x: self.rows(x.data.astype(int) % 2),
}
FOLLOWED = {  # what no gradient flows through, and the file computes
    "mask": lambda self, x: self.linear(x) * (x > 0),
    "position": lambda self, x: self.linear(x) * x.argmax(axis=1)[:, None],
    "sign": lambda self, x: self.linear(x) * np.sign(x),
    "rounded": lambda self, x: self.linear(x) + np.round(x),
    "mask of integers": lambda self, x: self.rows(x.astype(int) % 2) * (x.astype(int) != 0)[..., None],
    "index": lambda self, x: self.linear.weight[x.astype(int) % 3],
}
EXAMPLES = pytest.mark.parametrize("example", [X, X[:1], 0 * X, 0 * X + 1], ids=["rows", "row", "zeros", "ones"])


class Taking(nn.Module):
    def __init__(self, function):
        self.linear, self.rows = nn.Linear(3, 3, rng=0), nn.Embedding(2, 3, rng=0)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


@EXAMPLES
@pytest.mark.parametrize("name", FOLLOWED)
def test_what_no_gradient_flows_through_is_part_of_the_file(name, example, tmp_path):
    model = Taking(FOLLOWED[name])
    nn.onnx.export(model, example, tmp_path / "model.onnx")
    found = session(tmp_path / "model.onnx").run(None, {"input": 2 * X})[0]
    np.testing.assert_allclose(found, ours(model, [2 * X])[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", TAKEN)
@EXAMPLES
def test_what_leaves_the_trace_is_seen_whatever_the_example(name, example, tmp_path):
    for dynamic in (True, False):
        with pytest.raises(ArgumentError, match=r"onnx.export: reading the numbers of a Tensor"):
            nn.onnx.export(Taking(TAKEN[name]), example, tmp_path / "model.onnx", dynamic_batch=dynamic)


def test_random_attention_is_refused(tmp_path):
    def attend(x):
        return nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=0.5, rng=0)

    with pytest.raises(ArgumentError, match="it drops weights at random; export with dropout 0 or in evaluation mode"):
        nn.onnx.export(Function(attend), X, tmp_path / "model.onnx", dynamic_batch=False)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(model=np.sin), ArgumentError, "onnx.export: the first argument must be a Module, got ufunc."),
        (dict(opset=12), ArgumentError, "onnx.export: opset must be 17 … "),
        (dict(opset=999), ArgumentError, "the newest of the installed onnx, got 999."),
        (
            dict(example_input=[True]),
            DTypeError,
            "onnx.export: example_input has dtype bool; it must hold floats or integers.",
        ),
        (
            dict(example_input=()),
            ArgumentError,
            "onnx.export: example_input is an empty tuple; pass an array, or a tuple",
        ),
        (
            dict(example_input=1.0),
            ArgumentError,
            "onnx.export: example_input has shape (); its first axis must be the batch, with at least one row.",
        ),
        (
            dict(example_input=X[:0]),
            ArgumentError,
            "onnx.export: example_input has shape (0, 3); its first axis must be the batch",
        ),
        (dict(example_input=X[0]), ArgumentError, "not at another batch size (Linear (3 -> 2) got"),
        (
            dict(model=Function(lambda x: x.reshape(2, 6))),
            ArgumentError,
            "at another batch size (Function: reshape got (2, 3)",
        ),
        (
            dict(model=Function(lambda x: x.reshape(2, 6))),
            ArgumentError,
            "(Function: reshape got (2, 3): cannot reshape array of size 6 into shape (2,6). Reshape or",
        ),
        (dict(path="missing/model.onnx"), FileError, "missing does not exist. Create it first"),
    ],
)
def test_arguments(arguments, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as raised:
        nn.onnx.export(**{"model": nn.Linear(3, 2, rng=0), "example_input": X, "path": "model.onnx", **arguments})
    assert message in str(raised.value)


def test_an_example_that_does_not_fit_gives_the_message_of_the_model(tmp_path):
    with pytest.raises(ag.errors.ShapeError, match=r"Linear .* got x of shape"):
        nn.onnx.export(nn.Linear(4, 2, rng=0), X, tmp_path / "model.onnx")


def test_too_large_for_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "LIMIT", 10)
    with pytest.raises(ArgumentError, match=r"a single ONNX file holds less than 2\. External data is not written"):
        nn.onnx.export(nn.Linear(3, 2, rng=0), X, tmp_path / "model.onnx")


def test_with_an_old_onnx(tmp_path, monkeypatch):
    monkeypatch.setattr("onnx.__version__", "1.22.0")
    with pytest.raises(
        MissingExtra, match=r"needs onnx 1\.23 or newer \(found 1\.22\.0; .*\. Install it: .*onnx>=1\.23"
    ):
        nn.onnx.export(nn.Linear(3, 2, rng=0), X, tmp_path / "model.onnx")


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        MissingExtra, match=r"^nn\.onnx needs onnx .*Install it: python -m pip install \"onnx>=1\.23\"$"
    ):
        nn.onnx.export(nn.Linear(3, 2, rng=0), X, tmp_path / "model.onnx")


# ---------------------------------------------------------------------------------------- a wrong file is never written


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            lambda g, s: g.node("Sin", s.inputs[0]),
            "onnx.export: output 0 for inputs of shape (1, 3) differs from the module's own by ",
        ),
        (
            lambda g, s: g.node("Flatten", g.node("Exp", s.inputs[0]), axis=0),
            "has shape (1, 21) and dtype float32 in ONNX, but (7, 3)",
        ),
        (lambda g, s: g.node("Nonsense", s.inputs[0]), "onnx.export: ONNX's checker refuses the model: "),
        (lambda g, s: g.node("Gather", s.inputs[0], np.full(3, 9), axis=1), "ONNX's reference implementation fails"),
    ],
)
def test_a_wrong_translation_is_found(broken, message, tmp_path, monkeypatch):
    (tmp_path / "model.onnx").write_text("the old file")
    monkeypatch.setitem(nn.onnx.TRANSLATIONS, "exp", broken)
    with pytest.raises(GraphError) as raised:
        nn.onnx.export(Function(np.exp), X, tmp_path / "model.onnx")
    assert message in str(raised.value)
    assert (tmp_path / "model.onnx").read_text() == "the old file"


@pytest.mark.parametrize(("error", "caught"), [(0.0, False), (1e-6, False), (1e-2, True), (np.nan, True)])
def test_comparison(error, caught):
    y = np.array([1.0, np.inf, -2.0], np.float32)
    with pytest.raises(GraphError) if caught else nullcontext():
        checks._compare(y + np.array([error, 0, 0], np.float32), y, "output 0")


def test_outputs_that_are_arrays_are_outputs(tmp_path):
    def labels_too(x):
        y = np.tanh(x)
        return {
            "label": y.argmax(1),
            "score": y,
            "hot": nn.functional.one_hot(np.argmax(y, 1), 3),
            "names": np.arange(3),
        }

    check(Function(labels_too), X, tmp_path / "model.onnx")
