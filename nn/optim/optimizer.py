"""What all optimizers share: groups, steps over flat buffers, weight decay, state."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn.hints import OPTIMIZER, Taken, hinted, refuse_call, unknown_attribute
from nn.kinds import kind
from nn.optim.acting import Acting
from nn.optim.flat import Flat

Array = NDArray[Any]
Group = dict[str, Any]
_OPTIONS = ("momentum", "nesterov", "weight_decay", "betas", "eps", "alpha", "amsgrad")  # that optimizers may have
_OFTEN = 64  # steps after which states are freed of subnormal numbers
_EPS = 1e-12  # beside which the root of one, at most 1e-19, is nothing
_NO_MATTER = ("params", "initial_lr", "foreach", "fused", "capturable", "differentiable")  # how PyTorch does the same


class Optimizer(Acting):
    """Update parameters from their gradients; a subclass says how one block of them changes.

    ``params`` are Tensors (``model.parameters()``) or groups ``{"params": ..., "lr": ...}`` whose other entries replace
    the defaults. A parameter whose ``.grad`` is None is skipped, and its state does not advance. Each subclass is p ← p
    + step(g). Raises ArgumentError where there is no parameter, for an unknown option, and for a rate that is no number
    or negative; InPlaceError says whose memory was changed meanwhile.

    >>> import autograd as ag, nn
    >>> w = ag.Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = nn.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> optimizer.zero_grad()
    >>> w.tolist(), w.grad
    ([0.8, -1.6], None)
    """

    _keeps: ClassVar[frozenset[str]] = frozenset({"step", "zero_grad"})
    names: ClassVar[tuple[str, ...]] = ()  # the running states of a parameter, under PyTorch's names
    _elsewhere: ClassVar[Mapping[str, str]] = OPTIMIZER  # what people ask for here, and what to use

    __signature__ = Taken()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if args or kwargs:  # copies are made without any
            refuse_call(cls.__name__, cls.__init__, (cls, *args), kwargs)
        return super().__new__(cls)

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self._given: list[tuple[ag.Tensor, ...]] = []
        self._flats: list[list[Flat]] = []
        self.planned: dict[int, float] = {}  # the rate of a group that a schedule set when it was made, before a step
        if not isinstance(params, Iterable):
            raise ArgumentError(
                f"{type(self).__name__} got {type(params).__name__}, which lists none. Pass model.parameters()."
            )
        groups: list[Any] = list(params) if not isinstance(params, ag.Tensor | Mapping) else [params]
        if not groups:
            raise ArgumentError(
                f"{type(self).__name__} got no parameters. Pass model.parameters(), which must not be used up."
            )
        for group in groups if isinstance(groups[0], Mapping) else [{"params": groups}]:
            self.add_param_group(group)

    @ag.effect(values=False)
    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add ``{"params": ..., **options}``; options that are not given take the defaults."""
        who = type(self).__name__
        if not {"params"} <= set(group) <= {*self.defaults, "params", "initial_lr"}:
            self._refuse(group)
        params = [group["params"]] if isinstance(group["params"], ag.Tensor) else list(group["params"])
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for i, p in enumerate(params):
            if not isinstance(p, ag.Tensor) or not p.is_leaf:
                got = "the result of an op" if isinstance(p, ag.Tensor) else type(p).__name__
                raise ArgumentError(
                    f"{who}: parameter {i} is {got}; only leaves (Parameters) can be optimized. "
                    "Pass model.parameters()."
                )
            if p.dtype.kind != "f":
                raise ArgumentError(f"{who}: parameter {i} has dtype {p.dtype}; only floating point can be optimized.")
            if id(p) in known:
                raise ArgumentError(
                    f"{who}: parameter {i} of shape {p.shape} was given twice; each may be in one group only."
                )
            known.add(id(p))
        made = {**self.defaults, **group, "params": tuple(params)}
        self.check(made)
        self.param_groups.append(made)
        self._given.append(made["params"])
        self._flats.append(self._flatten(made))

    def _refuse(self, group: Mapping[str, Any]) -> NoReturn:
        raise ArgumentError(
            f"{type(self).__name__}: a group needs 'params' and may set {', '.join(self.defaults)}; got "
            f"{', '.join(map(repr, group))}. Pass model.parameters(), or a list of such groups."
        )

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse names that look like an option and that no step would read."""
        who = type(self).__name__
        if name in ("learning_rate", "rate"):
            raise ArgumentError(f"{who}.{name} has no effect: set {who}.lr, or param_groups[i]['lr'] for one group.")
        if name in _OPTIONS and name not in vars(self).get("defaults", (name,)):
            raise ArgumentError(f"{who}.{name} has no effect: {who} has no {name}.")
        if name != "lr" and name in vars(self).get("defaults", ()):
            raise ArgumentError(
                f"{who}.{name} has no effect: set it in the groups, as in "
                f"for group in optimizer.param_groups: group[{name!r}] = {value!r}."
            )
        object.__setattr__(self, name, value)

    def _flatten(self, group: Group) -> list[Flat]:
        by_dtype: dict[Any, list[ag.Tensor]] = {}
        for p in group["params"]:
            by_dtype.setdefault(p.dtype, []).append(p)
        flats = [Flat(params, self.states(group)) for params in by_dtype.values()]
        for flat in flats:
            self.begin(flat, group)
        return flats

    # ---------------------------------------------------------------------------------------- what a subclass says

    def check(self, group: Group) -> None:
        """Refuse options that make no sense: of another kind than the default, or negative."""
        who = type(self).__name__
        for name, value in group.items():
            if name not in self.defaults and name != "initial_lr":
                continue
            wanted = "number" if name in ("lr", "initial_lr") else kind(self.defaults[name])
            if wanted != "other" and kind(value) != wanted:
                raise ArgumentError(f"{who}: {name} must be a {wanted}, got {value!r}.")
            if wanted == "number" and not value >= 0:
                raise ArgumentError(f"{who}: {name} must not be negative, got {value}.")
        betas = group.get("betas", (0, 0))
        if kind(betas) != "row of numbers" or len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ArgumentError(f"{who}: betas must be two numbers in [0, 1), got {betas}.")

    def states(self, group: Group) -> tuple[str, ...]:
        """Name the running states that the options ask for."""
        return self.names

    def begin(self, flat: Flat, group: Group) -> None:
        """Set the states to where they start (0 unless a subclass says otherwise)."""

    def constants(self, group: Group, t: int) -> tuple[float, ...]:
        """Return the numbers of the update's formula at step ``t``."""
        raise NotImplementedError

    def update(
        self, p: Array, g: Array, state: tuple[Array, ...], s: Array, c: list[Array], group: Group, t: int
    ) -> None:
        """Change values ``p`` in place by their gradients ``g``; ``s`` is scratch, ``c`` the constants as arrays."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------- what users call

    @ag.effect
    def step(self) -> None:
        """Update every parameter that has a gradient, where it lies: whoever holds its array sees the change."""
        if len(self.param_groups) != len(self._flats):
            raise ArgumentError(
                f"{type(self).__name__}: there are {len(self.param_groups)} groups, of which {len(self._flats)} were "
                "given. Use add_param_group."
            )
        for group, given, flats in zip(self.param_groups, self._given, self._flats, strict=True):
            if len(group) - ("initial_lr" in group) != len(self.defaults) + 1:
                self._refuse(group)
            if group["params"] is not given:
                raise ArgumentError(
                    f"{type(self).__name__}: the parameters of a group were replaced, which has no effect. Use "
                    "add_param_group, or make a new optimizer."
                )
            decay = 0.0 if self.decoupled else group.get("weight_decay", 0.0)
            for flat in flats:
                known, c = -1, []
                flat.keep(self.states(group))
                for block, g, t in flat.blocks():
                    if t != known:
                        known, c = t, flat.constants(self.constants(group, t))
                    if decay:
                        g = np.add(np.multiply(block.p, decay, out=block.spare), g, out=block.spare)
                    self.update(block.p, g, block.states, block.scratch, c, group, t)
                    if t % _OFTEN == 0 and self.fades and group.get("eps", 1.0) >= _EPS:
                        flush(block.states, block.scratch)

    decoupled: ClassVar[bool] = False  # True: weight decay is part of the update and not of the gradient
    fades: ClassVar[bool] = True  # whether a state that is all but 0 moves nothing; False where its sign counts

    @ag.effect(values=False)
    @hinted
    def zero_grad(self) -> None:
        """Forget the gradients: ``.grad`` of every parameter becomes None."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    @property
    @ag.effect(values=False)
    def lr(self) -> Any:
        """Return the learning rate, or a list where the groups differ; assigning sets all groups."""
        rates = [group["lr"] for group in self.param_groups]
        return rates[0] if all(rate == rates[0] for rate in rates) else rates

    @lr.setter
    @ag.effect(values=False)
    def lr(self, value: float) -> None:
        for group in self.param_groups:
            self.check({**group, "lr": value})
        for group in self.param_groups:
            group["lr"] = value

    # ---------------------------------------------------------------------------------------------------------- state

    @ag.effect(values=False)
    def state_dict(self) -> dict[str, Any]:
        """Copy the state in PyTorch's layout: ``state`` by parameter index, and ``param_groups`` with those indices."""
        index = {id(p): i for i, p in enumerate(self._parameters())}
        state = {}
        for flat in (flat for flats in self._flats for flat in flats):
            for i, (p, t) in enumerate(zip(flat.parameters, flat.step_counts(), strict=True)):
                if t:
                    state[index[id(p)]] = {
                        "step": t,
                        **{name: value.copy() for name, value in flat.state_of(i).items()},
                    }
        groups = [
            {**{k: v for k, v in g.items() if k != "params"}, "params": [index[id(p)] for p in g["params"]]}
            for g in self.param_groups
        ]
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    @ag.effect(values=False)
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state from ``state_dict`` (PyTorch's too); on any mismatch raise and change nothing."""
        who = type(self).__name__
        try:
            groups, entries = list(state["param_groups"]), {int(i): dict(entry) for i, entry in state["state"].items()}
            sizes = [len(g["params"]) for g in groups]
            order = [int(i) for g in groups for i in g["params"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArgumentError(
                f"{who}.load_state_dict needs a dict with 'state' and 'param_groups', as state_dict() gives: {error!r}."
            ) from None
        if sizes != [len(g["params"]) for g in self.param_groups]:
            mine = [len(g["params"]) for g in self.param_groups]
            raise ArgumentError(
                f"{who}.load_state_dict: the state has groups of {sizes} parameters, the optimizer has {mine}."
            )
        loaded = {position: entries[i] for position, i in enumerate(order) if i in entries}
        for new in groups:
            self._refuse_options(new)
        options = [{k: v for k, v in new.items() if k in self.defaults or k == "initial_lr"} for new in groups]
        for group, new in zip(self.param_groups, options, strict=True):
            self.check({**group, **new})
        self._check_entries(loaded, options)
        position = {id(p): i for i, p in enumerate(self._parameters())}
        for group, new in zip(self.param_groups, options, strict=True):
            group.update(new)
        for group, flats in zip(self.param_groups, self._flats, strict=True):
            for flat in flats:
                flat.forget(self.states(group))
                self.begin(flat, group)
                for i, p in enumerate(flat.parameters):
                    entry = loaded.get(position[id(p)])
                    if entry is not None:
                        flat.steps[i] = int(entry.get("step", 1))  # PyTorch's SGD counts no steps, but it has made one
                        for name, view in flat.state_of(i).items():
                            view[...] = np.asarray(entry[name])

    def __getstate__(self) -> dict[str, Any]:
        """Leave the flat buffers out of copies and pickles: what are views on them here would not be views there."""
        return {**vars(self), "_flats": [], "_saved": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._flats = [self._flatten(group) for group in self.param_groups]
        self.load_state_dict(vars(self).pop("_saved"))

    def _refuse_options(self, new: Mapping[str, Any]) -> None:
        """Refuse what another optimizer was told to do and this one cannot, such as PyTorch's ``maximize``."""
        for name, value in new.items():
            if name in self.defaults or name in _NO_MATTER:
                continue
            if value if name != "decoupled_weight_decay" else value != self.decoupled:
                raise ArgumentError(
                    f"{type(self).__name__}.load_state_dict: the state has {name}={value!r}, which this optimizer does "
                    "not do."
                )

    def _check_entries(self, loaded: dict[int, dict[str, Any]], options: list[Group]) -> None:
        problems = []
        for i, p in enumerate(self._parameters()):
            if i not in loaded:
                continue
            step = loaded[i].get("step", 1)  # PyTorch keeps it as a Tensor of one number
            if kind(np.asarray(step)[()]) != "number" or not int(step) >= 1:
                problems.append(f"parameter {i}: step is {loaded[i]['step']}, needs 1 or more")
            pairs = zip(self.param_groups, options, strict=True)
            group = next({**g, **new} for g, new in pairs if any(q is p for q in g["params"]))
            for name in self.states(group):
                value = loaded[i].get(name)
                if value is None:
                    problems.append(f"parameter {i}: {name} is missing")
                elif np.asarray(value).dtype.kind not in "biuf":
                    problems.append(f"parameter {i}: {name} has dtype {np.asarray(value).dtype}, needs numbers")
                elif np.shape(value) != p.shape:
                    problems.append(f"parameter {i}: {name} has shape {np.shape(value)}, needs {p.shape}")
        if problems:
            raise ShapeError(
                f"{type(self).__name__}.load_state_dict changed nothing, as the state does not fit:\n  "
                + "\n  ".join(problems)
            )

    def _parameters(self) -> list[ag.Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={self.param_groups[0][name]}" for name in self.defaults)
        count = sum(p.size for p in self._parameters())
        return f"{type(self).__name__}({options})  # {count:,} parameters in {len(self.param_groups)} group(s)"


def flush(states: Iterable[Array], s: Array) -> None:
    """Set what is subnormal in running states to 0, where it lies; s is scratch.

    A mean of gradients that are 0 by now (a dead unit, a word that does not occur) decays to the least positive number
    and stays there, as 0.9 of it rounds to it; and a processor takes a hundred times as long for such numbers.
    """
    for state in states:
        np.copyto(state, 0, where=np.abs(state, out=s) < np.finfo(s.dtype).smallest_normal)


# Not in the class, where type checkers would then take every name for a good one.
setattr(Optimizer, "__getattr__", unknown_attribute)  # noqa: B010
