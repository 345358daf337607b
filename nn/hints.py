"""What people write out of habit, from PyTorch, Keras or scikit-learn, and the word that works here.

Used by modules, optimizers, the Trainer and the package itself, at the moment in which something is wrong.
"""

import functools
import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn, ParamSpec, TypeVar

from autograd.errors import ArgumentError, AutogradError, CallError, UnexpectedKeyword, UnknownName, nearest

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
    "RMSELoss": "use nn.MSELoss, or a function that takes np.sqrt of it",
    "SmoothL1Loss": "use nn.HuberLoss(delta=beta), which is beta times it",
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
    "add_module": "assign it: model.name = module",
    "grad": "its parameters have one: .weight.grad",
    "register_parameter": "assign it: model.name = nn.Parameter(value)",
    "register_module": "assign it: model.name = module",
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
    "backward": "call it on the loss: loss.backward()",
    "parameters": "use param_groups[i]['params']",
    "state": "use state_dict()['state']",
    "zero_gradients": "use zero_grad()",
}
SKLEARN = {  # names of sklearn.metrics
    "accuracy_score": "use nn.metrics.accuracy",
    "auc": "use nn.metrics.roc_auc",
    "f1_score": "use nn.metrics.f1",
    "log_loss": "use nn.CrossEntropyLoss()(logits, labels)",
    "mean_absolute_error": "use nn.metrics.mae",
    "mean_squared_error": "use nn.metrics.mse",
    "precision_score": "use nn.metrics.precision",
    "r2_score": "use nn.metrics.r2",
    "recall_score": "use nn.metrics.recall",
    "roc_auc_score": "use nn.metrics.roc_auc",
}
KEYWORDS = {
    "from_logits": "Leave it out: CrossEntropyLoss and BCEWithLogitsLoss take logits, BCELoss probabilities.",
    "lr": "Pass an optimizer that has it, such as nn.optim.Adam(model.parameters(), lr=0.01).",
    "random_state": "Use rng.",
    "save_best_only": "Use monitor='val_loss', which keeps the best.",
    "size_average": "Use reduction='mean', 'sum' or 'none'.",
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


def refusing(module: str, public: Iterable[str], known: Mapping[str, str] | None = None) -> Callable[[str], NoReturn]:
    """Make the ``__getattr__`` of a package: it raises for names that the package does not have.

    Put it there by ``globals()["__getattr__"] =``: a plain ``def`` would tell type checkers that all names exist.
    """

    def refuse(name: str) -> NoReturn:
        if known and name in known:
            raise UnknownName(f"module {module!r} has no attribute {name!r}: {known[name]}.")
        raise unknown_name(name, public, {}, module)

    return refuse


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


def refuse_call(who: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise for a call that ``function`` cannot take, and say what is meant; it is looked at as Python does.

    UnexpectedKeyword for an unknown name, CallError for too few or too many arguments, ArgumentError for a text where
    a number or a truth value is declared. Costs 1 µs where all is well.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return
    names, count = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], code.co_argcount
    if not code.co_flags & inspect.CO_VARKEYWORDS:
        for name in kwargs:
            if name not in names:
                hint = f" {KEYWORDS[name]}" if name in KEYWORDS else nearest(name, names)
                hint = " Use dim." if name == "axis" and "dim" in names else hint
                hint = hint or f" It takes {_shown(who, function)}."
                raise UnexpectedKeyword(f"{who}() got an unexpected keyword argument {name!r}.{hint}")
    needed = names[len(args) : count - len(function.__defaults__ or ())]
    missing = [name for name in needed if name not in kwargs]
    if missing:
        raise CallError(f"{who}() lacks {' and '.join(missing)}. It takes {_shown(who, function)}.")
    if len(args) > count and not code.co_flags & inspect.CO_VARARGS:
        raise CallError(f"{who}() got too many arguments by place. It takes {_shown(who, function)}.")
    if (function.__module__ or "").partition(".")[0] == "nn":  # elsewhere an annotation may say what it likes
        declared = function.__annotations__
        for name, value in (*zip(names[:count], args, strict=False), *kwargs.items()):
            fits, kind = _KINDS.get(declared.get(name), (None, ""))
            if fits is not None and not fits(value):
                raise ArgumentError(f"{who}: {name} must be {kind}, got {value!r}.")
            if name in _AT_LEAST_0 and isinstance(value, int | float) and not value >= 0:
                raise ArgumentError(f"{who}: {name} must not be negative, got {value}.")


_AT_LEAST_0 = ("eps", "gamma")  # what no class takes below 0, nor as nan
_NO_NUMBERS = (str, bytes, list, tuple, dict)  # of other things that are none their own check tells more
_KINDS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    float: (lambda value: value is not None and not isinstance(value, _NO_NUMBERS), "a number"),
    int: (lambda value: value is not None and not isinstance(value, _NO_NUMBERS) and not _cut(value), "a whole number"),
    float | None: (lambda value: not isinstance(value, _NO_NUMBERS), "a number or None"),
    int | None: (lambda value: not isinstance(value, _NO_NUMBERS) and not _cut(value), "a whole number or None"),
    bool: (lambda value: not isinstance(value, _NO_NUMBERS), "True or False"),
    str | os.PathLike[str]: (lambda value: isinstance(value, str | os.PathLike), "a path"),
}
_KINDS[float | int] = _KINDS[float]


def _cut(value: Any) -> bool:
    """Tell whether a number has a part behind the point."""
    return isinstance(value, Real) and value % 1 != 0


class Taken:
    """Tell ``inspect.signature``, and with it ``help`` and editors, what a class takes: that of its ``__init__``.

    It stands beside a ``__new__`` that takes anything. An instance that has a ``forward`` takes what that does.
    """

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is not None:
            return inspect.signature(instance.forward)
        init: Any = owner.__init__  # type: ignore[misc]  # of the class, whichever it is
        if init is object.__init__:
            return inspect.Signature()
        return inspect.Signature([*inspect.signature(init).parameters.values()][1:])


def _shown(who: str, function: Callable[..., Any]) -> str:
    """Write what a function takes, without types."""
    parameters = inspect.signature(function).parameters.values()
    bare = [p.replace(annotation=p.empty) for p in parameters if p.name != "self"]
    return re.sub(r"<class 'numpy\.(\w+)'>", r"np.\1", f"{who}{inspect.Signature(bare)}")


def hinted(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that a call which it cannot take is told the one that is meant."""
    who = function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (TypeError, ValueError):  # looked at now, so that a good call costs nothing
            try:
                refuse_call(who, function, args, kwargs)
            except AutogradError as told:
                raise told from None
            raise

    return checked
