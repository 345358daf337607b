"""Sphinx's settings for the site; ``build.py`` lays the pages out and calls it."""

import re
from pathlib import Path
from typing import Any

import latex2mathml.converter
from docutils.nodes import SkipNode
from sphinx.search import languages
from sphinx.search.en import SearchEnglish

import autograd
from docs.site.curves import curve_of
from docs.site.examples import picture_of
from docs.site.reference import facts

project, release = autograd.__distribution__, autograd.__version__
copyright = "2026, the chainrule authors"
html_theme, html_title = "furo", f"{project} {release}"
extensions = ["myst_nb", "sphinx.ext.autodoc"]

# Text
nb_execution_mode = "off"  # the notebooks are shown as they are stored; a test runs them
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type", "misc.highlighting_failure"]
html_math_renderer = "mathml"
default_role = "code"
smartquotes = False

# Reference
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries_show_parents = "hide"

# Look
html_static_path, html_extra_path = ["_static"], ["_extra"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False
html_show_search_summary = False  # it would be fetched, which a browser does not do for files
html_theme_options = {"navigation_with_keys": True}
pygments_style, pygments_dark_style = "tango", "github-dark"

_LITERAL = re.compile(r"(``.+?``|:[\w:]+:`[^`]+`|`[^`]+`|(?<!\S)\*\w[\w ]*\*(?!\w))")  # and *emphasis*


def plain(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Escape what reStructuredText would read as markup in prose, and show the picture of the example.

    |x| is an absolute value and x_ a name.
    """
    drawn, curve = picture_of(lines, obj), curve_of(lines, obj) if what in ("function", "class") else None
    if what == "method" and name.endswith(".forward") and not obj.__doc__:
        lines[:] = ["Compute the output."]  # that of Module says that subclasses define it
    if what == "module":
        lines[:] = [line for line in lines if not line.startswith("Floor ")]  # for those who read the code
    told = facts(obj) if what == "function" else ""
    if told:
        lines += ["", told, ""]
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = _LITERAL.split(line)
            parts[::2] = [re.sub(r"([|*\\])|(?<=\w)(_)(?!\w)", r"\\\1\2", part) for part in parts[::2]]
            lines[i] = "".join(parts)
    folder = Path(app.srcdir) / "_pictures"
    folder.mkdir(exist_ok=True)
    for kind, picture in (("curve", curve), ("graph", drawn)):
        if picture is not None:
            (folder / f"{name}-{kind}.svg").write_bytes(picture.render("svg"))
            image = f"/_pictures/{name}-{kind}.svg"
            lines += ["", f".. image:: {image}", f"   :alt: {picture.title}", f"   :class: {kind}", ""]


def inline(self: Any, node: Any) -> None:
    """Write a formula as MathML, which every browser draws by itself: no script, no font to fetch."""
    self.body.append(latex2mathml.converter.convert(node.astext()))
    raise SkipNode


def display(self: Any, node: Any) -> None:
    """Write a formula on a line of its own."""
    self.body.append(f'<div class="math">{latex2mathml.converter.convert(node.astext(), display="block")}</div>')
    raise SkipNode


INHERITED = ("extra_repr", "rate", "check_targets", "state_dict", "load_state_dict")  # not told of each class anew


def skip(app: Any, what: str, name: str, obj: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn adds to each estimator, and ``Tensor.label``, which only says that it is none."""
    inherits = name in INHERITED and not getattr(obj, "__doc__", None)
    return True if inherits or re.fullmatch(r"set_\w+_request|label", name) else None


def defaults(app: Any, what: str, name: str, obj: Any, options: Any, arguments: str | None, result: Any) -> Any:
    """Write the default of a dtype as one does: np.float32."""
    return re.sub(r"<class 'numpy\.(\w+)'>", r"np.\1", arguments or "") or None, result


def words_of(text: str) -> list[str]:
    """Split a text into what the search knows: words, and of Chinese, which writes none apart, each two signs.

    >>> words_of("用Adam训练网络")
    ['用', 'Adam', '训练', '练网', '网络']
    """
    found: list[str] = []
    for run in re.findall(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+", text):
        chinese = run[0] >= "\u4e00" and len(run) > 1 and re.match(r"[\u4e00-\u9fff]", run)
        found += [run[i : i + 2] for i in range(len(run) - 1)] if chinese else [run]
    return found


class Search(SearchEnglish):
    """Search English and Chinese pages with one index."""

    js_splitter_code = r"""
var splitQuery = (query) =>
  (query.match(/[\u4e00-\u9fff]+|(?:(?![\u4e00-\u9fff])[\p{Letter}\p{Number}_])+/gu) || []).flatMap((run) =>
    /[\u4e00-\u9fff]/.test(run) && run.length > 1
      ? Array.from({ length: run.length - 1 }, (_, i) => run.slice(i, i + 2))
      : [run]);
"""

    def split(self, input: str) -> list[str]:
        return words_of(input)


def setup(app: Any) -> None:
    """Tell Sphinx of these."""
    languages["en"] = Search
    app.connect("autodoc-process-docstring", plain)
    app.connect("autodoc-process-signature", defaults)
    app.connect("autodoc-skip-member", skip)
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(display, None))
