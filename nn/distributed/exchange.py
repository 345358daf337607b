"""Exchange: what is summed over the ranks in a step lies in one flat buffer, so that a step takes one Allreduce."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from nn.distributed.world import World
from nn.module import Module

Array = NDArray[Any]


class Exchange:
    """Sum numbers, running statistics and gradients: ``[numbers | buffers | which have a gradient | gradients]``.

    The numbers stand in the dtype of the parameters, at least float32.
    """

    def __init__(self, world: World, model: Module, numbers: int) -> None:
        self.world, self.numbers = world, numbers
        self.names = dict(model.named_parameters())
        self.parameters = list(self.names.values())
        paths = dict(model.named_modules())
        places = [(paths[path], leaf) for path, _, leaf in (name.rpartition(".") for name, _ in model.named_buffers())]
        self.places = [(module, name) for module, name in places if getattr(module, name).dtype.kind == "f"]
        self._trained: list[Any] = []
        # Weights that lie transposed on all ranks travel so; a rank that holds one otherwise must not change the order.
        plain = world.any(*[not (p.ndim == 2 and p.data.T.flags.c_contiguous) for p in self.parameters])
        self._turned = {p for p, otherwise in zip(self.parameters, plain, strict=True) if not otherwise}
        self._plan()

    def _plan(self) -> None:
        """Lay out the buffer for the parameters that are trained now; frozen ones do not travel."""
        self._trained = [p for p in self.parameters if p.requires_grad]
        held = [getattr(module, name) for module, name in self.places]
        dtype = np.result_type(np.float32, *(x.dtype for x in [*held, *self._trained]))
        sizes = [self.numbers, *(b.size for b in held), len(self._trained), *(p.size for p in self._trained)]
        ends = np.cumsum(sizes).tolist()
        self._flat = np.zeros(ends[-1], dtype)
        parts = [self._flat[end - size : end] for end, size in zip(ends, sizes, strict=True)]
        self._head = ends[len(held)]
        self._first, middle, self._has = parts[0], parts[1 : len(held) + 1], parts[len(held) + 1]
        self._buffers = [view.reshape(b.shape) for view, b in zip(middle, held, strict=True)]
        last = parts[len(held) + 2 :]
        self._gradients = [
            view.reshape(p.shape[::-1]).T if p in self._turned else view.reshape(p.shape)
            for view, p in zip(last, self._trained, strict=True)
        ]

    def sum(self, numbers: Sequence[float], share: float, gradients: bool) -> list[float]:
        """Return the sums of ``numbers``; let each buffer be the mean over ranks by ``share``, each gradient the sum.

        A parameter without gradient on any rank keeps None. One Allreduce, over the head alone if ``gradients`` is
        False.
        """
        if gradients and [p for p in self.parameters if p.requires_grad] != self._trained:
            self._plan()
        self._first[:] = numbers
        for view, (module, name) in zip(self._buffers, self.places, strict=True):
            np.multiply(getattr(module, name), share, out=view)
        if gradients:
            self._collect()
        mark = zlib.crc32(repr((gradients, self._flat.size, self._known())).encode()) >> 1
        if not self.world.add(self._flat if gradients else self._flat[: self._head], mark):
            self.world.same("a step", {"the step": "made" if gradients else "not made", **self._known()})
        for view, (module, name) in zip(self._buffers, self.places, strict=True):
            getattr(module, name)[...] = view
        if gradients:
            self._hand_out()
        return [float(number) for number in self._first]

    def _known(self) -> dict[str, str]:
        """Say which parameters take part, by name."""
        trained = set(map(id, self._trained))
        return {f"parameter {n}": "trained" if id(p) in trained else "frozen" for n, p in self.names.items()}

    def _collect(self) -> None:
        for i, (parameter, view) in enumerate(zip(self._trained, self._gradients, strict=True)):
            gradient = parameter.grad
            self._has[i] = gradient is not None
            view[...] = 0 if gradient is None else gradient.data

    def _hand_out(self) -> None:
        """Let the gradients be views of the buffer, without a copy: the optimizer's step comes before the next sum."""
        for parameter, view, has in zip(self._trained, self._gradients, self._has, strict=True):
            parameter.grad = ag.Tensor(view.astype(parameter.dtype, copy=False), copy=False) if has else None
