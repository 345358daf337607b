"""A program is written as a person would write it."""

import traceback

import numpy as np
import pytest

import autograd as ag


def test_source_reads_like_numpy():
    program = ag.compile(lambda x: (np.tanh(x) * 2).sum()).program(ag.Tensor([1.0, 2.0], requires_grad=True))
    assert "np.tanh(x)" in program.source
    assert program.source.startswith("def forward(x):")
    assert "\n\n\ndef backward(" in program.source
    assert [step.label for step in program.forward] == ["tanh", "multiply", "sum"]


def test_names_are_the_users_and_no_keywords():
    def f(select, np_):
        forward = select * np_
        rate = np.exp(forward)
        return rate + forward

    compiled, (x, y) = ag.compile(f), (np.ones(2), np.full(2, 3.0))
    source = compiled.program(x, y).source
    assert "rate = np.exp(" in source
    assert source.startswith("def forward(select_2, np_2):")
    assert "\n    forward =" not in source
    np.testing.assert_array_equal(compiled(x, y), f(x, y))


def test_a_traceback_shows_the_line_that_was_written():
    compiled = ag.compile(lambda x: np.log(x) * 2)
    compiled(np.ones(2))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError) as caught:
        compiled(np.zeros(2))
    lines = [frame.line for frame in traceback.extract_tb(caught.value.__traceback__) if frame.filename.startswith("<")]
    assert any("np.log(x)" in line for line in lines)
