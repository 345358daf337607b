"""Figures of matplotlib, which is loaded at the first one."""

import io
from functools import partial
from typing import Any

from autograd.errors import missing


def new_figure(who: str, width: float, height: float) -> Any:
    """Make a figure that a notebook shows as a picture, also when nobody has imported ``pyplot``.

    ``who`` is named in the MissingExtra error where matplotlib is not installed; sizes are in inches.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing(who, "plot") from None
    figure: Any = Figure(figsize=(width, height), layout="constrained")
    figure._repr_png_ = partial(_png, figure)  # without pyplot, IPython knows no other way to show it
    return figure


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
