"""Real handwritten digits, shipped with the package (``data/README.md`` names source and licence)."""

from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.hints import hinted


@hinted
def load_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Load 1,797 images of handwritten digits and what they show.

    Returns images ``(1797, 8, 8)``, float32 from 0 (paper) to 1 (ink), and labels ``(1797,)``, int64 from 0 to 9, in
    the order of the source: writer after writer, so shuffle before you split (``train_test_split`` does). Any
    argument is a CallError.

    >>> images, labels = load_digits()
    >>> images.shape, labels[:5]
    ((1797, 8, 8), array([0, 1, 2, 3, 4]))

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998 (CC BY 4.0).
    """
    with (files("nn.datasets") / "data" / "digits.npz").open("rb") as file, np.load(file) as stored:
        images: NDArray[Any] = stored["images"]
        labels: NDArray[Any] = stored["labels"]
    return images.astype(np.float32) / np.float32(16.0), labels.astype(np.int64)
