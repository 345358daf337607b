"""What usually helps against a nan or inf, by the op that made it."""

LOGARITHM = "np.log needs numbers above 0: use np.log(x + 1e-12), np.log1p, or ag.log_softmax for probabilities."
ROOT = "A root needs numbers of 0 or more: take np.maximum(x, 0), or look at why it got a negative one."
DIVISION = "Keep the divisor away from 0: x / (y + 1e-12), or np.where(y == 0, 1.0, y) below the fraction."
OVERFLOW = (
    "exp overflows above 88 (float32) or 709 (float64): subtract the maximum first (ag.softmax and ag.logsumexp do), "
    "or use np.log1p, ag.softplus, ag.sigmoid."
)
POWER = "A power is real for a base of 0 or more, or a whole exponent: take np.abs(x) or np.maximum(x, 0) as the base."
GREW = "The numbers grew too large: lower the learning rate, clip the gradients, or normalise the inputs."
SINGULAR = "The matrix is singular, or nearly: add a small multiple of np.eye to it, or use np.linalg.lstsq."
DOMAIN = "The function has no finite value there: clip its input (np.clip) to where it has one."
MASKED = "A row that is masked whole has no maximum and no softmax: leave one element in, or skip the row."
KINK = (
    "Its derivative is infinite there: add a small number inside (np.sqrt(x + 1e-12)), or choose the input with "
    "np.where before the op."
)
SLOPE = "Its derivative is not finite there: keep the input away from that point (np.clip, or a small number added)."

FORWARD = {
    **dict.fromkeys(("log", "log2", "log10", "log1p", "logit"), LOGARITHM),
    "sqrt": ROOT,
    **dict.fromkeys(("divide", "reciprocal", "remainder", "fmod"), DIVISION),
    **dict.fromkeys(("exp", "exp2", "expm1", "sinh", "cosh", "logaddexp"), OVERFLOW),
    **dict.fromkeys(("power", "float_power"), POWER),
    **dict.fromkeys(("inv", "solve", "pinv", "det", "slogdet", "cholesky"), SINGULAR),
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "arccosh", "tan"), DOMAIN),
    **dict.fromkeys(("softmax", "log_softmax", "logsumexp"), MASKED),
}
BACKWARD = {
    **dict.fromkeys(("sqrt", "cbrt", "power", "float_power", "norm", "std", "arcsin", "arccos"), KINK),
    **dict.fromkeys(("exp", "exp2", "expm1"), OVERFLOW),
    **dict.fromkeys(("eigh", "svd", "qr"), "Equal eigenvalues have no single derivative: add small, distinct numbers."),
}


def advice(op: str, backward: bool) -> str:
    """Tell what usually helps where an op made a nan or inf of finite numbers, forwards or backwards."""
    return BACKWARD.get(op, SLOPE) if backward else FORWARD.get(op, GREW)


def on_input() -> str:
    """Tell what usually helps where a number was not finite before anything was computed."""
    return "Look at the data: np.isfinite(x).all() should hold before it enters, and for each parameter after a step."
