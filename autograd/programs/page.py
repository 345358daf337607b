"""A program in a notebook: the user's lines beside the lines that were written from them; hovering links the two.

HTML and CSS alone, so that it works in a saved notebook that nobody trusts, too.
"""

import ast
import html
import linecache
import textwrap
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

_STYLE = """
.{id}{{display:grid;grid-template-columns:auto auto;gap:0 2em;justify-content:start;font:12px/1.5 monospace}}
.{id} pre{{margin:0;overflow-x:auto}}
.{id} h4{{margin:0 0 .3em;font:600 12px sans-serif}}
.{id} span{{display:block;padding:0 .4em;border-radius:3px}}
.{id} .c{{opacity:.6}}
"""
_LINK = ".{id}:has(.l{k}:hover) .l{k}{{background:#f5b26766}}"


def page(program: Any) -> str:
    """Return the view of ``program``: yours on the left, forward and backward on the right."""
    written = list(zip(program.text.lines, program.text.origins, strict=True))
    number = {line: k for k, line in enumerate(sorted({line for _, line in written if line is not None}))}
    mark = f"program-{zlib.crc32(program.source.encode()):x}"  # what is stored in a notebook stays the same
    yours = [_span(text or " ", number.get(line), f"line {line[1]}") for line, text in _with_their_functions(number)]
    ours = [
        _span(text, number.get(line), "" if line is None else linecache.getline(*line).strip())
        for text, line in written
        if not (text.lstrip().startswith("#") and line is not None and ": " not in text)
    ]
    style = _STYLE.format(id=mark) + "\n".join([_LINK.format(id=mark, k=k) for k in number.values()])
    left = f"<div><h4>{html.escape(program.name)}</h4><pre>{''.join(yours)}</pre></div>" if yours else ""
    return (
        f'<style>{style}</style><div class="{mark}">{left}'
        f"<div><h4>forward and backward, as a NumPy program</h4><pre>{''.join(ours)}</pre></div></div>"
    )


def _with_their_functions(lines: Iterable[tuple[str, int]]) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield the lines of the functions that hold ``lines``; of a lambda its line."""
    shown: set[tuple[str, int]] = set()
    for file, n in lines:
        first, last = _function_around("".join(linecache.getlines(file)), n)
        texts = textwrap.dedent("".join(linecache.getlines(file)[first - 1 : last])).splitlines()
        for k, text in enumerate(texts, first):
            if (file, k) not in shown:
                shown.add((file, k))
                yield (file, k), text.rstrip()


def _function_around(text: str, n: int) -> tuple[int, int]:
    """Return the first and the last line of the innermost function around line ``n``, or the line alone."""
    found = n, n
    with suppress(SyntaxError):  # of a notebook's own words
        for node in ast.walk(ast.parse(text)):  # from the outside in
            if isinstance(node, ast.FunctionDef) and node.lineno <= n <= (node.end_lineno or n):
                found = node.lineno, node.end_lineno or n
    return found


def _span(text: str, k: int | None, title: str) -> str:
    classes = [f"l{k}"] if k is not None else []
    classes += ["c"] if text.lstrip().startswith("#") else []
    return f'<span class="{" ".join(classes)}" title="{html.escape(title)}">{html.escape(text) or "&nbsp;"}</span>'
