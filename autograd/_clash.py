"""Notice PyPI's other ``autograd``: it has the same import name, and no installer reports the clash.

Floor 2: used by the package itself, first of all.
"""

import os.path

from autograd.errors import NameClash

FOREIGN = ("builtins.py", "core.py", "differential_operators.py", "extend.py", "numpy", "tracer.py")


def refuse_foreign_files(folder: str) -> None:
    """Raise NameClash when ``folder``, the home of this package, also holds files of the HIPS package ``autograd``.

    One of the two was then installed over the other: half of the modules are ours, half are theirs.
    """
    found = [name for name in FOREIGN if os.path.exists(os.path.join(folder, name))]
    if found:
        raise NameClash(
            f"two packages share the import name 'autograd': {folder} holds files of PyPI's 'autograd' "
            f"({', '.join(found)}) beside those of 'chainrule', so neither is whole. Remove both, then install "
            "the one you want:\n"
            "    python -m pip uninstall --yes autograd chainrule\n"
            "    python -m pip install chainrule\n"
            "To use both, give each an environment of its own."
        )


refuse_foreign_files(os.path.dirname(__file__))  # pathlib would cost 9 ms of every import
