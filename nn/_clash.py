"""Notice that ``import autograd`` finds PyPI's other package of that name, before anything here builds on it."""

from types import ModuleType

import autograd


def refuse_foreign_engine(engine: ModuleType) -> None:
    """Raise ImportError when ``engine`` is not the ``autograd`` of this project, which says so in ``__distribution__``.

    (It cannot be a NameClash: that class lives in the package that was not found.)
    """
    if getattr(engine, "__distribution__", None) == "chainrule":
        return
    where = engine.__file__ or f"the folder {', '.join(engine.__path__)}, which has no __init__.py"
    raise ImportError(
        f"nn needs the 'autograd' of the package 'chainrule', but 'import autograd' finds {where}. PyPI's 'autograd' "
        "has the same import name. Remove both, and then install the one you want again, as you did before:\n"
        "    python -m pip uninstall --yes autograd chainrule\n"
        "To use both, give each an environment of its own."
    )


refuse_foreign_engine(autograd)
