"""The values of a view as an HTML table, a part for each module: to look a number up, or where no picture is seen."""

from autograd.viz.escape import page
from autograd.viz.model import NOT_KEPT, Group, Item, Part, View
from autograd.viz.numbers import one_line, shape_text
from autograd.viz.wording import grad_text

COLUMNS = ("node", "op", "shape", "value", "gradient")
LINE = "line"  # one more column, where the lines of the user's program are known


def write(view: View) -> str:
    """Return the table: node, op, shape, value, gradient (and line); modules can be closed where scripts run."""
    groups = {group.id: group for group in view.groups}
    inside: dict[str, list[str]] = {}
    columns = (*COLUMNS, *([LINE] if any(item.line for item in view.items) else []))
    for item in view.items:
        if item.kind in ("value", "fold"):
            inside.setdefault(item.place or _name(groups.get(item.module)), []).extend(_rows(item, len(columns)))
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    bodies = [f"<tbody>{_heading(name, len(columns))}{''.join(rows)}</tbody>" for name, rows in inside.items()]
    return f'<table class="values"><thead><tr>{head}</tr></thead>{"".join(bodies)}</table>'


def _name(group: Group | None) -> str:
    if group is None:
        return ""
    return group.path + (f" {group.kind}" if group.kind not in ("", group.path) else "")


def _heading(name: str, wide: int) -> str:
    if not name:
        return ""
    button = f'<button type="button" aria-expanded="true">{page(name)}</button>'
    return f'<tr class="module"><th colspan="{wide}" scope="rowgroup">{button}</th></tr>'


def _rows(item: Item, wide: int) -> list[str]:
    """Write the row of an item, after those of what stands in its card."""
    rows = [_row(item.id, part.name or part.id, "", part, "", wide) for part in item.parts]
    if item.kind == "fold":
        facts = ", ".join(f"{word} {text}" for word, text in item.facts)
        return [
            *rows,
            f'<tr data-id="{item.id}"><th scope="row">{page(item.name)}</th>'
            f'<td colspan="{wide - 1}">{page(facts)}</td></tr>',
        ]
    return [*rows, _row(item.id, item.name or item.id, item.says or item.op, item, item.line, wide)]


def _row(key: str, name: str, op: str, thing: Item | Part, line: str, wide: int) -> str:
    value = NOT_KEPT if thing.value is None else one_line(thing.value)
    shape = f"{shape_text(thing.shape)} {thing.dtype}" if thing.shape else "number"
    note = f" ({thing.note})" if thing.note else ""
    cells = (op, shape, value + note, grad_text(thing), line)
    written = "".join(f"<td>{page(cell)}</td>" for cell in cells[: wide - 1])
    return f'<tr data-id="{key}"><th scope="row">{page(name)}</th>{written}</tr>'
