"""The floors of the house, read from the source: imports go down, ``nn`` stands on the public face of ``autograd``."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parent.parent
PACKAGES = ("autograd", "nn")

# A module imports only from a strictly lower floor; a folder is one floor, inside which there is no circle.
FLOORS = {
    "autograd.modes": 0,
    "autograd.errors": 1,
    "autograd.tree": 2,
    "autograd._clash": 2,
    "autograd.differential_operators": 3,
    "autograd.memory": 2,
    "autograd.graph": 1,
    "autograd.backward": 2,
    "autograd.box": 2,
    "autograd.sharing": 2,
    "autograd.gathering": 2,
    "autograd.hints": 2,
    "autograd.hooks": 3,
    "autograd.rules": 3,
    "autograd.template": 4,
    "autograd.vjp": 4,
    "autograd.masking": 5,
    "autograd.application": 5,
    "autograd.compiler": 6,
    "autograd.differentiate": 7,
    "autograd.lanes": 7,
    "autograd.forward": 8,
    "autograd.effects": 8,
    "autograd.primitive": 8,
    "autograd.ops": 9,
    "autograd.accumulate": 10,
    "autograd.methods": 10,
    "autograd.conversions": 10,
    "autograd.protocols": 10,
    "autograd.reading": 10,
    "autograd.inplace": 10,
    "autograd.tensor": 11,
    "autograd.leaves": 12,
    "autograd.trace": 12,
    "autograd.transforms": 13,
    "autograd.checkpointing": 13,
    "autograd.matrices": 14,
    "autograd.mapping": 13,
    "autograd.finite_differences": 14,
    "autograd.gradcheck": 15,
    "autograd.programs": 12,
    "autograd.recording": 13,
    "autograd.scipy": 15,
    "autograd.viz": 13,
    "autograd.debug": 14,
    "autograd": 16,
}
FOLDERS = ("autograd.debug", "autograd.methods", "autograd.ops", "autograd.programs", "autograd.scipy", "autograd.viz")
WITHOUT_NUMPY = ("autograd.errors", "autograd.modes", "autograd.graph", "autograd.backward")
PUBLIC_MODULES = ("autograd", "autograd.errors")
FACTS = ("__version__", "__distribution__")


@cache
def modules() -> dict[str, Path]:
    """Map the dotted name of every module to its file."""
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


def imports(name: str, nodes: Iterator[ast.AST] | None = None) -> set[tuple[str, str | None]]:
    """List what a module imports, as (module, name or None); relative imports are resolved."""
    package = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    found: set[tuple[str, str | None]] = set()
    for node in nodes or ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, None) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {(base, alias.name) for alias in node.names}
    return found


def edges(name: str) -> set[str]:
    """List the project's modules that a module imports; ``from package import module`` names the module."""
    targets = {f"{base}.{item}" if f"{base}.{item}" in modules() else base for base, item in imports(name)}
    return {target for target in targets if target in modules()} - {name}


def floor(name: str) -> tuple[str, int]:
    """Find the entry of FLOORS that covers a module."""
    owner = name
    while owner not in FLOORS or (owner == "autograd" and name != "autograd"):
        owner = owner.rpartition(".")[0]
        assert owner, f"{name} has no floor yet: give it one in FLOORS"
    return owner, FLOORS[owner]


def test_imports_go_down():
    for name in modules():
        if name.split(".")[0] != "autograd":
            continue
        owner, level = floor(name)
        for target in edges(name):
            below, lower = floor(target)
            same_folder = owner == below and owner in FOLDERS
            assert same_folder or lower < level, f"{name} (floor {level}) imports {target} (floor {lower})"


@pytest.mark.parametrize("name", [name for name in FLOORS if name.startswith("autograd.") and name not in FOLDERS])
def test_the_docstring_names_the_floor(name):
    """A reader learns from the file itself from where it may be used."""
    assert re.findall(r"\bFloor (\d+)\b", ast.get_docstring(tree(name)) or "") == [str(FLOORS[name])]


def test_no_circle():
    todo = {name: edges(name) for name in modules()}
    while free := [name for name, needs in todo.items() if not needs & todo.keys()]:
        for name in free:
            del todo[name]
    assert not todo, f"in an import circle, or above one: {sorted(todo)}"


def test_project_imports_stand_at_the_top():
    """Only the root packages may load a part at its first use."""
    for name in modules():
        for function in ast.walk(tree(name)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inside = {base for base, _ in imports(name, ast.walk(function)) if base.split(".")[0] in PACKAGES}
                lazy = name in PACKAGES and getattr(function, "name", "") == "__getattr__"
                assert lazy or not inside, f"{name}:{function.lineno} imports {inside} inside a function"


def test_no_type_checking_blocks():
    assert [name for name, path in modules().items() if "TYPE_CHECKING" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("name", WITHOUT_NUMPY)
def test_graph_and_backward_pass_know_no_arrays(name):
    assert not [base for base, _ in imports(name) if base.split(".")[0] == "numpy"]


def attributes_of_autograd(name: str) -> set[str]:
    """List what a module reaches as ``ag.something`` after ``import autograd as ag``."""
    nodes = list(ast.walk(tree(name)))
    names = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    aliases = {alias.asname or alias.name for alias in names if alias.name == "autograd"}
    reached = [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    return {node.attr for node in reached if node.value.id in aliases}


@pytest.mark.parametrize("name", [name for name in modules() if name.split(".")[0] == "nn"])
def test_nn_stands_on_the_public_face(name):
    used = {(base, item) for base, item in imports(name) if base.split(".")[0] == "autograd"}
    for base, item in sorted(used | {("autograd", attribute) for attribute in attributes_of_autograd(name)}, key=str):
        assert base in PUBLIC_MODULES, f"{name} imports from {base}, which is not public"
        if base == "autograd" and item is not None:
            public = item in (*autograd.__all__, *FACTS) or f"autograd.{item}" in PUBLIC_MODULES
            assert public, f"{name} uses autograd.{item}, which is not in autograd.__all__"
        assert item is None or item in FACTS or not item.startswith("_"), f"{name} uses {base}.{item}"


STORY = ("neuron", "module", "linear", "activation", "losses", "optim.sgd", "optim.adam", "trainer")
TAIL = (
    "transformer",
    "transposed",
    "upsample",
    "cells",
    "distances",
    "distributions",
    "module_dict",
    "average",
    "summary",
)


@pytest.mark.parametrize("part", STORY)
def test_the_story_stands_without_the_long_tail(part):
    """What ``nn``'s docstring calls the story needs nothing of what it calls the long tail."""
    reached, todo = set(), {f"nn.{part}"}
    while todo:
        reached |= todo
        todo = {target for name in todo for target in edges(name) if target not in ("nn", "nn.optim")} - reached
    assert reached.isdisjoint(f"nn.{name}" for name in TAIL)


def test_the_docstring_of_nn_names_story_and_tail():
    text = ast.get_docstring(tree("nn")) or ""
    assert [name for name in (*STORY, *TAIL) if f"``{name}``" not in text] == []


CORE = [
    module
    for folder in (".", "programs")
    for module in sorted((ROOT / "autograd" / folder).glob("*.py"))
    if not module.name.startswith("_")  # how a package loads its parts, and the clash of names: test_packaging.py
]


@pytest.mark.parametrize("module", CORE, ids=lambda module: f"{module.parent.name}.{module.stem}")
def test_each_module_of_the_core_has_a_file_of_tests(module):
    folder = ROOT / "tests" / module.parent.relative_to(ROOT)
    assert (folder / f"test_{module.name}").exists()


def test_tests_read_no_private_attribute_of_tensors():
    """They ask ``.data`` for values, ``record``, ``draw`` and ``who_holds`` for graphs; mutants alone reach in."""
    private = ("_node", "_array")
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "tests").rglob("*.py")
        if "mutants" not in path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in private
    }
    assert not found
