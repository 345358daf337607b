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


def flat(y, keep=False):
    """List the Tensors and arrays of nested tuples, lists and dicts, as arrays; to ``keep`` them, the Tensors alone."""
    if isinstance(y, dict):
        y = list(y.values())
    if isinstance(y, tuple | list):
        return [array for part in y for array in flat(part, keep)]
    if isinstance(y, ag.Tensor):
        return [y if keep else y.data]
    return [y] if isinstance(y, np.ndarray) and not keep else []


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


def check(model, example, path, batches=(1, 7), atol=1e-5, gradients=True, **options):
    """Export, and hold onnxruntime and what is read back against the module at each batch size.

    Return the ONNX model.
    """
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
        same_again(model, nn.onnx.load(path), inputs, atol, gradients)
    return onnx.load(path, load_external_data=False)


def learn(model, inputs):
    """Give the outputs, and the gradients of their weighted sum along inputs and parameters."""
    training = model.training
    given = [ag.Tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    model.eval().zero_grad()
    outputs = flat(model(*given), keep=True)
    sum((y * np.random.default_rng(2).standard_normal(y.shape)).sum() for y in outputs).backward()
    model.train(training)
    parameters = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad()
    return [y.data for y in outputs], [x.grad for x in given], parameters


def same_again(model, loaded, inputs, atol, gradients):
    """Hold what was read back against the module: outputs, gradients, and the names of the parameters."""
    (y, x, p), (y_again, x_again, p_again) = learn(model, inputs), learn(loaded, inputs)
    close(y, y_again, atol)
    if gradients:
        close(x, x_again, atol)
        values, there = model.state_dict(), loaded.state_dict()
        for name in p.keys() & p_again.keys():  # gates stand in another order there
            if np.array_equal(*(np.sort(state[name], axis=None) for state in (values, there))):
                close(*([None if g is None else np.sort(g.data, axis=None)] for g in (p[name], p_again[name])), atol)


def close(ours, theirs, atol):
    """Hold two lists of arrays, or None where there is no gradient, against each other."""
    assert [y is None for y in ours] == [y is None for y in theirs]
    for a, b in zip(ours, theirs, strict=True):
        if a is not None:
            a, b = np.asarray(a), np.asarray(b)
            assert a.dtype == b.dtype
            np.testing.assert_allclose(b, a, rtol=1e-3, atol=atol * max(1.0, np.abs(a).max(initial=0.0)))
