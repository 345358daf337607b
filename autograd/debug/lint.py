"""``lint``: the mistakes in a model or a training loop that raise no error."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.box import Box, leaf_of
from autograd.errors import ArgumentError
from autograd.graph import Node, origin
from autograd.viz.nonfinite import Values
from autograd.viz.snapshot import Snapshot, as_roots
from autograd.viz.why import why_none

ROWS = 8  # fewer samples say nothing about a unit
MOST = 0.9  # half of the units of a healthy layer may well be 0 on one batch
PASSING = ("reshape", "ravel", "squeeze", "expand_dims", "transpose", "getitem", "swapaxes", "moveaxis")
CHANGING = ("Dropout", "BatchNorm")  # kinds of modules that compute something else in evaluation
LOW, HIGH = {"sigmoid": 0.01, "tanh": -0.99}, {"sigmoid": 0.99, "tanh": 0.99}  # beyond, the slope is nearly 0


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one suspicion: ``code`` is its kind (and silences it), ``place`` names a parameter, module or op."""

    code: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Findings(tuple[Finding, ...]):
    """Hold all suspicions; empty, and so false, where there is none."""

    __slots__ = ()

    @property
    def codes(self) -> list[str]:
        """List the kinds of what was found, each once."""
        return list(dict.fromkeys(finding.code for finding in self))

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "nothing found"

    __repr__ = __str__


def lint(model: Any, loss: Any = None, *, optimizer: Any = None, ignore: Collection[str] = ()) -> Findings:
    """Look for mistakes that raise no error, and say what to do about each; ``ignore`` silences kinds by their code.

    ``loss`` is the result of one batch, best before its ``backward()`` (which lets go of what the units gave). Codes:
    ``no-gradient`` (a parameter that the loss does not reach), ``dead-relu`` and ``saturated`` (nine tenths of a
    layer are stuck), ``softmax-twice`` (a loss of logits is given probabilities), ``eval-mode`` (dropout and
    batch norm are off while training), ``not-in-optimizer`` and, between ``backward()`` and ``step()``,
    ``no-zero-grad`` (the gradient of an earlier step is still in the sum).

    >>> import numpy as np, autograd as ag, nn
    >>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Softmax())
    >>> loss = nn.CrossEntropyLoss()(model(np.ones((8, 2))), np.zeros(8, int))
    >>> print(ag.lint(model, loss))
    softmax-twice: cross_entropy is given the output of softmax (in 1), but takes logits: leave the softmax out.
    """
    if not callable(getattr(model, "named_parameters", None)):
        raise ArgumentError(f"lint needs a module, got {type(model).__name__}. Pass the model, then the loss.")
    known = [*_CHECKS, "not-in-optimizer"]
    for code in [ignore] if isinstance(ignore, str) else ignore:
        if code not in known:
            raise ArgumentError(f"lint: there is no code {code!r} to ignore. Known are {', '.join(known)}.")
    found: list[Finding] = []
    if optimizer is not None:
        found += _not_in_optimizer(model, optimizer)
    if loss is not None:
        scene = _Scene(model, as_roots(loss, "lint"))
        for check in _CHECKS.values():
            found += check(scene)
    return Findings(finding for finding in found if finding.code not in ignore)


class _Scene:
    """Hold what the checks look at."""

    def __init__(self, model: Any, roots: list[Box]) -> None:
        self.model, self.roots = model, roots
        self.snap = Snapshot(roots)
        self.values = Values(self.snap)
        self.parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def place(self, i: int) -> str:
        """Tell in which module an op stands."""
        scope = self.snap.nodes[i].scope
        return scope.path if scope is not None else ""

    def ops(self, *names: str) -> Iterator[tuple[int, Node]]:
        """Yield the nodes of some ops."""
        return ((i, node) for i, node in enumerate(self.snap.nodes) if node.op is not None and node.op.name in names)

    def is_hidden(self, i: int) -> bool:
        """Tell whether anything that is learnt stands between a node and the result."""
        seen, stack = {i}, [i]
        while stack:
            for user, _ in self.snap.users[stack.pop()]:
                parents = self.snap.nodes[user].parents
                if any(p is not None and p.op is None and p.needs for p in parents):
                    return True
                if user not in seen:
                    seen.add(user)
                    stack.append(user)
        return False


def _not_in_optimizer(model: Any, optimizer: Any) -> Iterator[Finding]:
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = dict(model.named_parameters())
    strangers = len(held - {id(p) for p in own.values()})
    more = f" It holds {strangers} that the model does not have: was a layer replaced?" if strangers else ""
    for name, p in own.items():
        if p.requires_grad and id(p) not in held:
            yield Finding(
                "not-in-optimizer",
                name,
                f"the optimizer does not hold {name}, which will never change.{more} Make the optimizer when the model "
                "is complete, or freeze it: requires_grad_(False).",
            )


def _no_gradient(scene: _Scene) -> Iterator[Finding]:
    below = set(scene.snap.nodes)
    if not any(node.needs for node in scene.snap.roots):
        yield Finding(
            "no-gradient",
            "",
            "the loss needs no gradient at all: it was computed under no_grad(), from detached values, or all "
            "parameters are frozen.",
        )
        return
    for name, p in scene.parameters.items():
        if leaf_of(p) not in below:
            why = str(why_none(p, list(scene.roots))).rstrip(".")
            yield Finding("no-gradient", name, f"{name} gets no gradient from this loss: {why}.")


def _dead(scene: _Scene, i: int) -> tuple[int, int]:
    """Count the units that are 0 for every sample, and all units; (0, 0) where there are too few samples."""
    y = scene.values[i]
    if y is None or np.ndim(y) < 2:
        return 0, 0
    parent = scene.snap.nodes[i].parents[0]
    channels = y.ndim == 4 or (y.ndim == 3 and parent is not None and "conv" in getattr(parent.op, "name", ""))
    units = np.moveaxis(y, 1, -1) if channels else y
    rows = units.reshape(-1, units.shape[-1])
    return (int((rows <= 0).all(axis=0).sum()), rows.shape[1]) if len(rows) >= ROWS else (0, 0)


def _dead_relu(scene: _Scene) -> Iterator[Finding]:
    for i, node in scene.ops("relu", "maximum"):
        if node.op.name == "maximum" and not _has_zero(node):
            continue
        dead, units = _dead(scene, i)
        if units and dead >= MOST * units:
            yield Finding(
                "dead-relu",
                scene.place(i),
                f"{dead} of {units} units of {node.op.name}{_in(scene, i)} are 0 for every sample, and learn nothing "
                "any more. Lower the learning rate, start with smaller biases, scale the inputs, or use "
                "ag.leaky_relu.",
            )


def _has_zero(node: Node) -> bool:
    return any(
        x is not None and (p is None or not p.needs) and not np.any(x)
        for p, x in zip(node.parents, node.residuals, strict=False)
    )


def _saturated(scene: _Scene) -> Iterator[Finding]:
    for i, node in scene.ops("sigmoid", "tanh"):
        if not scene.is_hidden(i):  # an output may be sure of all samples
            continue
        name, y = node.op.name, scene.values[i]
        if y is None or np.ndim(y) < 2 or y.size < ROWS * y.shape[-1]:
            continue
        share = np.mean((y < LOW[name]) | (y > HIGH[name]))
        if share >= MOST:
            yield Finding(
                "saturated",
                scene.place(i),
                f"{share:.0%} of what {name} gives{_in(scene, i)} is at the end of its range, where the slope is "
                "nearly 0. Scale the inputs, start with smaller weights, or normalise (nn.BatchNorm1d, nn.LayerNorm).",
            )


def _source(scene: _Scene, i: int) -> int | None:
    """Find what an op was given, through reshapes and the like."""
    parent = scene.snap.parents(scene.snap.nodes[i])[0]
    while parent is not None and parent.op is not None and parent.op.name in PASSING:
        parent = scene.snap.parents(parent)[0]
    return scene.snap.at[parent] if parent is not None and parent.op is not None else None


_LOGITS = {
    "cross_entropy": "softmax",
    "cross_entropy_soft": "softmax",
    "binary_cross_entropy_with_logits": "sigmoid",
}


def _softmax_twice(scene: _Scene) -> Iterator[Finding]:
    for i, node in scene.ops(*_LOGITS):
        at, given = _source(scene, i), _LOGITS[node.op.name]
        if at is not None and scene.snap.nodes[at].op.name == given:
            yield Finding(
                "softmax-twice",
                scene.place(at),
                f"{node.op.name} is given the output of {given}{_in(scene, at)}, but takes logits: leave the {given} "
                "out.",
            )


def _eval_mode(scene: _Scene) -> Iterator[Finding]:
    changing = [m for _, m in scene.model.named_modules() if type(m).__name__.startswith(CHANGING)]
    if scene.model.training or not changing or any(m.training for m in changing):
        return
    if any(node.needs for node in scene.snap.roots):
        kinds = ", ".join(dict.fromkeys(type(m).__name__ for m in changing))
        yield Finding(
            "eval-mode",
            kinds,
            f"a loss is recorded while the model is in evaluation mode, so {kinds} do not act as in training. Call "
            "model.train() before the batch (or no_grad() if nothing is to be learnt).",
        )


def _no_zero_grad(scene: _Scene) -> Iterator[Finding]:
    roots = [node for node in scene.snap.roots if node.op is not None]
    if not any(root.cotangent is not None or root.released for root in roots):
        return  # before backward nobody knows whether zero_grad() is still to come
    for name, p in scene.parameters.items():
        leaf: Any = leaf_of(p)
        changed, since = origin(leaf).version, getattr(leaf, "since", None)
        stepped = changed < 0 and all(root.order < changed for root in roots)  # orders fall: a step, then this loss
        if leaf.grad is not None and since is not None and stepped and since > changed:
            yield Finding(
                "no-zero-grad",
                name,
                f"the gradient of {name} still holds what was there before the last step: each step adds to those of "
                "all earlier ones. Call optimizer.zero_grad() before backward().",
            )
            return  # one is enough: it is the loop that is wrong


def _in(scene: _Scene, i: int) -> str:
    place = scene.place(i)
    return f" (in {place})" if place else ""


_CHECKS = {
    "no-gradient": _no_gradient,
    "dead-relu": _dead_relu,
    "saturated": _saturated,
    "softmax-twice": _softmax_twice,
    "eval-mode": _eval_mode,
    "no-zero-grad": _no_zero_grad,
}
