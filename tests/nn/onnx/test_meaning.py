"""Files of other programs: what is read means what onnxruntime makes of it, in shape, dtype, value; or is refused."""

import importlib
import warnings

import numpy as np
import pytest

import autograd as ag
import nn.onnx
from autograd.errors import ArgumentError, FileError, ShapeError
from nn.onnx.reader import OPS
from tests.nn.onnx.rows import GROUPS, case, draw


@pytest.fixture
def onnx(require):
    require("onnx")
    return importlib.import_module("onnx")


def made(onnx, op, inputs, opset, outputs, attributes):
    """Make the file, and say what is fed into it."""
    helper, names = onnx.helper, ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    given = {n: x for n, x in zip(names, inputs, strict=True) if x is not None}
    fixed = op in (
        "RNN",
        "GRU",
        "LSTM",
        "Conv",
        "ConvTranspose",
    )  # their weights are constants, and so are integers beside the first
    held = {n for n, x in given.items() if n != "x0" and (fixed or x.dtype == np.int64)}
    fed = {n: x for n, x in given.items() if n not in held}
    kinds = {n: helper.np_dtype_to_tensor_dtype(x.dtype) for n, x in fed.items()}
    results = [f"y{i}" for i in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node(op, names, results, name="node", **attributes)],
        "graph",
        [helper.make_tensor_value_info(n, kinds[n], x.shape) for n, x in fed.items()],
        [onnx.ValueInfoProto(name=name) for name in results],
        [onnx.numpy_helper.from_array(given[n], n) for n in sorted(held)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model), fed


def theirs(model, fed):
    """Run under onnxruntime; None where it refuses."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    try:
        runtime = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return runtime.run(None, fed)
    except Exception:
        return None


def ours(model, fed, path):
    """Read and run; None where it is refused by an error of ours."""
    path.write_bytes(model.SerializeToString())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # nan and inf are values like others here
            y = nn.onnx.load(path)(*fed.values())
    except ag.AutogradError:
        return None
    return [x.data if isinstance(x, ag.Tensor) else x for x in (y if isinstance(y, tuple) else (y,))]


@pytest.mark.parametrize("group", GROUPS, ids=lambda f: f.__name__)
def test_as_in_onnxruntime(group, onnx, tmp_path):
    same, refused = 0, 0
    for row in group():
        model, fed = made(onnx, *row)
        expected, found = theirs(model, fed), ours(model, fed, tmp_path / "m.onnx")
        if expected is None or found is None:
            refused += expected is not None
            continue
        same += 1
        for x, y in zip(found, expected, strict=True):
            what = f"{row[0]} of {[None if x is None else (x.dtype, x.shape) for x in row[1]]}, {row[2:]}"
            assert (x.dtype, x.shape) == (y.dtype, y.shape), what
            np.testing.assert_allclose(x, y, 1e-4, 1e-4 if y.dtype != np.float64 else 1e-7, err_msg=what)
    assert same > 0.3 * (same + refused)


def test_every_op_that_is_read_is_tried():
    tried = {row[0] for group in GROUPS for row in group()}
    assert set(OPS) - tried == set()


def chain(onnx, *nodes, shape=(2, 7), **constants):
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node(op, inputs, outputs, name=op) for op, inputs, outputs in nodes],
        "graph",
        [helper.make_tensor_value_info("x", 1, shape)],
        [onnx.ValueInfoProto(name="y")],
        [onnx.numpy_helper.from_array(np.array(value, np.int64), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)


def test_half_of_a_shape(onnx, tmp_path):
    model = chain(onnx, ("Shape", ["x"], ["s"]), ("Div", ["s", "two"], ["y"]), two=2)
    assert ours(model, {"x": np.ones((2, 7))}, tmp_path / "m")[0].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        ([("Div", ["n", "zero"], ["y"])], {"n": 1, "zero": 0}, r"Div \(node 'Div'\): integers are divided by 0\."),
        ([("Pow", ["n", "m"], ["y"])], {"n": 9, "m": 99}, "a power of integers leaves the range in which float64"),
        ([("Gather", ["x", "n"], ["y"])], {"n": 9}, r"Gather \(node 'Gather'\): index 9 is out of bounds"),
        ([("ReduceMean", ["n"], ["y"])], {"n": [1, 2]}, "int64 has no counterpart"),
        ([("Pad", ["x", "n"], ["y"])], {"n": [0, -1, 0, 0]}, "pads are negative"),
        ([("Split", ["x", "n"], ["y", "z"])], {"n": [1, 5]}, "is not a whole ONNX model"),
        (
            [("Squeeze", ["x", "n"], ["y"])],
            {"n": []},
            r"Squeeze \(node 'Squeeze'\) gives float32 of shape \(7,\) here and float32 of shape \(1, 7\) in ONNX",
        ),
    ],
)
def test_refusals_name_the_node(nodes, constants, message, onnx, tmp_path):
    shape = (1, 7) if "of shape" in message else (2, 7)
    (tmp_path / "m").write_bytes(chain(onnx, *nodes, shape=shape, **constants).SerializeToString())
    with pytest.raises((ArgumentError, FileError), match=message):
        nn.onnx.load(tmp_path / "m")(np.ones(shape))


def test_what_goes_in_is_not_rounded(onnx, tmp_path):
    model, _ = made(onnx, *case("Neg", draw("i4", 3)))
    (tmp_path / "m").write_bytes(model.SerializeToString())
    loaded = nn.onnx.load(tmp_path / "m")
    assert loaded([1, 2.0, 3]).tolist() == [-1, -2, -3]
    with pytest.raises(ArgumentError, match="x0 holds float64, and the file takes int32"):
        loaded([1, 2.5, 3])
    with pytest.raises(ShapeError, match=r"x0 has shape \(2,\); the file says \(3\)"):
        loaded([1, 2])


def test_constants_that_are_listed_among_the_inputs_are_none(onnx, tmp_path):
    """Files of ONNX 1.2 and older do so."""
    model = chain(onnx, ("Gather", ["x", "n"], ["y"]), n=1)
    model.graph.input.append(onnx.helper.make_tensor_value_info("n", 7, ()))
    assert ours(model, {"x": np.ones((2, 7))}, tmp_path / "m")[0].shape == (7,)
