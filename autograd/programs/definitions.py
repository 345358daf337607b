"""The definitions of functions as trees: what a program is written out with, and what a saved module takes along."""

import ast
import builtins
import copy
import inspect
import linecache
import math
import operator
import sys
import textwrap
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_SPACES = [("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft), ("math", math), ("operator", operator)]
_LONG = 150  # bytes of code; what is longer is no one expression to be read in a line


def place_of(x: Any) -> str:
    """Return how NumPy and Python name an object of theirs, or nothing."""
    if isinstance(x, ModuleType):
        return next((name for name, space in _SPACES if space is x), "")
    name = getattr(x, "__name__", None)
    if not isinstance(name, str):
        return ""
    if isinstance(getattr(x, "__self__", None), np.ufunc):
        return f"np.{x.__self__.__name__}.{name}"
    if vars(builtins).get(name) is x:
        return name
    module = str(getattr(x, "__module__", ""))
    if module.partition(".")[0] in sys.stdlib_module_names and vars(sys.modules[module]).get(name) is x:
        return f"{module}.{name}"
    return next((f"{space}.{name}" for space, held in _SPACES if getattr(held, name, None) is x), "")


def definition_of(f: FunctionType) -> Any:
    """Return the tree of a function, of a lambda among others in one statement too; None where no text is at hand."""
    try:
        if f.__name__ != "<lambda>":
            return ast.parse(textwrap.dedent(inspect.getsource(f))).body[0]
        tree = _tree("".join(linecache.getlines(inspect.getsourcefile(f) or "", f.__globals__)))
    except (OSError, TypeError, SyntaxError):
        return None
    lambdas = [node for node in tree if node.lineno == f.__code__.co_firstlineno]
    return next((copy.deepcopy(node) for node in lambdas if _is_code_of(node, f)), None)


@lru_cache(maxsize=32)
def _tree(text: str) -> list[ast.Lambda]:
    """List the lambdas of a file."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Lambda)]


def _is_code_of(node: ast.Lambda, f: FunctionType) -> bool:
    code = next(c for c in compile(ast.Expression(node), "lambda", "eval").co_consts if isinstance(c, CodeType))
    facts, others = ((c.co_names, c.co_varnames, _numbers_of(c)) for c in (code, f.__code__))
    return facts == others


def _numbers_of(code: CodeType) -> list[Any]:
    return [c for c in code.co_consts if not isinstance(c, CodeType)]


@lru_cache(maxsize=512)
def expression_of(f: Any) -> ast.expr | None:
    """Return what a function gives, if that is one expression of its parameters and functions of NumPy's."""
    code = getattr(f, "__code__", None)
    if code is None or len(code.co_code) > _LONG or code.co_nlocals != code.co_argcount + code.co_kwonlyargcount:
        return None
    tree = definition_of(f)
    if isinstance(tree, ast.Lambda):
        found: ast.expr | None = tree.body
    else:
        body = tree.body if isinstance(tree, ast.FunctionDef) else []
        body = body[1:] if body and ast.get_docstring(tree) is not None else body
        found = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
    if found is None or any(isinstance(node, _CLOSED) for node in ast.walk(found)):
        return None
    names = {node.id for node in ast.walk(found) if isinstance(node, ast.Name)} - {*code.co_varnames}
    places = {name: place_of(f.__globals__.get(name, getattr(builtins, name, None))) for name in names}
    if code.co_freevars or not all(text.partition(".")[0] == "np" for text in places.values()):
        return None
    made: ast.expr = put(found, {name: ast.parse(text, mode="eval").body for name, text in places.items()})
    return made


_CLOSED = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.NamedExpr, ast.IfExp, ast.Starred)


def put(tree: ast.expr, names: dict[str, ast.expr]) -> Any:
    """Put expressions in place of names."""
    return _Put(names).visit(copy.deepcopy(tree))


class _Put(ast.NodeTransformer):
    def __init__(self, names: dict[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> Any:
        return self.names.get(node.id, node)
