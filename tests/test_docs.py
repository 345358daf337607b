"""What the pages say is true: their code runs and prints what stands beside it, their commands and links exist."""

import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^\s*print\(.*\)\s+# (.+)$", re.MULTILINE)
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}


def blocks(page: Path, language: str) -> list[str]:
    """List the code blocks of a page."""
    return [code for word, code in FENCE.findall(TEXT[page]) if word == language]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def programs(page: Path) -> list[tuple[str, str]]:
    """List the Python blocks of a page with what they promise to print.

    That is the ``text`` block right after it, or what stands behind each ``print(…)  # …``.
    """
    fences = [*FENCE.findall(TEXT[page]), ("", "")]
    return [
        (code, said if next_word == "text" else "".join(f"{line}\n" for line in PRINTED.findall(code)))
        for (word, code), (next_word, said) in pairwise(fences)
        if word == "python"
    ]


@pytest.mark.parametrize("page", [page for page in PAGES if programs(page)], ids=name)
def test_code_runs_and_prints_what_is_said(page, tmp_path):
    """The blocks of one page are one program."""
    script = tmp_path / "page.py"
    script.write_text("".join(f"{code}\nprint(end='\\f')\n" for code, _ in programs(page)), encoding="utf-8")
    said = subprocess.run(
        [sys.executable, "-W", "error", script.name], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert said.stdout.split("\f")[:-1] == [promised for _, promised in programs(page)]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)|<(?:img|source)[^>]* src(?:set)?=\"([^\"]+)\"", TEXT[page])
    local = [link for pair in links for link in pair if link and "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """List the anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    heads = [re.sub(r"[`*]|\]\([^)]*\)|\[", "", head) for head in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_into_a_page_find_their_heading(page):
    links = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", FENCE.sub("", TEXT[page]))
    places = [(page.parent / to if to else page, anchor) for to, anchor in links]
    assert [(to.name, anchor) for to, anchor in places if to.suffix == ".md" and anchor not in anchors(to)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "check", "bench", "bench-peers", "clean"} <= targets
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(blocks(page, "sh")))) <= targets


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_readme_opens_with_its_two_commands(page):
    commands = blocks(ROOT / page, "sh")[0].splitlines()
    assert [line.split("#")[0].strip() for line in commands] == ["make demo", "make test"]


def test_the_page_on_installing_names_every_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [
        extra for extra in project["optional-dependencies"] if f"`{extra}`" not in TEXT[ROOT / "docs" / "install.md"]
    ] == []


def test_the_first_page_is_the_same_in_both_languages():
    """The same code, the same links in the same order, the same number of paragraphs."""
    pages = [TEXT[ROOT / "README.md"], TEXT[ROOT / "README.zh.md"]]
    code = [
        [re.sub(r"# \D*$", "", text, flags=re.MULTILINE) for text in blocks(ROOT / p, "python")]
        for p in ("README.md", "README.zh.md")
    ]
    assert code[0] == code[1]
    english, chinese = (re.findall(r"\]\(([^)]+)\)", page) for page in pages)
    assert [link for link in chinese if link != "README.md"] == [link for link in english if link != "README.zh.md"]
    assert pages[0].count("\n\n") == pages[1].count("\n\n")


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_first_page_has_the_figure_of_the_page_on_speed(page):
    (row,) = re.findall(r"^\| MLP 10-50-50-1,.*\|$", TEXT[ROOT / "docs" / "speed.md"], re.MULTILINE)
    assert re.findall(r"10-50-50-1.*?\b(\d\.\d+)", TEXT[ROOT / page], re.DOTALL) == [row.split("|")[-2].strip()]


@pytest.mark.parametrize(("page", "lines", "characters"), [("CONTRIBUTING.md", 60, 5000), ("README.md", 80, 7000)])
def test_first_pages_are_short(page, lines, characters):
    assert len(TEXT[ROOT / page].splitlines()) <= lines
    assert len(TEXT[ROOT / page]) <= characters


def test_changelog_has_a_place_for_the_next_change():
    assert TEXT[ROOT / "CHANGELOG.md"].startswith("# Changelog\n\n## Unreleased\n")


_TANH = """
import sys, numpy as np, autograd as ag
x, w = (ag.Tensor(np.ones(shape), requires_grad=True) for shape in [(2, 1), (3,)])
def step(): np.tanh(x * w).backward(np.ones((2, 3)))
step()
files = set()
sys.setprofile(lambda frame, event, _: files.add(frame.f_code.co_filename) if event == "call" else None)
step()
sys.setprofile(None)
print(*files, sep="\\n")
"""


def test_the_page_names_the_files_that_run():
    """What runs for ``np.tanh(x)`` and its gradient stands in the paragraph, but for what is only asked on the way."""
    run = subprocess.run([sys.executable, "-c", _TANH], cwd=ROOT, capture_output=True, text=True, check=True)
    files = {
        Path(line).relative_to(ROOT / "autograd").as_posix() for line in run.stdout.split("\n") if "/autograd/" in line
    }
    text = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    paragraph = text.partition("## What runs for `y = np.tanh(x)`")[2].partition("\n## ")[0]
    named = set(re.findall(r"\(\.\./autograd/([\w/]+\.py)\)", paragraph))
    assert {"tensor.py", "protocols.py", "differentiate.py", "backward.py", "accumulate.py", "vjp.py"} <= files & named
    assert files - named <= {
        "box.py", "effects.py", "forward.py", "hooks.py", "methods/arrangement.py", "methods/arithmetic.py"
    }  # fmt: skip
