"""The view model: plain data between the graph and every output format. Writers read this and nothing else."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.viz.numbers import rms
from autograd.viz.theme import LOWEST, STEPS

NOT_KEPT = "not kept"  # what stands for a value that nobody holds
MEASURES = (
    "rms grad out",
    "rms grad in",
    "rms grad parameters",
)  # what colours a fold: the first that is known


@dataclass(slots=True)
class Part:
    """Describe a leaf that stands inside the card of the op that uses it: a weight, a bias, a target.

    One without a name has that of the op's input, if that says what it is, and its ``id`` is shown beside it.
    """

    id: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    value: Any
    grad: Any
    state: str
    note: str = ""
    size: float | None = None
    unnamed: bool = False


@dataclass(slots=True)
class Item:
    """Describe one thing that is drawn: a value with the op that made it, a constant, or a folded part.

    ``kind`` is ``value`` (with ``op`` when an op made it), ``outputs`` (an op with several), ``const`` (a number in
    the code), ``ref`` (one use of the value ``note``, which has many) or ``fold``. ``state`` is a key of
    ``theme.STATES``; ``alarm`` says that here is where the first inf or nan arose. With ``says`` a value is one card
    with its op, in which its ``parts`` stand, ``place`` is the module whose only card it is, and ``line`` the user's
    line that made it, where somebody watched.
    """

    id: str
    kind: str
    name: str = ""
    op: str = ""
    symbol: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    value: Any = None
    grad: Any = None
    state: str = "none"
    module: str = ""
    leaf: bool = False
    root: bool = False
    note: str = ""
    total: Any = None
    size: float | None = None
    alarm: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    says: str = ""
    call: list[str] = field(default_factory=list)
    place: str = ""
    line: str = ""
    parts: list[Part] = field(default_factory=list)

    @property
    def boxes(self) -> int:
        """Count the boxes that this item takes in the picture."""
        return 2 if self.op and self.kind == "value" and not self.says else 1


@dataclass(slots=True)
class Arrow:
    """Describe one edge: from a value into the op that used it, with what it added to the gradient of that value.

    ``skip`` says that it goes past a block. ``wraps`` tells of an edge into another row whether it runs ``back`` or
    stays ``level`` there; it is empty if the edge goes on.
    """

    id: str
    source: str
    target: str
    argument: str = ""
    share: Any = None
    state: str = "none"
    count: int = 1
    masked: int = 0
    size: float | None = None
    wraps: str = ""
    skip: bool = False


@dataclass(slots=True)
class Group:
    """Describe an open module: its items are drawn inside a frame."""

    id: str
    path: str
    kind: str
    parent: str
    depth: int
    text: str = ""


@dataclass(slots=True)
class View:
    """Hold a whole picture as data.

    ``now`` is what a frame of a replay is about; in a picture that is ``played`` no chart tells gradients before time.
    """

    items: list[Item]
    arrows: list[Arrow]
    groups: list[Group]
    folded: list[str]
    banner: str
    problems: list[str]
    total: int
    rankdir: str = "LR"
    starts: list[str] = field(default_factory=list)
    now: frozenset[str] = frozenset()
    played: bool = False

    @property
    def framed(self) -> bool:
        """Tell whether modules are frames: engines keep the order of rows only where no frame stands around them."""
        return len(self.starts) < 2

    @property
    def boxes(self) -> int:
        """Count the drawn boxes."""
        return sum(item.boxes for item in self.items)

    def step(self, size: float | None) -> int | None:
        """Place the size of a gradient on the colour scale, one step for each decade: 0 to ``STEPS - 1``."""
        if size is None or not size > 0 or not np.isfinite(size):
            return None
        return int(min(max(np.floor(np.log10(size) + 1e-9) - LOWEST, 0), STEPS - 1))


def measure(view: View) -> None:
    """Fill in the sizes of gradients: the root mean square per element, which is what the numbers in a box show."""
    grads: list[tuple[Item | Arrow | Part, Any]] = [(item, item.grad) for item in view.items]
    grads += [(part, part.grad) for item in view.items for part in item.parts]
    shares: list[tuple[Item | Arrow | Part, Any]] = [(arrow, arrow.share) for arrow in view.arrows]
    for thing, array in (*grads, *shares):
        if thing.state == "ok" and thing.size is None and array is not None:
            thing.size = rms(array)  # folded boxes know theirs, and have no array
