"""The state of a training run in one file of data, such that the resumed run is the uninterrupted one, bit for bit.

It holds the parameters and buffers, the optimizer, the callbacks (schedules, early stopping), the history, the place in
the epoch, the random state that orders the batches and those of the layers (dropout). Nothing in it can name code.
"""

import copy
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd.errors import ArgumentError, FileError, ShapeError
from nn.files import read_tree, write_tree
from nn.history import History
from nn.module import Module

KIND = "chainrule training state"
PARTS = ("model", "optimizer", "history", "epoch", "step", "run", "generators", "callbacks")


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
        "generators": [generator.bit_generator.state for generator in generators(trainer.model)],
        "callbacks": [{"type": type(c).__name__, "state": c.state_dict()} for c in trainer.callbacks],
    }


def restore(trainer: Any, tree: Mapping[str, Any], source: str) -> None:
    """Take over what :func:`state` gave; what does not fit raises, names ``source`` and changes nothing."""
    try:
        _check(trainer, tree, source)
    except (KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{source}: the training state does not hold together: {error!r}.") from error
    own = [callback for callback, _ in _matched(trainer, tree)]
    before = copy.deepcopy(
        (trainer.model.state_dict(), trainer.optimizer.state_dict(), [callback.state_dict() for callback in own])
    )
    try:
        _restore(trainer, tree["model"], tree["optimizer"], _matched(trainer, tree))
        for generator, saved in zip(generators(trainer.model), tree["generators"], strict=True):
            generator.bit_generator.state = saved
        history, run, epoch, step = History(tree["history"]), tree["run"], int(tree["epoch"]), int(tree["step"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        _restore(trainer, before[0], before[1], list(zip(own, before[2], strict=True)))
        if isinstance(error, ArgumentError | ShapeError):  # these list what does not fit
            raise
        raise FileError(f"{source}: the training state does not hold together: {error!r}.") from error
    trainer.history, trainer.run, trainer.epoch, trainer.step, trainer.at_step = history, run, epoch, step, True
    trainer.optimizer.zero_grad()


def generators(model: Module) -> list[np.random.Generator]:
    """List the random generators that the modules keep, each once, in the order of the modules."""
    found: dict[int, np.random.Generator] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, np.random.Generator):
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


def _restore(
    trainer: Any,
    model: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    callbacks: list[tuple[Any, Mapping[str, Any]]],
) -> None:
    trainer.model.load_state_dict(model)
    trainer.optimizer.load_state_dict(optimizer)
    for callback, state in callbacks:
        callback.load_state_dict(state)


def _check(trainer: Any, tree: Mapping[str, Any], path: Any) -> None:
    """Compare what the file holds with what this Trainer is made of, before anything changes."""
    problems = [f"missing: {name}" for name in PARTS if name not in tree]
    if not problems:
        try:
            _matched(trainer, tree)
        except FileError as error:
            problems.append(str(error))
        optimizer = type(trainer.optimizer).__name__
        if tree["optimizer"]["type"] != optimizer:
            problems.append(f"optimizer: the file has {tree['optimizer']['type']}, this Trainer has {optimizer}")
        if len(tree["generators"]) != len(generators(trainer.model)):
            there, here = len(tree["generators"]), len(generators(trainer.model))
            problems.append(f"random generators: the file has {there}, the model has {here}")
    if problems:
        raise FileError(f"{path} does not fit this Trainer:\n  " + "\n  ".join(problems))
