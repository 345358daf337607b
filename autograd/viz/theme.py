"""How pictures look: every colour, shape and font is a row here.

``LIGHT`` and ``DARK`` have the same roles. ``theme="auto"`` draws in ``LIGHT`` and adds one style sheet that swaps
each colour for its dark twin under ``prefers-color-scheme: dark``; this works because no two roles of ``LIGHT`` share
a colour. Magnitude runs from blue (small) over grey to orange (large), which the common kinds of colour blindness
tell apart; dashes and line widths say the same a second time.
"""

import re
from typing import Any

from autograd.errors import ArgumentError

FONT, MONO, SIZE, SMALL_SIZE = "Helvetica", "Courier", "12", "10"

LIGHT = {
    "page": "#fefefe", "ink": "#1c2330", "muted": "#6a7280", "line": "#8a93a3", "wire": "#9aa3b1",
    "value": "#fdfdfd", "leaf": "#eef4fb", "const": "#f3f3f2", "root": "#fbf6e6", "rootline": "#8f7a1f",
    "op": "#2f3b4f", "opink": "#fcfcfc", "fold": "#ececf4", "foldline": "#7d7f9c",
    "module0": "#f7f8fa", "module1": "#f0f2f6", "module2": "#e8ebf1", "moduleline": "#c3c9d4", "moduleink": "#4c5a70",
    "zero": "#eaebed", "masked": "#dcdde2", "maskedink": "#5b5f77", "bad": "#c2185b", "badink": "#fffafc",
    "none": "#fafafb", "lost": "#f6f5f2", "notice": "#fff3cd", "noticeink": "#6b5200", "now": "#d4380d",
    "s0": "#a6cdec", "s1": "#c5def2", "s2": "#e0ecf5", "s3": "#f1f0ee", "s4": "#fbe6cf",
    "s5": "#f9cf9f", "s6": "#f5b267",
    "e0": "#2b7bba", "e1": "#5a9bcb", "e2": "#8db4d3", "e3": "#9a9a98", "e4": "#d9a25f",
    "e5": "#d9822b", "e6": "#b85c00",
    "t0": "#1d5f94", "t1": "#2f6e9e", "t2": "#456f8c", "t3": "#5f5f5e", "t4": "#80571f",
    "t5": "#8c4c0b", "t6": "#8f4700",
}  # fmt: skip
DARK = {
    "page": "#14171c", "ink": "#e9ecf1", "muted": "#9ba5b4", "line": "#687384", "wire": "#6d7888",
    "value": "#1e232b", "leaf": "#1c2a3b", "const": "#26282b", "root": "#302a14", "rootline": "#d0b64f",
    "op": "#cfd6e2", "opink": "#161a20", "fold": "#2a2b3d", "foldline": "#8f91b5",
    "module0": "#191d23", "module1": "#1f242c", "module2": "#262c35", "moduleline": "#3d4655", "moduleink": "#a9b6ca",
    "zero": "#2b2e33", "masked": "#35384a", "maskedink": "#b3b7d1", "bad": "#ff6fa5", "badink": "#250611",
    "none": "#1b1f25", "lost": "#262420", "notice": "#4a3d10", "noticeink": "#f5dd8c", "now": "#ffb454",
    "s0": "#12456f", "s1": "#1b4a6b", "s2": "#294453", "s3": "#3a3a3c", "s4": "#54422c",
    "s5": "#6b4518", "s6": "#8a4d02",
    "e0": "#5fb0ee", "e1": "#7dbcea", "e2": "#94bcd8", "e3": "#a8a8a6", "e4": "#d9b27c",
    "e5": "#f0a24c", "e6": "#ff9020",
    "t0": "#86c5f5", "t1": "#97caef", "t2": "#a9c8de", "t3": "#b9b9b7", "t4": "#e2c499",
    "t5": "#f3b877", "t6": "#ffae5c",
}  # fmt: skip
# For the strongest separation: the blue-yellow axis that all kinds of red-green blindness keep, and lightness for the
# rest.
COLORBLIND = LIGHT | {
    "s0": "#8fb0e8", "s1": "#b4c8ee", "s2": "#d9e2f4", "s3": "#efefee", "s4": "#fbf0b8",
    "s5": "#f8e37c", "s6": "#f2d22e",
    "e0": "#003f9e", "e1": "#3d69b8", "e2": "#7d97cb", "e3": "#8f8f8e", "e4": "#b39a2a",
    "e5": "#957d00", "e6": "#6e5b00",
    "t0": "#003a90", "t1": "#2d549c", "t2": "#4c618f", "t3": "#5f5f5e", "t4": "#6f5f14",
    "t5": "#665500", "t6": "#574800",
    "bad": "#1a1a1a",
}  # fmt: skip
THEMES: dict[str, dict[str, str]] = {"auto": LIGHT, "light": LIGHT, "dark": DARK, "colorblind": COLORBLIND}

# What each state of a gradient looks like and means: fill role, text role, border of the box, words in the picture,
# words in the legend.
STATES: dict[str, tuple[str, str, str, str, str]] = {
    "ok": ("", "ink", "solid", "", "computed; the colour is its size, the root mean square of its elements"),
    "zero": ("zero", "ink", "solid", "0", "exactly zero"),
    "masked": ("masked", "maskedink", "dashed", "0 masked", "masked: a relu, where, clip or max cut it off"),
    "bad": ("bad", "badink", "bold", "", "not finite (inf or nan)"),
    "none": ("none", "muted", "dotted", "–", "not computed"),
    "lost": (
        "lost",
        "muted",
        "dotted",
        "not kept",
        "not kept: hold its inputs, or call backward(retain_graph=True)",
    ),
    "const": ("const", "muted", "solid", "", "needs no gradient"),
}
STEPS = 7  # colours of the magnitude scale, one for each decade: the same in all pictures, so that these compare
LOWEST = -4  # the decade of the first, which also stands for all below; the last stands for all above
WIDTHS = (0.8, 1.0, 1.3, 1.7, 2.2, 2.9, 3.8)  # line widths that go with them


def palette(theme: str) -> dict[str, str]:
    """Return the colours of a theme by name: auto, light, dark or colorblind."""
    try:
        return THEMES[theme]
    except (KeyError, TypeError):
        raise ArgumentError(f"theme must be one of {', '.join(THEMES)}; got {theme!r}.") from None


def dark_style(svg: str) -> str:
    """Write the style sheet that turns a light SVG into a dark one: a rule for each colour that occurs in it."""
    rules, used = [], set(re.findall('"(#[0-9a-f]{6})"', svg))
    for role, light in LIGHT.items():
        dark = DARK[role]
        if light in used:
            rules.append(f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}')
    ink = f".chainrule{{fill:{DARK['ink']}}}"
    return "@media (prefers-color-scheme:dark){" + ink + "".join(rules) + "}"


def check_palettes() -> list[str]:
    """List what would break ``theme="auto"``: roles without a dark twin, or two roles with one colour."""
    problems = sorted(LIGHT.keys() ^ DARK.keys())
    seen: dict[str, Any] = {}
    for role, colour in LIGHT.items():
        if colour in seen:
            problems.append(f"{role} and {seen[colour]} are both {colour}")
        seen[colour] = role
    return problems
