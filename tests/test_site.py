"""The manual: all that is public is in it, each example runs, each link leads somewhere, and no network is needed."""

import importlib.util
import inspect
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional
import nn.init
import nn.metrics
import nn.optim
from docs.site import check, curves, examples, reference

ROOT = Path(__file__).parent.parent
PUBLIC = {name for kind in ag.Tensor.__mro__[:3] for name in vars(kind) if not name.startswith("_")}
MISSING = [name for name in ("sphinx", "furo", "myst_nb", "latex2mathml") if importlib.util.find_spec(name) is None]


def shown(thing):
    """List the statements in the example of a docstring."""
    return [line for line in (inspect.getdoc(thing) or "").splitlines() if line.lstrip().startswith((">>>", "..."))]


def test_every_method_of_a_tensor_has_an_example_that_calls_it():
    alias = {"conjugate"}  # it is conj
    hidden = {"label"}  # a word that is not ours, which says so
    methods = {name: inspect.getattr_static(ag.Tensor, name) for name in PUBLIC - hidden - alias}
    assert [name for name, method in methods.items() if f".{name}" not in " ".join(shown(method))] == []


PLACES = (ag, nn, nn.functional, nn.optim, nn.init, nn.metrics)
NONE = {"AutogradError", "implements", "Reading", "Undefined", "Unknown", "known"}  # for those who extend the package


def public(module):
    """List the functions and classes that a module gives out."""
    home = module.__name__
    names = getattr(module, "__all__", [n for n, x in vars(module).items() if getattr(x, "__module__", "") == home])
    return {f"{home}.{name}": thing for name in names if callable(thing := getattr(module, name)) and name[0] != "_"}


@pytest.mark.parametrize("module", PLACES, ids=lambda module: module.__name__)
def test_every_public_name_has_an_example(module):
    things = public(module)
    assert len(things) > 10
    assert [name for name, thing in things.items() if not shown(thing) and name.rpartition(".")[2] not in NONE] == []


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (ag.relu, ["x", "relu(x)"]),
        (ag.Tensor.sum, ["x", "sum(x, axis=0)"]),
        (nn.MSELoss, None),
        (nn.optim.SGD, None),
        (ag.errors.ShapeError, None),
    ],
)
def test_an_example_has_the_picture_of_its_graph(thing, says):
    drawn = examples.picture_of((inspect.getdoc(thing) or "").splitlines(), thing)
    assert (drawn and [item.says or item.name for item in drawn.view.items]) == says


@pytest.mark.parametrize(
    ("thing", "lines", "at_end"),
    [
        (ag.relu, ["relu(x)", "its derivative"], [4.0, 1.0]),
        (ag.logit, ["logit(x)", "its derivative"], None),
        (nn.Tanh, ["Tanh(x)", "its derivative"], [np.tanh(4.0), 1 - np.tanh(4.0) ** 2]),
        (nn.optim.StepLR, ["lr of the example, by steps"], [1e-6]),
        (nn.optim.ReduceLROnPlateau, None, None),
        (ag.softmax, None, None),
        (nn.Softmax, None, None),
        (nn.functional.dropout, None, None),
        (ag.grad, None, None),
    ],
)
def test_a_function_of_one_number_and_a_schedule_have_their_curve(thing, lines, at_end):
    curve = curves.curve_of((inspect.getdoc(thing) or "").splitlines(), thing)
    assert (curve and list(curve.lines)) == lines
    if curve is not None:
        ET.fromstring(curve.render("svg"))
        if at_end:
            np.testing.assert_allclose([y[-1] for y in curve.lines.values()], at_end)


def test_a_function_tells_what_its_declaration_says():
    assert reference.facts(ag.softplus) == (
        "By its declaration: ∂y/∂x: ``sigmoid(x)``; elementwise; for real numbers: complex ones are a DTypeError."
    )
    assert "gradient of weight: ``g.T @ x``" in reference.facts(nn.functional.linear)
    assert reference.facts(nn.Linear) == reference.facts(ag.grad) == ""


def test_every_public_name_has_its_place_in_the_reference():
    pages = dict(reference.pages())
    text = "".join(pages.values())
    assert [name for name in ag.__all__ if f"autograd.{name}\n" not in text] == ["AutogradError"]  # among the errors
    assert "autofunction:: nn.save_model" in text
    assert "autoclass:: nn.LSTM" in text
    assert "∂y/∂a = ``1 / b``" in pages["ops"]
    assert pages["ops"].count("* - ") > 200


def test_a_new_name_that_is_in_no_group_stops_the_build(monkeypatch):
    monkeypatch.setattr(ag, "__all__", [*ag.__all__, "brand_new"])
    with pytest.raises(LookupError, match=r"GROUPS and autograd\.__all__ differ by \['brand_new'\]"):
        reference.engine()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="other.html#there">x</a><a href="https://example.org">y</a>', None),
        ('<a href="none.html">x</a>', "a.html links to none.html: there is no such file"),
        ('<a href="other.html#gone">x</a>', "a.html links to other.html#gone: there is no such anchor"),
        ('<a href="#gone">x</a>', "a.html links to #gone: there is no such anchor"),
        ('<img src="none.svg">', "a.html fetches none.svg: there is no such file"),
        (
            '<script src="https://cdn.example/x.js"></script>',
            "a.html fetches https://cdn.example/x.js: it is not on this",
        ),
    ],
)
def test_the_check_finds(body, problem, tmp_path):
    (tmp_path / "a.html").write_text(body)
    (tmp_path / "other.html").write_text('<h2 id="there">There</h2>')
    found = check.problems(tmp_path)
    assert found == [] if problem is None else found[0].startswith(problem)


# -------------------------------------------------------------------------------------------------------- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build all of it, once."""
    if MISSING:
        pytest.skip(f"no {', '.join(MISSING)} (pip install 'chainrule[docs]')")
    folder, start = tmp_path_factory.mktemp("site") / "docs", os.times()
    command = [sys.executable, str(ROOT / "docs" / "site" / "build.py"), str(folder)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert said.returncode == 0, said.stderr
    assert os.times().children_user - start.children_user < 180  # its own time: the machine may do other things
    return folder


@pytest.mark.slow
@pytest.mark.whole  # `make docs` builds it as well
def test_the_site_has_its_pages(site):
    notebooks = [path.with_suffix(".html").name for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert [name for name in notebooks if not (site / "notebooks" / name).exists()] == []
    tensor = (site / "reference" / "tensor.html").read_text(encoding="utf-8")
    assert all(f'id="autograd.Tensor.{name}"' in tensor for name in PUBLIC - {"label"})
    assert tensor.count('<img alt="Graph of') > 30
    assert "<math" in (site / "notebooks" / "02_tensors_and_rules.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.whole  # `make docs` builds it as well
@pytest.mark.browser
@pytest.mark.parametrize(
    "page", ["index.html", "reference/tensor.html", "docs/features.html", "notebooks/01_scalar_story.html"]
)
def test_a_phone_shows_a_page_at_its_own_width_and_fetches_nothing(page, site, browser):
    for scheme in ("light", "dark"):
        with browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme) as view:
            asked: list[str] = []
            view.on("request", lambda request, asked=asked: asked.append(request.url))
            view.goto((site / page).as_uri())
            assert view.evaluate("document.documentElement.scrollWidth") == 390
            assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.slow
@pytest.mark.whole  # `make docs` builds it as well
@pytest.mark.browser
@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("softmax", "autograd.softmax"),
        ("Colab", "Installing"),
        ("moons", "XOR"),
        ("安装", "chainrule"),
        ("梯度", "五篇文章"),
    ],
)
def test_one_search_finds_reference_pages_and_tutorials(word, place, site, browser):
    with browser.new_page() as view:
        view.goto(f"{(site / 'search.html').as_uri()}?q={word}")
        view.wait_for_function("document.querySelectorAll('ul.search li').length > 0", timeout=60_000)
        assert place in view.inner_text("ul.search")
