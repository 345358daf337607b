"""The editor sees everything: public names, types of results and parameters, as mypy and pyright read them."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag
import nn
from tests.conftest import beside

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "typing"
PROGRAMS, MISTAKES = [FOLDER / "program.py", FOLDER / "lesson.py"], FOLDER / "mistakes.py"
PACKAGES = {"autograd": ag, "nn": nn}


def stub(package):
    return ast.parse((ROOT / package / "__init__.pyi").read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------------------ the names


@pytest.mark.parametrize("package", PACKAGES)
def test_the_typed_page_lists_the_names_that_are_public(package):
    (listed,) = [node.value for node in stub(package).body if isinstance(node, ast.Assign)][:1]
    assert ast.literal_eval(listed) == PACKAGES[package].__all__


@pytest.mark.parametrize("package", PACKAGES)
def test_the_typed_page_declares_what_is_listed_and_nothing_else(package):
    declared = {name for name in vars_of(stub(package)) if not name.startswith("__")}
    kinds = {"P", "R", "R_co", "X", "Argnums"} if package == "autograd" else {"distributed", "onnx", "sklearn"}
    assert declared - kinds == set(PACKAGES[package].__all__)


def vars_of(tree):
    """List the names that a page declares, those that it only reads left out."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname for alias in node.names if alias.asname and alias.asname == alias.name)
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def declarations():
    return {node.name: node.args for node in stub("autograd").body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", declarations())
def test_the_typed_parameters_are_those_that_run(name):
    told, runs = declarations()[name], inspect.signature(getattr(ag, name)).parameters.values()
    positional = [arg.arg for arg in (*told.posonlyargs, *told.args)]
    assert positional == [p.name for p in runs if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [arg.arg for arg in told.kwonlyargs] == [p.name for p in runs if p.kind is p.KEYWORD_ONLY]
    defaults = [ast.literal_eval(value) for value in (*told.defaults, *filter(None, told.kw_defaults))]
    assert defaults == [p.default for p in runs if p.default is not p.empty]


@pytest.mark.parametrize("package", PACKAGES)
def test_dir_shows_the_public_names_only(package):
    """What loads at first use is in it; modules of the engine are not."""
    later = {"distributed", "onnx", "sklearn"} if package == "nn" else set()
    assert {name for name in dir(PACKAGES[package]) if not name.startswith("__")} == {
        *PACKAGES[package].__all__,
        *later,
    }


@pytest.mark.parametrize("name", [name for name in ag.__all__ if callable(getattr(ag, name))])
def test_every_function_shows_its_parameters(name):
    names = list(inspect.signature(getattr(ag, name)).parameters)
    assert "kwargs" not in names, names
    assert names or name in ("no_grad", "enable_grad", "is_grad_enabled", "current_scope")


CLASSES = {
    f"{home.__name__}.{name}": thing
    for home in (ag, nn, nn.optim)
    for name in home.__all__
    if isinstance(thing := getattr(home, name), type) and not issubclass(thing, Exception) and name != "Identity"
}  # an Identity is built with anything, as in PyTorch


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_shows_its_parameters_and_dtype_as_one_word(name):
    shown = inspect.signature(CLASSES[name])
    assert "args" not in shown.parameters, shown
    assert "numpy._typing" not in str(shown)


@pytest.mark.parametrize(
    ("thing", "parameters"),
    [(nn.ReLU, []), (nn.MSELoss, ["reduction"]), (nn.Linear(2, 3), ["x"]), (nn.MSELoss(), ["input", "target"])],
)
def test_a_layer_shows_what_it_takes_and_an_instance_what_its_forward_does(thing, parameters):
    assert list(inspect.signature(thing).parameters) == parameters


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (ag.relu, "(x)"),
        (ag.softmax, "(x, axis=-1)"),
        (ag.leaky_relu, "(x, negative_slope=0.01)"),
        (ag.logsumexp, "(x, axis=None, keepdims=False)"),
        (nn.functional.linear, "(input, weight, bias=None)"),
        (ag.op(lambda a, b, scale=2.0: a * b * scale, vjp=lambda g: (g, g), name="scaled"), "(a, b, scale=2.0)"),
    ],
)
def test_an_op_has_the_signature_of_its_forward(function, parameters):
    shown = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in shown.parameters.values()]
    assert str(shown.replace(parameters=bare, return_annotation=shown.empty)) == parameters


# --------------------------------------------------------------------------------------------------------- the checkers


def mypy(*files):
    """Return the errors as (line, message)."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--hide-error-context", *map(str, files)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert said.returncode in (0, 1), said.stdout + said.stderr
    return [(int(line), text) for line, text in re.findall(r":(\d+): error: (.*)", said.stdout)]


def pyright(*files):
    """Return the errors as (line, message)."""
    command = [str(beside("pyright")), "--outputjson", "--pythonpath", sys.executable, *map(str, files)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    found = json.loads(said.stdout)["generalDiagnostics"]
    return [(each["range"]["start"]["line"] + 1, each["message"]) for each in found if each["severity"] == "error"]


def unlike(errors):
    """Return the marked lines without an error, and the errors on other lines."""
    lines = MISTAKES.read_text(encoding="utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# error")}
    silent = [lines[number - 1] for number in sorted(marked - {number for number, _ in errors})]
    return silent, [(number, text) for number, text in errors if number not in marked]


@pytest.mark.slow
def test_mypy_knows_the_types_of_users_programs():
    assert mypy(*PROGRAMS) == []


@pytest.mark.slow
def test_mypy_refuses_each_mistake():
    assert unlike(mypy(MISTAKES)) == ([], [])


@pytest.mark.pyright
def test_pyright_knows_the_types_of_users_programs():
    assert pyright(*PROGRAMS) == []


@pytest.mark.pyright
def test_pyright_refuses_each_mistake():
    assert unlike(pyright(MISTAKES)) == ([], [])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_the_program_runs(program, tmp_path):
    command = [sys.executable, "-W", "error", str(program)]
    said = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
