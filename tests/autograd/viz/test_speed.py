"""What pictures may cost. The limits are wide of what is measured on a quiet machine, as tests share theirs."""

import time

import pytest
from graphs import chain

import autograd as ag
from autograd.viz import dot
from autograd.viz.engine import layout
from autograd.viz.fitting import build


def best(times, function, clock=time.perf_counter):
    took = []
    for _ in range(times):
        start = clock()
        function()
        took.append(clock() - start)
    return min(took)


def work():
    """Do what takes 4 to 5 ms on a quiet machine of 2026: to tell a slow machine from slow code."""
    table = {}
    for i in range(100_000):
        table[i & 1023] = i


def test_view_model_of_a_thousand_nodes():
    h = chain(1_000)
    h.backward()
    took = best(15, lambda: build([h], max_nodes=10_000), time.process_time)
    assert took < 12 * best(15, work, time.process_time)


@pytest.mark.graphviz
@pytest.mark.slow
def test_drawing_costs_little_beside_the_layout():
    h = chain(1_000)
    h.backward()
    view = build([h], max_nodes=10_000)
    source = dot.write(view)
    tries = (
        (best(1, lambda: ag.draw(h, max_nodes=10_000).svg), best(1, lambda: layout(source, "svg"))) for _ in range(4)
    )
    assert any(whole < 1.5 * alone for whole, alone in tries)


@pytest.mark.slow
def test_a_hundred_thousand_nodes_answer_within_two_seconds():
    h = chain(100_000)
    h.backward()
    assert best(2, lambda: ag.draw(h).source, time.process_time) < 450 * best(15, work, time.process_time)
