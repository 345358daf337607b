"""A program in a notebook: yours and ours side by side, linked without a script."""

import numpy as np

import autograd as ag
from tests.autograd.programs.test_saving import plain


def test_the_page_links_the_users_lines_and_those_that_were_written(tmp_path):
    f, (x, y), _ = plain()
    page = f.program(x, y)._repr_html_()
    assert page.count("h = np.tanh(x @ w + b)") >= 2  # the line itself, and the title of what came of it
    assert "np.dot(x, w)" in page
    assert ">def f(x, y):<" in page
    assert "<script" not in page
    assert page.count(":has(") == 3  # one rule for each line of the user's


def test_the_users_text_is_no_html():
    page = ag.compile(lambda x: np.where(x < 2.0, x, x * 2.0)).program(np.ones(3))._repr_html_()
    assert "x &lt; 2" in page
    assert "x < 2" not in page


def test_a_function_is_shown_once_with_all_its_lines():
    def inner(x):
        y = np.tanh(x)

        return y * 2

    page = ag.compile(lambda x: inner(inner(x))).program(np.ones(3))._repr_html_()
    assert page.count(">def inner(x):<") == page.count(">    return y * 2<") == 1
