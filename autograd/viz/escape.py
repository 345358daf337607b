"""Put foreign text safely into DOT, HTML-like labels, HTML pages and scripts."""

import html
import json
import re
import unicodedata
from typing import Any

_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U0001f300-\U0001faff\U00020000-\U0003fffd]+"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: Any) -> str:
    """Make one printable line: a line break becomes ⏎, controls (of terminals, of writing direction) become �."""
    return _CONTROL.sub(
        "\ufffd", str(text).replace("\r\n", "\n").replace("\n", "⏎").replace("\r", "⏎").replace("\t", " ")
    )


def shorten(text: Any, limit: int = 40) -> str:
    """Clean ``text`` and cut it in the middle when it is longer than ``limit``."""
    line = clean(text)
    return line if len(line) <= limit else line[: limit // 2] + "…" + line[-(limit - limit // 2 - 1) :]


def label(text: Any, limit: int = 40) -> str:
    """Escape text for an HTML-like label of DOT."""
    return html.escape(shorten(text, limit), quote=True)


def quoted(text: Any) -> str:
    """Write ``text`` as a DOT string that shows exactly this text: no escape sequence of DOT survives."""
    lines = (clean(line) for line in str(text).split("\n"))
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'


def record(text: Any) -> str:
    """Escape text for a field of a record label, in which ``{ } | < >`` and blanks are syntax."""
    return re.sub(r"([{}|<>\\ ])", r"\\\1", shorten(text))


def page(text: Any) -> str:
    """Escape text for HTML content and attributes; line breaks stay."""
    return html.escape("\n".join(clean(line) for line in str(text).split("\n")), quote=True)


def script(data: Any) -> str:
    """Write ``data`` as JSON that can stand inside a ``<script>`` element: it cannot close it or open a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def wide(text: str) -> frozenset[str]:
    """List the characters without a known width (CJK, emoji), which few fonts have."""
    return frozenset("".join(_WIDE.findall(text)))


def spelled(text: str, lacking: frozenset[str]) -> str:
    """Write characters by their code points, for engines without letters for them.

    >>> spelled("温度 t", wide("温度"))
    '[U+6E29 U+5EA6] t'
    """
    if not lacking:
        return text
    runs = re.compile(f"[{''.join(map(re.escape, lacking))}]+")
    return runs.sub(lambda found: f"[{' '.join(f'U+{ord(c):04X}' for c in found[0])}]", text)


def extra_width(text: str, size: float = 12.0) -> int:
    """Return the width in points of text that has characters without a known width (CJK, emoji), else 0.

    Layout engines without the right font take them for blanks, and the text would run out of its box.
    """
    if text.isascii():
        return 0
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return round(size * (wide * 1.05 + (len(text) - wide) * 0.6)) if wide else 0
