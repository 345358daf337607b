"""How a module looks: its tree with names, shapes and parameter counts, as text and as HTML."""

from html import escape
from typing import Any, NamedTuple

from autograd.errors import printable

STYLE = "text-align:left;padding:1px 12px 1px 0"


class Row(NamedTuple):
    """Hold one line of the tree."""

    depth: int
    label: str
    total: str
    shapes: str


def rows(module: Any) -> list[Row]:
    """Walk the tree and describe each module; one that was shown before is marked ``shared`` and not counted again."""
    seen: set[int] = set()
    out = []
    for path, child in module.named_modules(remove_duplicate=False):
        depth = path.count(".") + 1 if path else 0
        label = printable(f"{path.rpartition('.')[2]}: {_title(child)}" if path else _title(child))
        if id(child) in seen:
            out.append(Row(depth, label, "", "shared"))
            continue
        seen.add(id(child))
        total = sum(p.size for p in child.parameters())
        shapes = ", ".join(_shape(name, p) for name, p in child._members() if hasattr(p, "requires_grad"))
        out.append(Row(depth, label, f"{total:,}" if total else "", shapes))
    return out


def text(module: Any) -> str:
    """Draw the tree with one line per module, its parameter count and the shapes of its own parameters."""
    first, *rest = rows(module)
    labels = ["  " * row.depth + row.label for row in (first, *rest)]
    width, digits = max(map(len, labels)), max(len(row.total) for row in (first, *rest))
    lines = []
    for label, row in zip(labels, (first, *rest), strict=True):
        shapes = f"parameters  {row.shapes}" if row is first and row.total else row.shapes
        lines.append(f"{label:{width}}  {row.total:>{digits}}  {shapes}".rstrip())
    return "\n".join(lines)


def html(module: Any) -> str:
    """Draw the tree as an HTML table."""
    body = "".join(
        f'<tr><td style="{STYLE};padding-left:{1.2 * row.depth:.1f}em">{escape(row.label)}</td>'
        f'<td style="{STYLE};text-align:right">{row.total}</td><td style="{STYLE}">{escape(row.shapes)}</td></tr>'
        for row in rows(module)
    )
    head = "".join(f'<th style="{STYLE}">{name}</th>' for name in ("module", "parameters", "shapes"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _title(module: Any) -> str:
    extra = module.extra_repr()
    return f"{type(module).__name__}({extra})" if extra else type(module).__name__


def _shape(name: str, parameter: Any) -> str:
    return f"{printable(name)} {parameter.shape}" + ("" if parameter.requires_grad else " frozen")
