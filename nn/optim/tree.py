"""Optimizers for functional code: parameters and gradients are trees, and a step gives new parameters.

>>> import autograd as ag, nn, numpy as np
>>> optimizer = nn.optim.TreeOptimizer({"w": np.zeros(2), "b": 0.0}, nn.optim.SGD, lr=0.5)
>>> loss = lambda p: ((p["w"] - np.array([1.0, 2.0])) ** 2).sum() + p["b"] ** 2
>>> for _ in range(3):
...     params = optimizer.step(ag.grad(loss)(optimizer.params))
>>> params["w"]
array([1., 2.])
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.optim.optimizer import Optimizer


class TreeOptimizer:
    """Drive any optimizer by gradients that are trees, as the transforms give them.

    ``tree`` holds the starting values (arrays, numbers, registered classes; None stays None), ``kind`` is the class of
    the optimizer, ``options`` its own. ``params`` are the current values, in the form of the tree, as arrays of their
    own; ``optimizer`` is the optimizer itself, for schedules and its ``state_dict``. p ← p + step(g) for each leaf of
    the tree. Raises ShapeError where the trees differ.

    >>> import autograd as ag, nn
    >>> descent = nn.optim.TreeOptimizer({"w": 1.0}, nn.optim.SGD, lr=0.1)
    >>> slope = ag.grad(lambda tree: tree["w"] ** 2)
    >>> round(float(descent.step(slope(descent.params))["w"]), 4)
    0.8
    """

    def __init__(self, tree: Any, kind: Callable[..., Optimizer], **options: Any) -> None:
        self._tree = ag.tree_map(lambda x: ag.Tensor(x, requires_grad=True), tree)
        leaves: list[ag.Tensor] = []
        ag.tree_map(leaves.append, self._tree)
        if not leaves:
            raise ArgumentError("TreeOptimizer got a tree without numbers.")
        self.optimizer = kind(leaves, **options)

    @property
    def params(self) -> Any:
        """Return the current values."""
        return ag.tree_map(lambda p: np.array(p.data)[()], self._tree)

    def step(self, gradients: Any) -> Any:
        """Move against the gradients, a tree of the same form, and return the new values.

        Raises ShapeError where the forms differ.
        """

        def put(p: ag.Tensor, g: Any) -> None:
            p.grad = None if g is None else g

        ag.tree_map(put, self._tree, gradients)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return self.params
