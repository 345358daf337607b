"""Calls whose shapes do not fit: name -> (call of a (2, 3) and b (4,), op, shapes to be named).

An op that is made of another one may be named by either: ``dot|matmul``."""

import numpy as np

import autograd as ag
import nn.functional as F

AB = ("(2, 3)", "(4,)")
A3 = np.ones(3)


def written(a, b):
    y = a * 1
    y[0] = b
    return y


def added(a, b):
    y = a * 1
    y += b
    return y


def grown(a, b):
    y = b * 1
    y += a  # broadcasting the other way round does not fit into y
    return y


ELEMENTWISE = {
    np.add: "add",
    np.subtract: "subtract",
    np.multiply: "multiply",
    np.divide: "divide",
    np.power: "power",
    np.float_power: "float_power",
    np.maximum: "maximum",
    np.minimum: "minimum",
    np.fmax: "fmax",
    np.fmin: "fmin",
    np.arctan2: "arctan2",
    np.hypot: "hypot",
    np.logaddexp: "logaddexp",
    np.logaddexp2: "logaddexp2",
    np.remainder: "remainder",
    np.fmod: "fmod",
    np.copysign: "copysign",
}
MISFITS = {
    **{f"np.{name}": (lambda a, b, f=f: f(a, b), name, AB) for f, name in ELEMENTWISE.items()},
    **{
        f"np.{name} of a Tensor and an array": (lambda a, b, f=f: f(a, np.ones(4)), name, AB)
        for f, name in list(ELEMENTWISE.items())[:8]
    },
    **{
        f"np.{name} of an array and a Tensor": (lambda a, b, f=f: f(np.ones((2, 3)), b), name, AB)
        for f, name in list(ELEMENTWISE.items())[:4]
    },
    "a + b": (lambda a, b: a + b, "add", AB),
    "a - b": (lambda a, b: a - b, "subtract", AB),
    "a * b": (lambda a, b: a * b, "multiply", AB),
    "a / b": (lambda a, b: a / b, "divide", AB),
    "a ** b": (lambda a, b: a**b, "power", AB),
    "a % b": (lambda a, b: a % b, "remainder", AB),
    "array + b": (lambda a, b: np.ones((2, 3)) + b, "add", AB),
    "a @ b": (lambda a, b: a @ b, "matmul", AB),
    "b @ a": (lambda a, b: b @ a, "matmul", AB),
    "a @ a": (lambda a, b: a @ a, "matmul", ("(2, 3)",)),
    "np.matmul of stacks": (
        lambda a, b: np.matmul(np.stack([a, a]), np.ones((3, 3, 2))),
        "matmul",
        ("(2, 2, 3)", "(3, 3, 2)"),
    ),
    "np.dot": (lambda a, b: np.dot(a, b), "dot|matmul", AB),
    "np.inner": (lambda a, b: np.inner(a, b), "inner|tensordot", AB),
    "np.vdot": (lambda a, b: np.vdot(a, b), "vdot|matmul", ("(4,)",)),
    "np.vecdot": (lambda a, b: np.vecdot(a, b), "vecdot", AB),
    "np.linalg.vecdot": (lambda a, b: np.linalg.vecdot(a, b), "vecdot", AB),
    "np.tensordot": (lambda a, b: np.tensordot(a, b, 1), "tensordot", AB),
    "np.einsum, lengths": (lambda a, b: np.einsum("ij,j->i", a, b), "einsum", AB),
    "np.einsum, axes": (lambda a, b: np.einsum("ijk,k->i", a, b), "einsum", ("(2, 3)",)),
    "np.cross": (lambda a, b: np.cross(a, b), "cross", AB),
    "np.linalg.multi_dot": (
        lambda a, b: np.linalg.multi_dot([a, np.ones((4, 2)), np.ones((2, 2))]),
        "multi_dot|matmul",
        ("(2, 3)", "(4, 2)"),
    ),
    "np.where": (lambda a, b: np.where(True, a, b), "where", AB),
    "np.where, condition": (lambda a, b: np.where(np.ones(4, bool), a, 0.0), "where", AB),
    "np.clip": (lambda a, b: np.clip(a, b, 9.0), "clip", AB),
    "np.concatenate, axes": (lambda a, b: np.concatenate([a, b]), "concatenate", AB),
    "np.concatenate, lengths": (lambda a, b: np.concatenate([a, np.ones((2, 4))]), "concatenate", ("(2, 3)", "(2, 4)")),
    "np.stack": (lambda a, b: np.stack([a, b]), "stack", AB),
    "np.hstack": (lambda a, b: np.hstack([a, np.ones((3, 3))]), "hstack|concatenate", ("(2, 3)", "(3, 3)")),
    "np.vstack": (lambda a, b: np.vstack([a, b]), "vstack|concatenate", ("3", "4")),
    "np.column_stack": (lambda a, b: np.column_stack([a, b]), "column_stack|concatenate", ("(2, 3)", "4")),
    "np.append": (lambda a, b: np.append(a, np.ones((2, 4)), axis=0), "append|concatenate", ("(2, 3)", "(2, 4)")),
    "np.broadcast_to": (lambda a, b: np.broadcast_to(a, (4,)), "broadcast_to", AB),
    "np.broadcast_arrays": (lambda a, b: np.broadcast_arrays(a, b), "broadcast", AB),
    "reshape": (lambda a, b: a.reshape(4), "reshape", AB),
    "reshape with -1": (lambda a, b: a.reshape(4, -1), "reshape", ("(2, 3)", "4")),
    "np.reshape": (lambda a, b: np.reshape(a, (4,)), "reshape", AB),
    "transpose": (lambda a, b: a.transpose(0, 1, 2), "transpose", ("(2, 3)",)),
    "squeeze": (lambda a, b: np.squeeze(a, axis=0), "squeeze", ("(2, 3)",)),
    "np.split": (lambda a, b: np.split(b, 3), "split", ("(4,)", "3")),
    "np.repeat": (lambda a, b: np.repeat(b, [1, 2]), "repeat", ("(4,)",)),
    "np.compress": (lambda a, b: np.compress(np.ones(9, bool), b), "compress", ("(4,)",)),
    "np.take_along_axis": (
        lambda a, b: np.take_along_axis(a, np.zeros(4, int), 1),
        "take_along_axis",
        ("(2, 3)", "(4,)"),
    ),
    "np.choose": (lambda a, b: np.choose(np.array([0, 1, 0]), [a, b]), "choose", AB),
    "np.select": (lambda a, b: np.select([np.ones((2, 3), bool)], [b]), "select", AB),
    "y[0] = b": (written, "", ("(3,)", "(4,)")),
    "y += b": (added, "", AB),
    "y += a, which is larger": (grown, "", AB),
    "np.linalg.inv": (lambda a, b: np.linalg.inv(a), "inv", ("(2, 3)",)),
    "np.linalg.inv of a vector": (lambda a, b: np.linalg.inv(b), "inv", ("(4,)",)),
    "np.linalg.det": (lambda a, b: np.linalg.det(a), "det", ("(2, 3)",)),
    "np.linalg.slogdet": (lambda a, b: np.linalg.slogdet(a), "slogdet", ("(2, 3)",)),
    "np.linalg.cholesky": (lambda a, b: np.linalg.cholesky(a), "cholesky", ("(2, 3)",)),
    "np.linalg.eigh": (lambda a, b: np.linalg.eigh(a), "eigh", ("(2, 3)",)),
    "np.linalg.eigvalsh": (lambda a, b: np.linalg.eigvalsh(a), "eigvalsh", ("(2, 3)",)),
    "np.linalg.matrix_power": (lambda a, b: np.linalg.matrix_power(a, 2), "matrix_power", ("(2, 3)",)),
    "np.linalg.solve": (lambda a, b: np.linalg.solve(np.eye(3) + 0 * a[0], b), "solve", ("(3, 3)", "(4")),
    "np.linalg.solve, not square": (lambda a, b: np.linalg.solve(a, b), "solve", ("(2, 3)",)),
    "np.linalg.svd": (lambda a, b: np.linalg.svd(b), "svd", ("(4,)",)),
    "np.linalg.qr": (lambda a, b: np.linalg.qr(b), "qr", ("(4,)",)),
    "np.linalg.pinv": (lambda a, b: np.linalg.pinv(b), "pinv", ("(4,)",)),
    "np.linalg.lstsq": (lambda a, b: np.linalg.lstsq(a, b, rcond=None), "lstsq", AB),
    "np.trace": (lambda a, b: np.trace(b), "trace", ("(4,)",)),
    "np.diagonal": (lambda a, b: np.diagonal(b), "diagonal", ("(4,)",)),
    "np.average, weights": (lambda a, b: np.average(b, weights=A3), "average", ("(4,)", "(3,)")),
    "np.interp": (lambda a, b: np.interp(0.5, A3, b), "interp", ("(3,)", "(4,)")),
    "np.trapezoid": (lambda a, b: np.trapezoid(b, A3), "", ("(4,)", "(3,)")),
    "np.convolve": (lambda a, b: np.convolve(a, A3), "convolve", ("(2, 3)",)),
    "np.bincount, weights": (lambda a, b: np.bincount([0, 1, 1], b), "bincount", ("(3,)", "(4,)")),
    "np.polyfit": (lambda a, b: np.polyfit(A3, b, 1), "polyfit", ("3", "4")),
    "np.cov": (lambda a, b: np.cov(b, A3), "cov", ("4", "3")),
    "np.sum, where": (lambda a, b: np.sum(a, where=np.ones(4, bool)), "sum", AB),
    "np.kron of stacks": (lambda a, b: np.linalg.outer(a, b), "outer", AB),
    "F.linear": (lambda a, b: F.linear(a, np.ones((2, 5))), "linear", ("(2, 3)", "(2, 5)")),
    "F.mse_loss": (lambda a, b: F.mse_loss(a, b), "mse_loss", AB),
    "F.layer_norm": (lambda a, b: F.layer_norm(a, (4,)), "layer_norm", ("(2, 3)", "4")),
    "own op": (lambda a, b: OWN(a, b), "mine", AB),
    "own elementwise op": (lambda a, b: OWN_ELEMENTWISE(a, b), "pairwise", AB),
    "backward, gradient": (lambda a, b: (a * 2).backward(b.detach()), "backward", AB),
    "ag.vjp, cotangent": (lambda a, b: ag.vjp(np.sin, a.detach())[1](b.detach()), "", AB),
    "ag.jvp, tangent": (lambda a, b: ag.jvp(np.sin, (a.detach(),), (b.detach(),)), "jvp", AB),
}
OWN = ag.op(lambda a, b: a + b, vjp=lambda g: (g, g), name="mine")
OWN_ELEMENTWISE = ag.op(
    lambda a, b: a * b, vjp=dict(a=lambda g, b: g * b, b=lambda g, a: g * a), elementwise=True, name="pairwise"
)

if hasattr(np, "matvec"):  # NumPy >= 2.2
    MISFITS["np.matvec"] = (lambda a, b: np.matvec(a, b), "matvec|matmul", ("(2, 3)", "(4"))
    MISFITS["np.vecmat"] = (lambda a, b: np.vecmat(b, a), "vecmat|matmul", ("(2, 3)", "4"))
