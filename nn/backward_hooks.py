"""What sees, or replaces, the gradients that pass a module on their way back."""

from collections.abc import Callable
from typing import Any

import autograd as ag
from autograd.errors import ArgumentError

BackwardHook = Callable[..., Any]


def is_passed(x: Any) -> bool:
    """Tell whether a gradient flows through ``x``."""
    return isinstance(x, ag.Tensor) and x.requires_grad and ag.is_grad_enabled()


class Passing:
    """Watch one module: a forward hook that hangs hooks on what goes in and what comes out.

    Inputs and outputs get a place of their own in the graph, so that what passes this call of the module can be told
    from what else becomes of the same Tensors. ``hook(module, grad_input, grad_output)`` runs when the gradients of all
    inputs are complete; with ``before`` it is ``hook(module, grad_output)``, and runs when those of the outputs are.
    """

    def __init__(self, hook: BackwardHook, *, before: bool) -> None:
        self.hook, self.before = hook, before

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give the inputs places of their own."""
        return args if self.before else tuple([x[...] if is_passed(x) else x for x in args])

    def __call__(self, module: Any, args: tuple[Any, ...], y: Any) -> Any:
        several = isinstance(y, tuple)
        outputs = [part[...] if is_passed(part) else part for part in (y if several else (y,))]
        inputs = [] if self.before else [i for i, x in enumerate(args) if is_passed(x)]
        arrived: dict[int, Any] = {}
        missing: dict[int, Any] = {}

        def of_output(k: int, g: Any) -> Any:
            arrived[k] = g
            if inputs or not all(i in arrived for i, part in enumerate(outputs) if is_passed(part)):
                return None
            grads = tuple([arrived.get(i) for i in range(len(outputs))])
            arrived.clear()
            if not self.before:
                self.hook(module, (None,) * len(args), grads)
                return None
            return self._one(self.hook(module, grads), len(grads))

        def of_input(i: int, g: Any) -> Any:
            missing[i] = g
            if len(missing) < len(inputs):
                return None
            grads = tuple([missing.get(k) for k in range(len(args))])
            found = tuple([arrived.get(k) for k in range(len(outputs))])
            missing.clear()
            arrived.clear()
            return self._one(self.hook(module, grads, found), len(inputs))

        for k, part in enumerate(outputs):
            if is_passed(part):
                part.register_hook(lambda g, k=k: of_output(k, g))
        for i in inputs:
            args[i].register_hook(lambda g, i=i: of_input(i, g))
        return tuple(outputs) if several else outputs[0]

    def _one(self, given: Any, count: int) -> Any:
        """Return the gradient that a hook gave in place of the one there is."""
        if given is None:
            return None
        if count > 1:
            raise ArgumentError("a backward hook can replace the gradient where there is one; return None for several.")
        return given[0] if isinstance(given, tuple) else given
