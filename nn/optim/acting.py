"""The base of what acts on a training: its methods stay effects where a subclass overrides them."""

from typing import Any, ClassVar

import autograd as ag


class Acting:
    """Let a method that overrides an effect be one: in a compiled function it is called at each call, at its end."""

    _acts: ClassVar[bool] = True  # in a compiled function what it holds decides nothing: see ``ag.effect``

    _keeps: ClassVar[frozenset[str]] = frozenset()  # our effects that leave alone what a user reads here: groups, rates

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, method in list(vars(cls).items()):
            over: Any = next((vars(base)[name] for base in cls.__mro__[1:] if name in vars(base)), None)
            if callable(method) and hasattr(over, "changes_values") and not hasattr(method, "changes_values"):
                setattr(cls, name, ag.effect(method, values=over.changes_values))
