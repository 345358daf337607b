"""What the ONNX tests share: export, run under onnxruntime at several batch sizes, compare with the module."""

import numpy as np

import autograd as ag
import nn
import nn.onnx


class Function(nn.Module):
    """Be a module that applies a plain function."""

    def __init__(self, function):
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def flat(y):
    """List the Tensors of nested tuples, lists and dicts as arrays."""
    if isinstance(y, dict):
        y = list(y.values())
    if isinstance(y, tuple | list):
        return [array for part in y for array in flat(part)]
    return [y.data] if isinstance(y, ag.Tensor) else []


def ours(model, inputs):
    """Give the outputs of the module itself, in evaluation mode."""
    training = model.training
    with ag.no_grad():
        y = model.eval()(*[ag.Tensor(x) for x in inputs])
    model.train(training)
    return flat(y)


def session(path):
    """Load a file into onnxruntime; its warnings about the machine are switched off."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def resized(example, n, rng):
    """Draw ``n`` rows like those of the example."""
    if example.dtype.kind == "f":
        return rng.standard_normal((n, *example.shape[1:])).astype(example.dtype)
    return rng.integers(0, example.max() + 1, (n, *example.shape[1:]))


def check(model, example, path, batches=(1, 7), atol=1e-5, **options):
    """Export, and hold onnxruntime against the module at each batch size; return the loaded ONNX model."""
    import onnx

    nn.onnx.export(model, example, path, **options)
    examples = example if isinstance(example, tuple) else (example,)
    runtime, rng = session(path), np.random.default_rng(1)
    for n in batches:
        inputs = [resized(np.asarray(x), n, rng) for x in examples]
        expected = ours(model, inputs)
        found = runtime.run(None, {info.name: x for info, x in zip(runtime.get_inputs(), inputs, strict=True)})
        assert [y.shape for y in found] == [y.shape for y in expected]
        for y, mine in zip(found, expected, strict=True):
            assert y.dtype == mine.dtype
            np.testing.assert_allclose(y, mine, rtol=1e-4, atol=atol)
    return onnx.load(path, load_external_data=False)
