"""``detect_anomaly``: stop at the op that makes the first nan or inf, and know the line of each op."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.box import Box, leaf_of, plain, wrap
from autograd.debug.lines import user_site
from autograd.errors import NonFiniteError
from autograd.graph import Leaf, Node, site_of
from autograd.modes import current_scope, watched_by
from autograd.viz.ledger import Ledger
from autograd.viz.nonfinite import (
    BACKWARD,
    FORWARD,
    INPUT,
    NonFinite,
    Values,
    backward_origin,
    forward_origin,
    kind_of_bad,
)
from autograd.viz.snapshot import Snapshot
from autograd.vjp import BUNDLE


class detect_anomaly(watched_by):
    """Raise NonFiniteError at the op that makes the first nan or inf, forwards or backwards.

    The error names the op, the element, the operands' values, the module, your line, the path to the result, and what
    usually helps; ``error.found`` is the same as :func:`find_nonfinite` gives. Infinities that you put in yourself (a
    mask of ``-np.inf``) are no anomaly, and a gradient that a mask cuts off is none. With ``check_inf=False`` only a
    nan counts; with ``check_nan=False`` nothing is checked, but each op knows its line, for ``find_nonfinite`` and
    ``draw``. Ops are several times slower inside; outside nothing is. Also works as a decorator.

    >>> import numpy as np, autograd as ag
    >>> p = ag.Tensor([1.0, -1.0], requires_grad=True, name="p")
    >>> with np.errstate(invalid="ignore"), ag.detect_anomaly():
    ...     np.log(p).sum()
    Traceback (most recent call last):
        ...
    autograd.errors.NonFiniteError: v1 = log(p) made nan of finite numbers: at element [1] p is -1 ...
    """

    def __init__(self, check_nan: bool = True, check_inf: bool = True) -> None:
        super().__init__(self)
        self.wrong = (("nan", "inf") if check_inf else ("nan",)) if check_nan else ()

    def recorded(self, result: Any, data: Sequence[Any]) -> Any:
        """Note the user's line on the node of a result; stop if it is not finite and has left our functions.

        What a function of ours computes on its way (0/0 in ``np.sinc``) is its own affair until it returns.
        """
        site = user_site()
        for part in result if isinstance(result, tuple) else (result,):
            node = part._node if isinstance(part, Box) else None
            if node is None or node.op is None:
                continue
            node.made_at = site
            for parent in node.parents:
                if parent is not None and parent.op is not None and site_of(parent) is None and not parent.name:
                    parent.made_at = site  # what several outputs come from
            wrong = kind_of_bad(part._array) in self.wrong and not site.inside
            if wrong or self._escaped(node, data, site.inside):
                snap = Snapshot([part])
                stop_at(forward_origin(snap, Values(snap)), (FORWARD,))
        return result

    def computed(self, op: Any, inputs: Sequence[Any], data: Sequence[Any], y: Any, kwargs: Any) -> None:
        """Stop at an op on Tensors that need no gradient, if it made a nan or inf: data that is prepared, say."""
        value = y[0] if op.cache else y
        if kind_of_bad(value) not in self.wrong or any(map(kind_of_bad, data)) or isinstance(value, tuple):
            return
        site = user_site()
        if site.inside or not any(isinstance(x, Box) for x in inputs):
            return
        parents = tuple(map(_leaf, inputs, data))
        node = Node(op, parents, (*data, value), kwargs, np.shape(value), value.dtype, current_scope())
        node.made_at = site
        snap = Snapshot([wrap(value, node)])
        stop_at(forward_origin(snap, Values(snap)), (FORWARD,))

    def _escaped(self, node: Node, data: Sequence[Any], inside: int) -> bool:
        """Tell whether an op was given what another function of ours returned, and that is not finite."""
        for parent, given in zip(node.parents, data, strict=False):
            site = site_of(parent) if parent is not None else None
            if site is not None and site.inside not in (0, inside) and kind_of_bad(given) in self.wrong:
                return True
        return False

    def differentiated(self, cotangents: Mapping[Node, Any], found: Mapping[Node, Any]) -> None:
        """Stop after a backward pass whose result, or whose gradients, are not finite."""
        if not self.wrong:
            return
        seeds: dict[Node, Any] = {}
        for root, g in cotangents.items():
            parts = zip(root.parents, g, strict=True) if root.op is BUNDLE else [(root, g)]
            seeds.update({node: part for node, part in parts if node is not None and part is not None})
        snap = Snapshot([wrap(None, node) for node in seeds])
        for node in seeds:
            del snap.data[node]
        values = Values(snap)
        origin = None
        if any(kind_of_bad(values[snap.at[node]]) in self.wrong for node in snap.roots):
            origin = forward_origin(snap, values)
        if origin is None and any(kind_of_bad(plain(g)) in self.wrong for g in found.values()):
            given = {node: plain(g) for node, g in seeds.items()}
            origin = forward_origin(snap, values) or backward_origin(
                snap, Ledger(snap, range(len(snap.nodes)), given, fresh=True)
            )
        stop_at(origin, (FORWARD, BACKWARD, INPUT))


def _leaf(x: Any, array: Any) -> Node | None:
    """Return the node of an input: None for a number, a leaf for an array."""
    if isinstance(x, Box):
        return leaf_of(x)
    return Leaf(array, array.shape, array.dtype, False) if isinstance(array, np.ndarray) else None


def stop_at(origin: NonFinite | None, kinds: Sequence[str]) -> None:
    """Raise for the op (or input) that brought the first nan or inf, if it is one of these kinds."""
    if origin is not None and origin.kind in kinds:
        if not origin.line and origin.kind != INPUT:  # made by a backward pass, or before somebody watched
            origin = replace(origin, line=str(user_site()))
        error = NonFiniteError(origin.report)
        error.found = origin
        raise error
