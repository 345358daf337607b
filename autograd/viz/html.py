"""Self-contained HTML: a page with pan and zoom, and the notebook pattern that survives untrusted outputs."""

import hashlib
from importlib.resources import files
from typing import Any

from autograd.viz.escape import page, script
from autograd.viz.svg import data_uri

_BUTTONS = (
    ("first", "|◀", "First step (Home)"),
    ("back", "◀", "Back one step (Left arrow)"),
    ("play", "Play", "Play"),
    ("next", "▶", "Forward one step (Right arrow)"),
    ("last", "▶|", "Last step (End)"),
)
_VIEW = (("in", "+", "Zoom in"), ("out", "−", "Zoom out"), ("fit", "Fit", "Show everything"))
_KEYS = "Keys: ← → one step, Home and End, Space plays."
_MORE = "Drag to move, wheel or + and − to zoom, 0 shows everything, / searches (Enter: the next one), Escape ends it."


def asset(name: str) -> str:
    """Read one of the files that every page carries inside."""
    text = files("autograd.viz").joinpath("assets", name).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _buttons(buttons: tuple[tuple[str, str, str], ...]) -> str:
    return "".join(
        f'<button type="button" class="{name}" aria-label="{label}" title="{label}">{sign}</button>'
        for name, sign, label in buttons
    )


def body(
    picture: str,
    title: str,
    outline: str,
    steps: list[str] | None = None,
    theme: str = "auto",
    scroll: str = "",
    values: str = "",
) -> str:
    """Write the inside of a page: heading, controls, picture, what each step says, and the text twin."""
    replay = steps is not None
    bar = (
        _buttons(_BUTTONS) + '<input type="range" min="0" value="0" aria-label="Step"><output></output>'
        if replay
        else ""
    )
    said = '<div class="say" role="status" aria-live="polite"></div>' if replay else ""
    keys = f'<p class="keys">{_KEYS if replay else ""} {_MORE}</p>'
    found = '<output class="found" aria-live="polite"></output>'
    search = f'<input type="search" placeholder="Search" aria-label="Search names, ops and modules">{found}'
    told = f'<details class="table"><summary>All values as a table</summary>{values}</details>' if values else ""
    twin = "".join(f"<li>{step}</li>" for step in steps or [])
    listed = (
        f'<details><summary>All steps as text</summary><ol class="steps" start="0">{twin}</ol></details>'
        if replay
        else ""
    )
    graph = f"<details><summary>The graph as text</summary><pre>{page(outline)}</pre></details>" if outline else ""
    look = {"dark": " dark", "light": " light", "colorblind": " light"}.get(theme, "")
    wheel = f' data-scroll="{scroll}"' if scroll else ""
    return (
        f'<main class="chainrule-app{" replay" if replay else ""}{look}"{wheel}><h1>{page(title)}</h1>'
        f'<div class="bar" role="toolbar" aria-label="Controls">{bar}{_buttons(_VIEW)}{search}</div>{said}'
        f'<div class="frame"><div class="stage" tabindex="0" role="group" aria-label="{page(title)}">{picture}</div>'
        f'<div class="mini" aria-hidden="true"></div></div>{keys}{told}'
        f"{listed}{graph}</main>"
    )


def whole_page(
    svg: str,
    title: str,
    outline: str,
    steps: list[str] | None = None,
    data: Any = None,
    theme: str = "auto",
    values: str = "",
) -> str:
    """Write a page that needs nothing else; with scripts off it shows the static picture and the text."""
    start = f"chainrule(document.querySelector('main'),document.querySelector('main svg'),{script(data)});"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width">'
        f'<meta name="color-scheme" content="light '
        f'dark"><title>{page(title)}</title><style>{asset("page.css")}</style></head>'
        f"<body>{body(svg, title, outline, steps, theme, values=values)}"
        f"<script>{asset('player.js')}{start}</script></body></html>\n"
    )


_SWAP = """(function(){for(const img of document.querySelectorAll('img[data-svg="@KEY@"]')){
const text=new TextDecoder().decode(Uint8Array.from(atob(img.src.split(",")[1]),c=>c.charCodeAt(0)));
const svg=document.importNode(new DOMParser().parseFromString(text,"image/svg+xml").documentElement,true);
img.removeAttribute("data-svg");@LIVE@}})();"""
_INLINE = 'svg.style.maxWidth="100%";svg.style.height="auto";img.replaceWith(svg);'
_APP = """const host=document.createElement("div"),root=host.attachShadow({mode:"open"});root.innerHTML=@HTML@;
img.replaceWith(host);root.querySelector(".stage").append(svg);(@CODE@)(root.querySelector("main"),svg,@DATA@);"""


def in_notebook(svg: str, title: str, live: str = _INLINE) -> str:
    """Write notebook output: an image that every viewer shows, and a script that makes it live where scripts may run.

    Inline SVG and scripts are stripped from untrusted outputs; the image stays.
    """
    key = hashlib.sha256(svg.encode()).hexdigest()[:12]
    swap = _SWAP.replace("@KEY@", key).replace("@LIVE@", live)
    return (
        f'<img src="{data_uri(svg)}" data-svg="{key}" alt="{page(title)}" style="max-width:100%">'
        f"<script>{swap}</script>"
    )


def live_app(title: str, outline: str, steps: list[str], data: Any, theme: str) -> str:
    """Write the script that turns the image of a notebook output into the player, in a shadow root of its own."""
    inside = f"<style>{asset('page.css')}</style>" + body("", title, outline, steps, theme, scroll="page")
    return _APP.replace("@HTML@", script(inside)).replace("@CODE@", asset("player.js")).replace("@DATA@", script(data))


def no_engine(source: str, outline: str, hint: str) -> str:
    """Write what a notebook shows where no layout engine is there: the hint, the outline, and the DOT text."""
    return (
        f"<p>{page(hint)}</p><pre>{page(outline)}</pre>"
        f"<details><summary>DOT source</summary><pre>{page(source)}</pre></details>"
    )
