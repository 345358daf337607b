"""The pages in a real browser: steps, keys, slider, sums, the static fallback, light and dark."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import expression, layers, neuron

import autograd as ag

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(browser, tmp_path):
    """Open HTML as a file; any error of a script, and any request to a network, fails the test."""
    opened, troubles = [], []

    def open_(html: str, **options: Any) -> Any:
        file = tmp_path / f"page{len(opened)}.html"
        file.write_text(html, encoding="utf-8")
        page = browser.new_page(viewport=dict(width=1280, height=700), **options)
        page.set_default_timeout(60_000)  # a busy machine is not a failure
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: troubles.append(r.url) if r.url.split(":")[0] not in ("file", "data") else None)
        page.goto(file.as_uri())
        opened.append(page)
        return page

    yield open_
    for page in opened:
        page.close()
    assert troubles == []


def step(page: Any) -> int:
    return int(page.locator("main").get_attribute("data-step"))


def shown_gradient(page: Any, key: str) -> str:
    texts = page.locator(f'[id="{key}"] text').all_text_contents()
    return texts[[t.strip() for t in texts].index("grad") + 1].strip()


def test_keys_and_buttons_move(open_page):
    page = open_page(ag.replay(neuron()[0]).html)
    assert step(page) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert step(page) == 2
    page.keyboard.press("ArrowLeft")
    assert step(page) == 1
    page.keyboard.press("End")
    assert step(page) == 9
    page.keyboard.press("ArrowRight")
    assert step(page) == 9
    page.keyboard.press("Home")
    assert step(page) == 0
    page.get_by_label("Forward one step").click()
    assert step(page) == 1
    page.get_by_label("Last step").click()
    assert step(page) == 9
    assert page.locator("output").first.inner_text() == "step 9 of 9"


def test_slider_moves(open_page):
    page = open_page(ag.replay(neuron()[0]).html)
    page.get_by_label("Step", exact=True).evaluate("e => { e.value = 4; e.dispatchEvent(new Event('input')); }")
    assert step(page) == 4


def test_space_plays(open_page):
    page = open_page(ag.replay(neuron()[0]).html)
    page.locator("main").evaluate("e => { e.dataset.pace = 20; }")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('main').dataset.step === '9'", timeout=60_000)
    assert page.locator(".play").inner_text() == "Play"


def test_sums_fill_in_and_end_as_the_gradients(open_page):
    g, names = expression()
    picture = ag.replay(g, names=names)
    page = open_page(picture.html)
    ids = {item.name: item.id for item in picture.picture.view.items}
    assert shown_gradient(page, ids["g"]) == "1.0000"
    assert shown_gradient(page, ids["a"]) == "–"
    page.keyboard.press("End")
    g.backward()
    for name in ("a", "b"):
        assert float(shown_gradient(page, ids[name])) == pytest.approx(float(names[name].grad), abs=1e-4)
    page.keyboard.press("Home")
    assert shown_gradient(page, ids["a"]) == "–"


def test_every_step_forwards_equals_the_same_step_backwards(open_page):
    page = open_page(ag.replay(expression()[0]).html)
    total = int(page.get_by_label("Step", exact=True).get_attribute("max"))
    state = """() => [...document.querySelectorAll("svg text")].map(t => t.textContent).join("|")
        + document.querySelector(".say").innerHTML"""
    forwards = []
    for _ in range(total + 1):
        forwards.append(page.evaluate(state))
        page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    for expected in reversed(forwards):
        assert page.evaluate(state) == expected
        page.keyboard.press("ArrowLeft")


def test_current_edge_and_op_are_lit_and_told(open_page):
    o, names = neuron()
    page = open_page(ag.replay(o, names=names).html)
    page.keyboard.press("ArrowRight")
    assert page.locator(".edge.now").count() == 1
    assert page.locator(".value.now").count() == 2  # the op with its result, and what its gradient goes to
    assert "∂o/∂n = 1 − o² = 1 − 0.7071² = 0.5000" in page.locator(".say").inner_text()
    assert page.locator(".say").get_attribute("aria-live") == "polite"
    assert "∂o/∂n" in page.get_by_label("Step", exact=True).get_attribute("aria-valuetext")
    assert page.locator("ol.steps > li").count() == 10


def test_zoom_and_pan(open_page):
    page = open_page(ag.replay(neuron()[0]).html)
    before = page.locator(".stage svg").evaluate("e => e.style.transform")
    page.locator(".in").click()
    zoomed = page.locator(".stage svg").evaluate("e => e.style.transform")
    assert zoomed != before
    page.locator(".stage").hover()
    page.mouse.down()
    page.mouse.move(700, 300)
    page.mouse.up()
    assert page.locator(".stage svg").evaluate("e => e.style.transform") != zoomed
    page.locator(".fit").click()
    assert page.locator(".stage svg").evaluate("e => e.style.transform") == before


@pytest.mark.parametrize("width", [420, 1280])
def test_replay_is_legible_and_follows_its_steps(open_page, width):
    """A picture wider than the window opens at a size that can be read; what a step lights comes into sight."""
    page = open_page(ag.replay(expression()[0]).html)
    page.set_viewport_size(dict(width=width, height=700))
    inside = """() => {
        const seen = document.querySelector(".stage").getBoundingClientRect();
        const at = document.querySelector("svg .value.now").getBoundingClientRect();
        return at.left >= seen.left && at.right <= seen.right && at.top >= seen.top && at.bottom <= seen.bottom; }"""
    for _ in range(23):
        page.wait_for_function(inside)  # the page hears of a new size with its next frame
        page.keyboard.press("ArrowRight")
    assert page.locator(".stage svg text").last.bounding_box()["height"] > 8
    page.locator(".fit").click()
    whole, stage = page.locator(".stage svg").bounding_box(), page.locator(".stage").bounding_box()
    assert whole["width"] <= stage["width"] + 1


def test_hover_tells_value_gradient_shape_and_module(open_page):
    root, names = layers()
    root.backward()
    page = open_page(ag.draw(root, names=names).render("html").decode())
    tips = page.evaluate("[...document.querySelectorAll('svg g title')].map(t => t.textContent).join('\\n')")
    assert "shape (3, 2) float64" in tips
    assert re.search(r"data .*grad ", tips, re.DOTALL)
    assert "module layers.0" in tips


def test_without_scripts_the_picture_and_the_text_are_there(open_page):
    page = open_page(ag.replay(neuron()[0]).html, java_script_enabled=False)
    assert page.locator(".stage svg").is_visible()
    assert not page.locator(".bar").is_visible()
    assert "0.5000" in page.locator(".stage svg").inner_html()
    page.locator("summary").first.click()
    assert page.locator("ol.steps > li").first.is_visible()


@pytest.mark.parametrize("make", [lambda: ag.draw(neuron()[0]), lambda: ag.replay(neuron()[0])], ids=["draw", "replay"])
def test_notebook_output_trusted_and_untrusted(open_page, make):
    shown = make()._repr_mimebundle_()["text/html"]
    trusted = open_page(f"<body>{shown}</body>")
    assert trusted.locator("svg").first.is_visible()
    assert trusted.locator("img").count() == 0
    stripped = re.sub(r"<script>.*</script>", "", shown, flags=re.DOTALL)
    untrusted = open_page(f"<body>{stripped}</body>")
    image = untrusted.locator("img")
    assert image.is_visible()
    assert image.evaluate("e => e.complete && e.naturalWidth > 100")


def test_two_outputs_in_one_notebook(open_page):
    shown = "".join(
        thing._repr_mimebundle_()["text/html"] for thing in (ag.replay(neuron()[0]), ag.replay(expression()[0]))
    )
    page = open_page(f"<body>{shown}</body>")
    page.get_by_label("Last step").nth(1).click()
    assert page.locator("main").nth(0).get_attribute("data-step") == "0"
    assert int(page.locator("main").nth(1).get_attribute("data-step")) > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshot(open_page, scheme, tmp_path):
    g, names = expression()
    page = open_page(ag.replay(g, names=names).html, color_scheme=scheme)
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.screenshot(path=tmp_path / f"{scheme}.png")
    ground = page.locator(".stage svg polygon").first.evaluate("e => getComputedStyle(e).fill")
    assert ground == {"light": "rgb(254, 254, 254)", "dark": "rgb(20, 23, 28)"}[scheme]
    assert page.locator("main").evaluate("e => getComputedStyle(e).backgroundColor") == ground


def test_stored_page_is_the_one_this_code_makes(open_page):
    stored = Path(__file__).parents[3] / "docs" / "replay.html"
    page = open_page(stored.read_text(encoding="utf-8"))
    page.keyboard.press("End")
    assert step(page) >= 9
    assert np.isfinite(step(page))


def page_of_layers():
    root, names = layers()
    root.backward()
    return ag.draw(root, names=names)


def test_search_finds_names_ops_and_modules(open_page):
    page = open_page(page_of_layers().render("html").decode())
    page.keyboard.press("/")
    page.keyboard.type("relu")
    assert page.locator(".found").inner_text() == "1 of 8"
    assert page.locator("g.miss").count() == 7
    page.keyboard.press("Enter")
    assert page.locator("g.hit").count() == 1
    assert "relu" in page.locator("g.hit").text_content()
    page.keyboard.press("Escape")
    assert page.locator("g.miss").count() == page.locator("g.hit").count() == 0
    page.get_by_label("Search").fill("layers.1")
    assert page.locator("g.miss").count() == 6
    page.get_by_label("Search").fill("no such name")
    assert page.locator(".found").inner_text() == "0 of 8"


def test_search_works_in_a_replay_and_moves_no_step(open_page):
    o, names = neuron()
    page = open_page(ag.replay(o, names=names).html)
    page.keyboard.press("/")
    page.keyboard.type("x1 ")
    assert step(page) == 0
    assert page.locator("g.miss").count() > 0


def test_keys_zoom_and_fit(open_page):
    page = open_page(page_of_layers().render("html").decode())
    look = "document.querySelector('svg').style.transform"
    before = page.evaluate(look)
    page.keyboard.press("+")
    larger = page.evaluate(look)
    assert larger != before
    page.keyboard.press("-")
    page.keyboard.press("0")
    assert page.evaluate(look) != larger


def seen(page):
    """Give the place in the picture that the small one marks as seen: left, top, width, height."""
    marks = "e => ['x', 'y', 'width', 'height'].map(name => Number(e.getAttribute(name)))"
    return page.locator(".mini .seen").evaluate(marks)


def test_the_small_picture_shows_where_one_is(open_page):
    picture = page_of_layers()
    page = open_page(picture.render("html").decode())
    mini = page.locator(".mini")
    page.keyboard.press("0")
    assert mini.is_hidden()  # all is in sight
    for _ in range(5):
        page.keyboard.press("+")
    assert mini.is_visible()
    assert page.locator(".mini svg g[class]").count() > len(picture.view.items)
    _, _, width, height = seen(page)
    box, whole = (
        mini.bounding_box(),
        page.locator(".stage svg").evaluate("e => [e.viewBox.baseVal.width, e.viewBox.baseVal.height]"),
    )
    mini.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    x, y, _, _ = seen(page)
    assert [x + width / 2, y + height / 2] == pytest.approx([side / 2 for side in whole], abs=8)
    page.mouse.down()
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert seen(page)[0] < x


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_small_picture_has_the_colours_of_the_large_one(open_page, scheme):
    page = open_page(page_of_layers().render("html").decode(), color_scheme=scheme)
    fills = [f"{where} g.value:not(.todo) > rect" for where in (".stage svg", ".mini svg")]
    large, small = (page.locator(fill).first.evaluate("e => getComputedStyle(e).fill") for fill in fills)
    assert large == small


def test_the_table_lights_what_is_chosen_and_closes_modules(open_page):
    picture = page_of_layers()
    page = open_page(picture.render("html").decode())
    page.locator("details.table summary").click()
    header = page.locator("table.values thead th").all_text_contents()
    assert header == ["node", "op", "shape", "value", "gradient"]
    rows = page.locator("table.values tr[data-id]")
    assert rows.count() == len(picture.view.items) + sum(len(item.parts) for item in picture.view.items)
    row = page.locator("tr[data-id]", has_text="loss")
    row.click()
    assert page.locator("g.hit").get_attribute("id") == row.get_attribute("data-id")
    button = page.locator("tr.module button", has_text="layers.0")
    visible = "[...document.querySelectorAll('tr[data-id]')].filter(r => r.offsetParent).length"
    before = page.evaluate(visible)
    button.click()
    assert button.get_attribute("aria-expanded") == "false"
    assert page.evaluate(visible) < before
    assert page.locator("g.miss").count() == 2
    button.click()
    assert page.evaluate(visible) == before
    assert page.locator("g.miss").count() == 0


def test_the_table_is_there_without_scripts(open_page):
    page = open_page(page_of_layers().render("html").decode(), java_script_enabled=False)
    assert "layers.0.weight" in page.locator("table.values").inner_html()
    assert page.locator(".bar").is_hidden()


def test_the_picture_is_told_in_words(open_page):
    page = open_page(page_of_layers().render("html").decode())
    told = page.locator(".stage svg > desc").text_content()
    assert told.startswith("loss = mean(v10), gradient 1.0000.")
    assert "relu(v4)" in told
