"""The page of SciPy's functions is that of the suite, and each name on it is tested."""

import re
from pathlib import Path

import pytest

pytest.importorskip("scipy")
ours = pytest.importorskip("autograd.scipy")
page = pytest.importorskip("tests.autograd.scipy.scipy_page")
table = pytest.importorskip("tests.autograd.scipy.table")
for each in ours.__all__:  # before the tests: what a test declares is forgotten after it
    page.module(each)


def test_the_page_is_fresh():
    """Write it anew with ``python -m tests.autograd.scipy.scipy_page``."""
    said = page.PAGE.read_text(encoding="utf-8")
    listed = {name: re.search(rf"## scipy\.{name}\n\n(?:.+\n)+\n(.*)\n", said).group(1) for name in ours.__all__}
    if any(set(re.findall(r"`(\w+)`", text)) - set(page.names(name)) for name, text in listed.items()):
        pytest.skip("the page tells of a newer SciPy")
    assert said == page.text()


@pytest.mark.parametrize("name", ours.__all__)
def test_each_name_on_the_page_is_tested(name):
    """It is a row, held against differences, or is called by the tests of its module."""
    rows = {row.partition(".")[0] for row in table.rows(name)}
    called = (Path(__file__).parent / f"test_{name}.py").read_text(encoding="utf-8")
    assert [each for each in page.names(name) if each not in rows and not re.search(rf"\b{each}\b", called)] == []
