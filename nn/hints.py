"""What people write out of habit, from PyTorch, Keras or scikit-learn, and the word that works here.

Used by modules, optimizers, the Trainer and the package itself, at the moment in which something is wrong.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from autograd.errors import UnexpectedKeyword, UnknownName, nearest

P = ParamSpec("P")
R = TypeVar("R")

_DEVICE = "there is one device, the processor. Leave it out"
_CAST = "use model.astype(np.float64) or another dtype"
_TRAINER = "use nn.Trainer(model, loss, optimizer)"
_CLIP = "use nn.optim.clip_grad_norm(parameters, max_norm) or clip_grad_value"
PACKAGE = {
    "DataLoader": "pass arrays and batch_size= to Trainer.fit, or any iterable of (x, y) batches",
    "Dense": "use nn.Linear(in_features, out_features), or nn.Layer with an activation",
    "Input": "leave it out: layers are told their in_features",
    "Model": "use nn.Module",
    "clip_grad_norm_": _CLIP,
    "clip_grad_value_": _CLIP,
    "load": "use nn.load_model(model, path)",
    "load_digits": "use nn.datasets.load_digits()",
    "make_circles": "use nn.datasets.circles(n, rng=0)",
    "make_moons": "use nn.datasets.two_moons(n, rng=0)",
    "save": "use nn.save_model(model, path)",
    "tensor": "use autograd.Tensor",
    "utils": f"{_CLIP} for gradients",
}
MODULE = {
    "W": "use .weight",
    "b": "use .bias",
    "backward": "call it on the loss: loss.backward()",
    "compile": f"{_TRAINER} to train, or autograd.compile(function) to write a program out",
    "cpu": _DEVICE,
    "cuda": _DEVICE,
    "device": _DEVICE,
    "double": _CAST,
    "evaluate": f"{_TRAINER}.evaluate(x, y)",
    "fit": f"{_TRAINER}.fit(x, y)",
    "float": _CAST,
    "get_weights": "use model.state_dict()",
    "add": "use append of nn.Sequential",
    "half": _CAST,
    "layers": "a Sequential is its own list: model[0], list(model); else model.children()",
    "load": "use nn.load_model(model, path)",
    "load_weights": "use nn.load_model(model, path)",
    "optimizer": "make one: nn.optim.Adam(model.parameters())",
    "predict": f"{_TRAINER}.predict(x), or call the model: model(x)",
    "save": "use nn.save_model(model, path)",
    "save_weights": "use nn.save_model(model, path)",
    "score": f"{_TRAINER}.evaluate(x, y)",
    "set_weights": "use model.load_state_dict(state)",
    "shape": "its parameters have one: .weight.shape",
    "step": "call it on the optimizer: optimizer.step()",
    "summary": "use nn.summary(model, example), or print(model)",
    "to": f"{_CAST}; {_DEVICE}",
    "weights": "use .weight of a layer, model.parameters(), or model.state_dict()",
}
TRAINER = {
    "compile": "pass loss, optimizer and metrics to nn.Trainer(model, loss, optimizer, metrics=[…])",
    "fit_generator": "fit takes iterables of (x, y) batches",
    "predict_proba": "use nn.sklearn.NNClassifier, or predict and nn.functional.softmax",
    "save_weights": "use nn.save_model(trainer.model, path)",
    "score": "use evaluate(x, y)",
    "summary": "use nn.summary(trainer.model, example)",
    "test": "use evaluate(x, y)",
    "train": "use fit(x, y)",
    "validate": "use evaluate(x, y)",
}
OPTIMIZER = {
    "apply_gradients": "call loss.backward(), then optimizer.step()",
    "get_last_lr": "use optimizer.lr, or call it on the schedule",
    "minimize": "call loss.backward(), then optimizer.step()",
    "parameters": "use param_groups[i]['params']",
    "state": "use state_dict()['state']",
    "zero_gradients": "use zero_grad()",
}
KEYWORDS = {
    "activation": "Put a module after it, such as nn.ReLU(), or use nn.Layer, which has one.",
    "callbacks": "Pass it to nn.Trainer(…, callbacks=[…]).",
    "decay": "Use weight_decay.",
    "device": "There is one device, the processor. Leave it out.",
    "inplace": "Leave it out: every op makes a new Tensor.",
    "input_shape": "Leave it out: layers are told their in_features.",
    "learning_rate": "Use lr.",
    "metrics": "Pass it to nn.Trainer(…, metrics=[…]).",
    "optimizer": "Pass it to nn.Trainer(model, loss, optimizer).",
    "rate": "Use p.",
    "return_sequences": "Leave it out: the first result holds every step, and y[-1] is the last.",
    "return_state": "Leave it out: the second result is the state.",
    "sample_weights": "Use sample_weight.",
    "seed": "Use rng.",
    "set_to_none": "Leave it out: .grad becomes None.",
    "units": "Use out_features, after in_features.",
    "verbose": "Use progress=True or False.",
}


def unknown_name(name: str, public: Iterable[str], parts: dict[str, Any], where: str = "nn") -> UnknownName:
    """Return the error for a name that a package does not have; ``parts`` are submodules that may."""
    said = f"module {where!r} has no attribute {name!r}"
    for part, module in parts.items():
        if name in module.__all__:
            return UnknownName(f"{said}: use nn.{part}.{name}.")
    return UnknownName(f"{said}: {PACKAGE[name]}.") if name in PACKAGE else UnknownName(f"{said}.", name, public)


def unknown_attribute(module: Any, name: str) -> Any:
    """Raise for an attribute that a module, optimizer or Trainer does not have, with the word of its own table.

    Where its own property failed, raise what that raised.
    """
    kind = type(module)
    if any(name in vars(each) for each in kind.__mro__):
        return object.__getattribute__(module, name)
    said = f"{kind.__name__!r} object has no attribute {name!r}"
    table: Any = getattr(kind, "_elsewhere", MODULE)
    if name in table:
        raise UnknownName(f"{said}: {table[name]}.")
    raise UnknownName(f"{said}.", name, (*vars(module), *dir(kind)))


def refuse_keywords(who: str, function: Callable[..., Any], names: Iterable[str]) -> None:
    """Raise UnexpectedKeyword for a name that ``function`` does not take, and say which one is meant."""
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in names:
        if name not in parameters:
            hint = f" {KEYWORDS[name]}" if name in KEYWORDS else nearest(name, parameters)
            raise UnexpectedKeyword(f"{who}() got an unexpected keyword argument {name!r}.{hint}")


def hinted(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that keywords it does not take are told the one that is meant."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            refuse_keywords(function.__qualname__, function, kwargs)
        return function(*args, **kwargs)

    return checked
