"""The state of a training run in one file of data, such that the resumed run is the uninterrupted one, bit for bit.

It holds the parameters and buffers, the optimizer, the callbacks (schedules, early stopping), the history, the place in
the epoch, the random state that orders the batches and those of the layers (dropout). Nothing in it can name code.
"""

import copy
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd.errors import ArgumentError, FileError, ShapeError
from nn.files import read_tree, write_tree
from nn.history import History
from nn.kinds import is_count, is_generator_state, is_kept, is_mean, misfits
from nn.members import parts
from nn.module import Module

KIND = "chainrule training state"
SCHEMA = {  # what every file holds; options of the optimizer, the run and callbacks are looked at by themselves
    "model": {},
    "optimizer": {"type": "", "state": {}, "param_groups": [{"params": [0]}]},
    "history": {},
    "epoch": 0,
    "step": 0,
    "run": None,
    "order": None,
    "generators": [{}],
    "callbacks": [{"type": "", "state": {}}],
}
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)  # what wrong values end in


def save(trainer: Any, path: str | os.PathLike[str]) -> None:
    """Write the state of ``trainer``, all or nothing."""
    if not trainer.at_step:
        raise ArgumentError(
            "Trainer.save: gradients of earlier batches are waiting for the optimizer's step; save after it."
        )
    write_tree(path, state(trainer), KIND)


def load(trainer: Any, path: str | os.PathLike[str]) -> None:
    """Take over a saved state; a file that does not fit raises and changes nothing."""
    restore(trainer, read_tree(path, KIND), str(path))


def state(trainer: Any) -> dict[str, Any]:
    """Copy the state of ``trainer`` into nested dicts and lists of arrays, numbers and texts."""
    optimizer = trainer.optimizer.state_dict()
    optimizer["type"] = type(trainer.optimizer).__name__
    optimizer["state"] = {str(i): entry for i, entry in optimizer["state"].items()}
    return {
        "model": trainer.model.state_dict(),
        "optimizer": optimizer,
        "history": dict(trainer.history),
        "epoch": trainer.epoch,
        "step": trainer.step,
        "run": trainer.run,
        "order": trainer.order,
        "generators": [generator.bit_generator.state for generator in generators(trainer.model)],
        "callbacks": [{"type": type(c).__name__, "state": c.state_dict()} for c in trainer.callbacks],
    }


def restore(trainer: Any, tree: Mapping[str, Any], source: str) -> None:
    """Take over what :func:`state` gave; what does not fit raises, names ``source`` and changes nothing."""
    before = copy.deepcopy(state(trainer))
    try:
        _check(trainer, before, tree, source)
        _take(trainer, tree)
    except FileError:
        raise
    except BaseException as error:
        _take(trainer, before)
        if isinstance(error, ArgumentError | ShapeError) or not isinstance(error, _MISFITS):  # these say it themselves
            raise
        raise FileError(f"{source}: the training state does not hold together: {error!r}.") from error
    trainer.history, trainer.run, trainer.order = History(tree["history"]), tree["run"], tree["order"]
    trainer.epoch, trainer.step, trainer.at_step = tree["epoch"], tree["step"], True
    trainer.optimizer.zero_grad()


def generators(model: Module) -> list[np.random.Generator]:
    """List the random generators that the modules keep, each once, in the order of the modules."""
    found: dict[int, np.random.Generator] = {}
    for module in model.modules():
        for _, _, value in parts(module, (np.random.Generator,)):
            found.setdefault(id(value), value)
    return list(found.values())


def _matched(trainer: Any, tree: Mapping[str, Any]) -> list[tuple[Any, Mapping[str, Any]]]:
    """Pair the callbacks with their saved states, in order; those without state, such as a logger, may come and go."""
    saved = [entry for entry in tree["callbacks"] if entry["state"]]
    kinds = {entry["type"] for entry in saved}
    own = [c for c in trainer.callbacks if type(c).__name__ in kinds or c.state_dict()]
    there, here = [entry["type"] for entry in saved], [type(c).__name__ for c in own]
    if there != here:
        raise FileError(f"callbacks with state: the file has {there}, this Trainer has {here}")
    return [(callback, entry["state"]) for callback, entry in zip(own, saved, strict=True)]


def _take(trainer: Any, tree: Mapping[str, Any]) -> None:
    """Let model, optimizer, callbacks and generators have their states."""
    trainer.model.load_state_dict(tree["model"])
    trainer.optimizer.load_state_dict(tree["optimizer"])
    for callback, saved in _matched(trainer, tree):
        callback.load_state_dict(saved)
    for generator, saved in zip(generators(trainer.model), tree["generators"], strict=True):
        generator.bit_generator.state = saved


def _check(trainer: Any, own: Mapping[str, Any], tree: Mapping[str, Any], path: Any) -> None:
    """Compare what the file holds with what this Trainer is made of, before anything changes."""
    problems = [f"missing: {name}" for name in SCHEMA if name not in tree] or list(misfits(SCHEMA, tree, ""))
    if not problems:
        problems = [*_differences(trainer, own, tree), *_broken(trainer, tree)]
    if problems:
        raise FileError(f"{path} does not fit this Trainer:\n  " + "\n  ".join(problems))


def _differences(trainer: Any, own: Mapping[str, Any], tree: Mapping[str, Any]) -> Iterator[str]:
    """Say in what the saved Trainer was another one."""
    there, here = tree["optimizer"]["type"], own["optimizer"]["type"]
    if there != here:
        yield f"optimizer: the file has {there}, this Trainer has {here}"
    if len(tree["generators"]) != len(own["generators"]):
        there, here = len(tree["generators"]), len(own["generators"])
        yield f"random generators: the file has {there}, the model has {here}"
    if not all("type" in entry and "state" in entry for entry in tree["callbacks"]):
        yield "callbacks: each needs a type and a state"
        return
    try:
        _matched(trainer, tree)
    except FileError as error:
        yield str(error)


def _broken(trainer: Any, tree: Mapping[str, Any]) -> Iterator[str]:
    """Say which numbers make no sense."""
    run, kind = tree["run"], trainer.new_run(0)
    wrong = [name for name in ("epoch", "step") if not is_count(tree[name])]
    wrong += [f"history/{name}" for name, values in tree["history"].items() if list(misfits([0.0], values, ""))]
    wrong += [f"generators/{i}" for i, one in enumerate(tree["generators"]) if not is_generator_state(one)]
    wrong += ["order"] * (tree["order"] is not None and not is_generator_state(tree["order"]))
    if run is not None:
        misfit = list(misfits(kind | {"streams": [[0]]}, run, "run"))
        yield from misfit
        if not misfit:
            wrong += [f"run/{name}" for name in ("start", "target", "batch") if not is_count(run.get(name))]
            wrong += [f"run/sums/{name}" for name, pair in run.get("sums", {"": 0}).items() if not is_mean(pair)]
            wrong += ["run/kept"] * (not is_kept(run.get("kept", [])))
            wrong += ["run/seen"] * (not 0 <= run.get("seen", -1) < 2**62)
            wrong += ["run/rng"] * ("rng" in run and not is_generator_state(run["rng"]))
    yield from (f"{name} makes no sense" for name in wrong)
