"""An example for each method of a Tensor: a line, which is run when the site is built, and shown with its gradient."""

import numpy as np

import autograd as ag

START = "x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)"
_UNSORTED = "v = ag.Tensor([3.0, 1.0, 2.0])"
# What to run. Of a result that can be differentiated the gradient of its sum is shown too.
EXAMPLES = {
    "T": "x.T",
    "abs": "(x - 3).abs()",
    "all": "ag.Tensor([1.0, 0.0]).all()",
    "any": "ag.Tensor([1.0, 0.0]).any()",
    "argmax": "x.argmax(axis=1)",
    "argmin": "x.argmin(axis=0)",
    "argsort": "(-x).argsort(axis=1)",
    "astype": "x.astype(np.float32)",
    "backward": "(x * x).sum().backward(); x.grad",
    "choose": "ag.Tensor([0, 1]).choose([x[0], x[1]])",
    "clip": "x.clip(2, 5)",
    "compress": "x.compress([False, True], axis=1)",
    "conj": "x.conj()",
    "conjugate": "x.conjugate()",
    "copy": "x.copy()",
    "cumprod": "x.cumprod(axis=1)",
    "cumsum": "x.cumsum(axis=1)",
    "data": "x.data",
    "detach": "(x * x).detach()",
    "diagonal": "x.diagonal()",
    "dot": "x.dot(np.array([1.0, 10.0]))",
    "dtype": "x.dtype",
    "exp": "(x / 4).exp()",
    "fill": f"{_UNSORTED}; v.fill(0); v",
    "flatten": "x.flatten()",
    "grad": "(x * x).sum().backward(); x.grad",
    "imag": "x.imag",
    "is_leaf": "x.is_leaf, (x * 2).is_leaf",
    "item": "x.sum().item()",
    "log": "x.log()",
    "mT": "x.mT",
    "max": "x.max(axis=1)",
    "mean": "x.mean()",
    "min": "x.min(axis=0)",
    "name": "ag.Tensor(1.0, name='w').name",
    "nbytes": "x.nbytes",
    "ndim": "x.ndim",
    "nonzero": "ag.Tensor([5.0, 0.0, 7.0]).nonzero()",
    "numpy": "x.numpy()",
    "partition": f"{_UNSORTED}; v.partition(1); v",
    "prod": "x.prod(axis=1)",
    "ptp": "x.ptp(axis=1)",
    "ravel": "x.ravel()",
    "real": "x.real",
    "relu": "(x - 3).relu()",
    "repeat": "x.repeat(2, axis=0)",
    "requires_grad": "x.requires_grad",
    "reshape": "x.reshape(4)",
    "retain_grad": "h = x * x; h.retain_grad(); h.sum().backward(); h.grad",
    "round": "(x / 3).round(1)",
    "searchsorted": "ag.Tensor([1.0, 3.0, 5.0]).searchsorted(4.0)",
    "shape": "x.shape",
    "sigmoid": "(x - 3).sigmoid()",
    "size": "x.size",
    "softmax": "x.softmax(axis=1)",
    "sort": f"{_UNSORTED}; v.sort(); v",
    "sqrt": "x.sqrt()",
    "squeeze": "x[:1].squeeze()",
    "std": "x.std()",
    "sum": "x.sum(axis=0)",
    "swapaxes": "x.swapaxes(0, 1)",
    "take": "x.take([1, 1], axis=1)",
    "tanh": "(x / 4).tanh()",
    "tolist": "x.tolist()",
    "trace": "x.trace()",
    "transpose": "x.transpose(1, 0)",
    "var": "x.var(axis=1)",
    "zero_grad": "x.sum().backward(); x.zero_grad(); print(x.grad)",
}


def run(code: str) -> list[str]:
    """Give the lines of a session: the example, its result and, where there is one, the gradient of its sum."""
    space = {"ag": ag, "np": np}
    *before, last = code.split("; ")
    shown = []
    for line in (START, *before):
        exec(line, space)
        shown.append(f">>> {line}")
    result = eval(last, space) if not last.startswith("print") else None
    if not (isinstance(result, ag.Tensor) and result.requires_grad):
        return [*shown, f">>> {last}", *repr(result).splitlines()]
    result.sum().backward()
    shown += [f">>> y = {last}", ">>> y", *repr(result).splitlines()]
    return [*shown, ">>> y.sum().backward()", ">>> x.grad", *repr(space["x"].grad).splitlines()]


def example_of(name: str) -> list[str]:
    """Give the lines that the reference of a method ends with."""
    return ["", *run(EXAMPLES[name]), ""] if name in EXAMPLES else []
