"""Notice PyPI's other ``autograd``: it has the same import name, and no installer reports the clash.

Floor 2: used by the package itself, first of all, and by ``autograd.differential_operators``.
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
            f"({', '.join(found)}) beside those of 'chainrule', so neither is whole. {cure()}"
        )


def cure() -> str:
    """Tell what to do, with the command by which this package was installed (``nn._clash`` says the same)."""
    return (
        "Remove both, then install the one you want:\n"
        "    python -m pip uninstall --yes autograd chainrule\n"
        f"    python -m pip install {source()}\n"
        "To use both, give each an environment of its own."
    )


def source() -> str:
    """Return what pip was told to install: a folder or file, or the bare name where it came from a registry.

    What was never installed is a folder that somebody uses as it is.
    """
    import json
    from importlib.metadata import PackageNotFoundError, distribution  # what an import that succeeds does not need

    try:
        told = json.loads(distribution("chainrule").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        whole = os.path.exists(os.path.join(home, "pyproject.toml"))
        return f'"{home}"' if whole else "<the folder or the wheel of chainrule>"
    editable = "--editable " if told.get("dir_info", {}).get("editable") else ""
    return f"{editable}{told['url']}" if "url" in told else "chainrule"


refuse_foreign_files(os.path.dirname(__file__))  # pathlib would cost 9 ms of every import
