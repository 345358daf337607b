"""Files that are read back: what the module is made of, that it learns, and every file that is refused.

That outputs and gradients are the module's own is held for every op and system by ``runtime.check``.
"""

import pickle
from contextlib import suppress

import numpy as np
import pytest

import autograd as ag
import nn
import nn.onnx
from autograd.errors import ArgumentError, FileError, MissingRule, ShapeError
from nn.onnx import TRANSLATIONS
from nn.onnx.graph import Graph
from nn.onnx.lengths import BATCH, Axes
from nn.onnx.plan import make_plan
from nn.onnx.reader import OPS
from tests.nn.onnx.test_ops import CASES
from tests.nn.onnx.test_ops import X as SAMPLES

X = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def _tools(require):
    require("onnx")


@pytest.fixture
def path(tmp_path):
    """Export a small model with everything that a file can hold."""
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.LeakyReLU(0.2), nn.Linear(4, 2, rng=1))
    model.train()(X)
    nn.onnx.export(model, X, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def edited(path, change):
    """Change the protobuf of a file by hand."""
    import onnx

    model = onnx.load(path)
    change(model, onnx)
    path.write_bytes(model.SerializeToString())
    return path


def test_the_table_mirrors_the_export():
    """Each ONNX op that is written can be read, and no other."""
    written = set()
    for function in CASES.values():
        plan = make_plan(function, [[SAMPLES[:n]] for n in (2, 3)], Axes(({0: BATCH},), {BATCH: 4}), {}, TRANSLATIONS)
        written |= {node.op_type for node in Graph(17, TRANSLATIONS).build(plan, "test").graph.node}
    layers = {"Gemm", "Conv", "MaxPool", "AveragePool", "LayerNormalization", "BatchNormalization", "IsNaN", "Split"}
    layers.add("ConvTranspose")
    assert set(OPS) == written | layers | {"LSTM", "GRU", "RNN"}


def test_names_are_those_of_the_module(path):
    loaded = nn.onnx.load(path)
    assert list(dict(loaded.named_parameters())) == [f"{i}.{n}" for i in (0, 1, 3) for n in ("weight", "bias")]
    fresh = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LeakyReLU(0.2), nn.Linear(4, 2)).eval()
    fresh.load_state_dict(loaded.state_dict())
    np.testing.assert_allclose(fresh(X).data, loaded(X).data, rtol=1e-6)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(loaded))(X).data, loaded(X).data)


def test_it_can_be_trained_and_exported_again(path):
    loaded, target = nn.onnx.load(path), np.array([0, 1, 0, 1])
    trainer = nn.Trainer(loaded, nn.CrossEntropyLoss(), nn.optim.Adam(loaded.parameters(), lr=0.1))
    history = trainer.fit(X, target, epochs=30, rng=0, progress=False)
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    nn.onnx.export(loaded, X, path)
    np.testing.assert_allclose(nn.onnx.load(path)(X).data, loaded(X).data, rtol=1e-5, atol=1e-6)


def rename(name):
    def change(model, onnx):
        old, model.graph.initializer[0].name = model.graph.initializer[0].name, name
        for node in model.graph.node:
            node.input[:] = [name if x == old else x for x in node.input]

    return change


def attribute(at, **given):
    return lambda model, onnx: model.graph.node[at].attribute.extend(
        onnx.helper.make_attribute(name, value) for name, value in given.items()
    )


def outside(model, onnx):
    array = model.graph.initializer[0]
    array.ClearField("raw_data")
    array.data_location = onnx.TensorProto.EXTERNAL
    array.external_data.add(key="location", value="/etc/passwd")


def aged(model, onnx):
    model.opset_import[0].version = 12


def strange(model, onnx):
    model.graph.node[0].op_type, model.graph.node[0].domain = "Gemm", "com.example"
    model.opset_import.add(domain="com.example", version=1)


def misnamed(model, onnx):
    model.graph.node[0].op_type = "Gamm"


FILES = {
    "misnamed op": (misnamed, FileError, "is not a whole ONNX model: No Op registered for Gamm"),
    "domain": (strange, MissingRule, "onnx.load: Gemm (node '0/Gemm') has no counterpart here."),
    "attribute": (attribute(1, training_mode=1), FileError, "is not a whole ONNX model"),
    "outside": (outside, FileError, "'0.weight' stands in another file; external data is not read."),
    "old": (aged, FileError, "has opset 12; 17 and newer are read. Convert it: onnx.version_converter."),
    **{
        name: (rename(name), FileError, f"onnx.load: no parameter can have the name {name!r}.")
        for name in (
            "forward",
            "forward.x",
            "__class__.x",
            "nodes.x",
            "takes",
            "__init__.x.y",
            "__dict__.forward",
            "3.forward",
        )
    },
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_refused(name, path):
    change, error, message = FILES[name]
    before = dict(vars(nn.Module))
    with pytest.raises(error) as raised:
        nn.onnx.load(edited(path, change))
    assert message in str(raised.value)
    assert dict(vars(nn.Module)) == before


def test_an_op_or_attribute_without_counterpart_is_named(path):
    def node(op, *inputs, **attributes):
        def change(model, onnx):
            model.graph.node[0].CopyFrom(onnx.helper.make_node(op, inputs, ["y"], name="here", **attributes))
            model.graph.node[1].CopyFrom(onnx.helper.make_node("Identity", ["y"], ["output"]))
            del model.graph.node[2:]
            model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.array(1), "axis"))
            model.graph.output[0].type.CopyFrom(model.graph.input[0].type)

        return change

    with pytest.raises(MissingRule, match=r"onnx\.load: Selu \(node 'here'\) has no counterpart here\."):
        nn.onnx.load(edited(path, node("Selu", "input")))
    with pytest.raises(MissingRule, match=r"onnx\.load: exclusive of CumSum \(node 'here'\) has no counterpart here\."):
        nn.onnx.load(edited(path, node("CumSum", "input", "axis", exclusive=1)))
    loaded = nn.onnx.load(edited(path, node("CumSum", "input", "axis", exclusive=0)))  # which is the default
    np.testing.assert_allclose(loaded(X).data, X.cumsum(axis=1), rtol=1e-5)


def test_inputs_that_do_not_fit(path):
    loaded = nn.onnx.load(path)
    with pytest.raises(ArgumentError, match="the file has the inputs input; got 2"):
        loaded(X, X)
    with pytest.raises(ShapeError, match=r"input has shape \(4, 2\); the file says \(batch, 3\)\."):
        loaded(X[:, :2])
    assert isinstance(loaded(X.tolist()), ag.Tensor)


def test_damaged_files(path):
    """Whatever stands in the bytes: one of our errors, or a model."""
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    with pytest.raises(FileError, match=r"cannot read .*nowhere"):
        nn.onnx.load(path.parent / "nowhere")
    for data in (b"", b"hello world", whole[:-5], whole[: len(whole) // 2]):
        path.write_bytes(data)
        with pytest.raises(FileError, match="is not a whole ONNX model"):
            nn.onnx.load(path)
    for _ in range(200):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 3):
            data[at] = rng.integers(0, 256)
        path.write_bytes(data)
        with suppress(ag.AutogradError):
            assert isinstance(nn.onnx.load(path), nn.Module)
