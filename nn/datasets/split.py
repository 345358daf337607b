"""Hold a part of the data back, to measure what was learned and not what was remembered."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError, ShapeError
from nn.hints import hinted
from nn.inputs import generator_of, refuse_masked


@hinted
def train_test_split(
    *arrays: NDArray[Any], test_size: float | int = 0.25, rng: np.random.Generator | int | None = None
) -> list[NDArray[Any]]:
    """Shuffle arrays together and cut each in two: a part to learn from, and a part to measure on.

    ``x_train, x_test, y_train, y_test = train_test_split(x, y, rng=0)``. ``test_size`` is a fraction of the rows
    (rounded up) or their number; frames and sparse matrices stay what they are. Arrays of different lengths are a
    ShapeError, an empty part is an ArgumentError. (N, …) -> (N − held, …), (held, …).

    >>> x_train, x_test = train_test_split(np.arange(8.0), test_size=2, rng=0)
    >>> x_train.shape, x_test.shape
    ((6,), (2,))
    """
    lengths = [array.shape[0] if hasattr(array, "shape") else len(array) for array in arrays]
    if len(set(lengths)) != 1:
        raise ShapeError(
            f"train_test_split got arrays of lengths {lengths}; give one or more arrays with the same number of rows."
        )
    n = lengths[0]
    held = int(np.ceil(test_size * n)) if isinstance(test_size, float) else test_size
    if not 0 < held < n:
        raise ArgumentError(
            f"train_test_split: test_size={test_size} of {n} rows leaves {n - held} to train on and {held} to test on; "
            "both parts need at least one row."
        )
    order = generator_of(rng).permutation(n)
    return [_rows(array, part) for array in arrays for part in (order[held:], order[:held])]


def _rows(array: Any, part: NDArray[Any]) -> Any:
    """Take rows of an array, or of a frame or sparse matrix, which stays one."""
    refuse_masked(array, "train_test_split: an array")
    if hasattr(array, "iloc"):
        return array.iloc[part]
    return array.tocsr()[part] if hasattr(array, "tocsr") else np.asarray(array)[part]
