"""What pictures say in words: on an edge, and where the pointer stands on a box."""

import numpy as np

from autograd.viz.model import NOT_KEPT, Arrow, Item, Part
from autograd.viz.numbers import literal, one_line, rows, shape_text, short, signed, spread
from autograd.viz.theme import STATES

SHOWN = 40  # longer names are cut in the picture; the hover has all of it


def edge_label(arrow: Arrow) -> str:
    """Tell what an edge added: the number, or mean ± spread of an array; nothing before backward."""
    text = (f"{arrow.count:,}× " if arrow.count > 1 else "") + "skip " * arrow.skip
    if arrow.argument.startswith("["):
        return arrow.argument
    if arrow.share is None:
        return text.strip()
    if arrow.state == "masked":
        return text + "0 masked"
    if arrow.state == "zero":
        return text + "0"
    if not np.ndim(arrow.share):
        return text + signed(arrow.share)
    few = arrow.share.size <= 3 and arrow.share.ndim == 1
    shown = rows(arrow.share)[0] if few else spread(arrow.share)
    text += f"+{shown}" if shown[0] in "[(" else f"+({shown})"
    return text + (f", {arrow.masked} of {arrow.share.size} masked" if arrow.masked else "")


def hover(item: Item) -> str:
    """Write what a hover over an item shows: all that is known, line by line."""
    lines = [item.name] if len(item.name) > SHOWN or item.kind == "fold" else []
    if item.kind == "value":
        lines.append(f"shape {shape_text(item.shape)} {item.dtype}" if item.shape else "scalar")
        lines.append(f"data {STATES['lost'][4] if item.value is None else one_line(item.value)}")
        lines.append(f"grad {grad_text(item)}" + (f", rms {short(item.size)}" if item.shape and item.size else ""))
        if item.total is not None:
            lines.append(f".grad (accumulated) {one_line(item.total)}")
    for part in item.parts:
        data = NOT_KEPT if part.value is None else one_line(part.value)
        shape = f"shape {shape_text(part.shape)} {part.dtype}, " if part.shape else ""
        lines.append(f"{part.name or part.id}: {shape}data {data}, grad {grad_text(part)}")
    if item.kind == "ref":
        return f"a use of {item.name} ({item.note})"
    if item.kind == "const":
        lines = [f"constant {literal(item.value)}"]
    lines += [item.alarm] if item.alarm and item.kind != "fold" else []
    lines += [f"{word} {text}" for word, text in item.facts]
    lines += [item.note] * bool(item.note)
    lines += [f"made at {item.line}"] * bool(item.line)
    return "\n".join(lines)


def grad_text(item: Item | Part) -> str:
    """Write the gradient of an item in words and numbers."""
    words = STATES[item.state][3]
    if item.state == "const":
        return "not needed"
    return words if words or item.grad is None else one_line(item.grad)


def arrow_hover(arrow: Arrow) -> str:
    """Write what a hover over an edge shows."""
    where = f"{arrow.argument}: " if arrow.argument and not arrow.argument.startswith("[") else ""
    if arrow.share is None:
        return where + {
            "const": "needs no gradient",
            "lost": STATES["lost"][4],
        }.get(arrow.state, "not computed")
    return f"{where}adds {one_line(arrow.share)}" + (" (masked)" if arrow.state == "masked" else "")
