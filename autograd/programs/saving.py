"""Write a program as a module of its own: forward and backward with all that they call, for NumPy alone.

The functions that its steps run are copied as they stand in this project, without what only concerns it: type hints,
decorators, docstrings. Arrays (weights, constants) go into a file beside the module.
"""

import ast
import inspect
import math
import sys
import textwrap
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd.errors import TraceError
from autograd.programs.definitions import definition_of, place_of
from autograd.programs.reach import is_library
from autograd.programs.source import Source
from autograd.programs.values import ARRAY, CLOSED, Value
from autograd.rules import Op

# What asks where in a model it runs, or whether its inputs are Tensors: in the module there is neither.
_STAND_INS = {
    "place": "def place(*names):\n    return ''",
    "current_scope": "def current_scope():\n    return None",
    "is_grad_enabled": "def is_grad_enabled():\n    return True",
    "select": "def select(mask, x):\n    return np.where(mask, x, x.dtype.type(0))",
}


def save(program: Any, path: Any) -> None:
    """Write ``program`` to the module ``path``, and the arrays that it needs to a file ``.npz`` beside it."""
    path = Path(path)
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise TraceError(f"save: a module is a file such as step.py, got {path.name!r}.")
    source = Source(program, alone=True)
    bundle = _Bundle(source)
    weights = {source.name(v): np.asarray(_now(v)) for v in program.used if v.kind in (CLOSED, ARRAY)}
    text = [f'"""{_docstring(program, source, weights)}"""', "", *bundle.imports(), "import numpy as np", ""]
    arrays = weights | bundle.arrays
    if arrays:
        text += [f'_arrays = np.load(Path(__file__).with_suffix(".npz"))  # {len(arrays)} of them']
        text.insert(2, "from pathlib import Path\n")
    if weights:
        text += [f"weights = {{name: _arrays[name] for name in {tuple(weights)!r}}}"]
    text += ["", *bundle.text, "", *source.lines, ""]
    path.write_text("\n".join(text), encoding="utf-8")
    if arrays:
        np.savez(path.with_suffix(".npz"), allow_pickle=False, **arrays)


def _now(v: Value) -> Any:
    return v.source._array if v.boxed else v.source


def _docstring(program: Any, source: Source, weights: dict[str, Any]) -> str:
    given = [source.name(v) for v in program.used if source.name(v) not in weights]
    arguments = ", ".join([*given, *(["**weights"] if weights else [])])
    usage = [f"outputs, saved = forward({arguments})"]
    if program.gradients:
        seeds = ", ".join(["1.0" if root.shape == () else f"np.ones({root.shape})" for root in program.roots])
        names = [f"d{source.name(v)}" for v in program.gradients]
        usage += [f"{', '.join(names)}{',' if len(names) == 1 else ''} = backward({seeds}, *saved)"]
    lines = "\n    ".join(usage)
    return f"Compute {program.name} and its gradient; written by chainrule, needs NumPy only.\n\n    {lines}\n"


class _Bundle:
    """Collect the definitions of everything that a source names."""

    def __init__(self, source: Source) -> None:
        self.text: list[str] = []
        self.arrays: dict[str, Any] = {}
        self._modules: set[str] = set()
        self._named: dict[int, str] = {}
        self._kept: list[Any] = []
        constants = source.constants()
        self._taken = {"np", "weights", "forward", "backward", "Path", *source.names}
        for name, x in constants:
            self._own = name  # free for this one
            written = self.expression(x, name)
            if written != name:
                self.text.append(f"{name} = {written}")

    def imports(self) -> list[str]:
        """List the modules of Python's own that are used."""
        return [f"import {name}" for name in sorted(self._modules)]

    def expression(self, x: Any, label: str) -> str:
        """Write an object, with the definitions of what it takes."""
        if isinstance(x, bool | int | str | type(None) | type(Ellipsis)):
            return repr(x)
        if isinstance(x, float) and not isinstance(x, np.generic):
            return repr(x) if math.isfinite(x) else f"float({str(x)!r})"
        if isinstance(x, tuple | list) and not hasattr(x, "_fields"):
            parts = ", ".join([self.expression(part, f"{label}_{i}") for i, part in enumerate(x)])
            return f"[{parts}]" if isinstance(x, list) else f"({parts}{',' if len(x) == 1 else ''})"
        if isinstance(x, set | frozenset):
            return f"{type(x).__name__}({self.expression(list(x), label)})"
        if isinstance(x, dict):
            pairs = [f"{key!r}: {self.expression(part, str(key))}" for key, part in x.items()]
            return f"{{{', '.join(pairs)}}}"
        if isinstance(x, slice):
            return (
                f"slice({self.expression(x.start, '')}, {self.expression(x.stop, '')}, {self.expression(x.step, '')})"
            )
        if isinstance(x, np.dtype):
            return f"np.dtype({x.str!r})"
        if isinstance(x, np.generic):
            return f"np.array({x.item()!r}, {x.dtype.str!r})[()]".replace("nan", "np.nan").replace("inf", "np.inf")
        if isinstance(x, FunctionType) or hasattr(x, "cache_info"):  # a function that calls itself, by another name
            x = x if hasattr(x, "op") else inspect.unwrap(x)
        known = self._named.get(id(x))
        if known is None:
            self._kept.append(x)
            known = self._named[id(x)] = self._define(x, label)
        return known

    def _define(self, x: Any, label: str) -> str:
        place = place_of(x)
        if place:
            module = place if isinstance(x, ModuleType) else place.rpartition(".")[0]
            self._modules |= {module} if module.partition(".")[0] in sys.stdlib_module_names else set()
            return place
        if isinstance(x, np.ndarray):
            if x.size and x.dtype.kind == "f" and (x == x.flat[0]).all():
                return f"np.full({x.shape}, {x.flat[0].item()!r}, np.{x.dtype.name})"
            name = self._free(f"array_{label}")
            self.arrays[name] = x
            return f"_arrays[{name!r}]"
        if isinstance(x, np.random.Generator):
            name = self._free(label)
            self.text += [f"{name} = np.random.Generator(np.random.{type(x.bit_generator).__name__}())"]
            self.text += [f"{name}.bit_generator.state = {x.bit_generator.state!r}"]
            return name
        if isinstance(getattr(x, "op", None), Op):  # on plain arrays an op is what it computes
            return self.expression(x.op.forward, label)
        x = inspect.unwrap(x) if callable(x) and not isinstance(x, type) else x
        if isinstance(x, FunctionType):
            return self._function(x, label)
        if x in (type(None), type(...)):
            return "type(None)" if x is type(None) else "type(...)"
        if isinstance(x, type):
            return self._class(x)
        if isinstance(x, ModuleType) and x.__name__ in sys.stdlib_module_names:
            self._modules.add(x.__name__)
            return x.__name__
        held = getattr(x, "__dict__", None)
        if held is not None and not callable(x):
            name, kind = self._free(label), self.expression(type(x), label)
            parts = {key: self.expression(part, f"{label}_{key}") for key, part in held.items()}
            self.text += [f"{name} = object.__new__({kind})"]
            self.text += [f"{name}.{key} = {part}" for key, part in parts.items()]
            return name
        raise TraceError(f"save: the program uses {type(x).__name__} {label!r}, which cannot be written into a module.")

    def _function(self, f: FunctionType, label: str) -> str:
        stand_in = _STAND_INS.get(f.__name__) if is_library(f.__module__) else None
        name = self._free(label or f.__name__)
        self._named[id(f)] = name  # it may call itself
        if stand_in:
            self.text += ["", stand_in.replace(f"def {f.__name__}", f"def {name}"), ""]
            return name
        tree = definition_of(f)
        if tree is None:
            raise TraceError(f"save: the source of {f.__qualname__} is not at hand.")
        held = {
            label: cell.cell_contents for label, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        }
        written = _Rewriter(self, f.__globals__ | held, _globals_of(f.__code__) | held.keys()).visit(tree)
        if isinstance(written, ast.Lambda):
            self.text += [f"{name} = {ast.unparse(written)}"]
            return name
        written.name = name
        self.text += ["", ast.unparse(ast.fix_missing_locations(written)), ""]
        return name

    def _class(self, kind: type) -> str:
        name = self._free(kind.__name__)
        self._named[id(kind)] = name
        if issubclass(kind, BaseException):
            base = next(base for base in kind.__mro__ if base.__module__ == "builtins")
            self.text += ["", f"class {name}({base.__name__}):\n    pass", ""]
            return name
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
        space = vars(sys.modules[kind.__module__])
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        written = _Rewriter(self, space, names & space.keys()).visit(tree)
        written.name = name
        self.text += ["", ast.unparse(ast.fix_missing_locations(written)), ""]
        return name

    def _free(self, label: str) -> str:
        name, n = label.strip("<>") or "x", 1
        if name == self._own:
            self._own = ""
            return name
        while name in self._taken:
            n += 1
            name = f"{label}_{n}"
        self._taken.add(name)
        return name


class _Rewriter(ast.NodeTransformer):
    """Copy a definition, naming what it uses as the module does."""

    def __init__(self, bundle: _Bundle, space: dict[str, Any], names: Any) -> None:
        self.bundle, self.space, self.names = bundle, space, frozenset(names)

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.names or node.id not in self.space or not isinstance(node.ctx, ast.Load):
            return node
        return self._written(self.space[node.id], node.id)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """Follow the modules of this project to what they hold."""
        x = self._module_of(node.value)
        if isinstance(x, ModuleType) and not _is_foreign(x):
            return self._written(getattr(x, node.attr), node.attr)
        return self.generic_visit(node)

    def _module_of(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and node.id in self.names:
            return self.space.get(node.id)
        inner = self._module_of(node.value) if isinstance(node, ast.Attribute) else None
        return getattr(inner, node.attr, None) if isinstance(inner, ModuleType) else None  # type: ignore[attr-defined]

    def _written(self, x: Any, label: str) -> ast.expr:
        return ast.parse(self.bundle.expression(x, label), mode="eval").body

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """Leave out what only concerns readers and checkers."""
        node.decorator_list, node.returns = [each for each in node.decorator_list if _stays(each)], None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            node.body = node.body[1:]
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        """Leave out what only concerns readers and checkers; the fields of a dataclass stay."""
        for field in node.body:
            if isinstance(field, ast.AnnAssign):
                field.annotation = ast.Name("object", ast.Load())
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            node.body = node.body[1:]
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """Keep the value of ``x: int = 1``; of ``x: int`` nothing remains."""
        if node.value is None or (isinstance(node.annotation, ast.Name) and node.annotation.id == "object"):
            return self.generic_visit(node)
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], node.value), node))


def _stays(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id in (
        "property",
        "cached_property",
        "staticmethod",
        "classmethod",
    )


def _is_foreign(module: ModuleType) -> bool:
    top = module.__name__.partition(".")[0]
    return top == "numpy" or top in sys.stdlib_module_names


def _globals_of(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _globals_of(constant)
    return names
