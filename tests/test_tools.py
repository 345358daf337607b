"""CI skips nothing in silence: a tool that was promised and is missing stops the suite."""

import re

import pytest

from tests import conftest


@pytest.mark.parametrize(
    ("promised", "message"),
    [
        ("dot", "CHAINRULE_REQUIRE names 'dot', but there is no dot on PATH (apt install graphviz)."),
        ("chromium", "CHAINRULE_REQUIRE names 'chromium', but there is no Chromium on PATH (apt install chromium)"),
        ("unicorn", "CHAINRULE_REQUIRE names 'unicorn'; known are chromium, dot, onnx, mpi, torch."),
    ],
)
def test_missing_tool_stops_the_suite(promised, message, tmp_path, monkeypatch, request):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHAINRULE_REQUIRE", promised)
    with pytest.raises(pytest.UsageError, match=re.escape(message)):
        conftest.pytest_configure(request.config)


def test_tool_that_is_there_is_enough(tmp_path, monkeypatch, request):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHAINRULE_REQUIRE", "dot")
    conftest.pytest_configure(request.config)


def test_missing_tool_skips_a_test_with_its_reason(tmp_path, monkeypatch, require):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=re.escape("no dot on PATH (apt install graphviz)")):
        require("dot")
