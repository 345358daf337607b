"""CI skips nothing in silence: it installs what the machine lacks, and a promised tool that is missing stops it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import conftest


@pytest.mark.parametrize(
    ("promised", "message"),
    [
        ("dot", "CHAINRULE_REQUIRE names 'dot', but there is no dot on PATH (apt install graphviz)."),
        ("chromium", "CHAINRULE_REQUIRE names 'chromium', but there is no Chromium on PATH (apt install chromium)"),
        ("unicorn", "CHAINRULE_REQUIRE names 'unicorn'; known are chromium, graphviz, dot, onnx, mpi, pyright, torch."),
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


@pytest.mark.parametrize("there", [(), ("dot", "chromium", "python3")], ids=["new machine", "all there"])
def test_ci_installs_what_the_machine_lacks(there, tmp_path):
    """Run the script on a PATH of stand-ins that write down how they are called."""
    bash, said, programs = shutil.which("bash"), tmp_path / "said", tmp_path / "bin"
    if bash is None:
        pytest.skip("no bash on PATH")
    programs.mkdir()
    for name in ("apt-get", "make", *there):
        (programs / name).write_text(f'#!{bash}\necho "${{0##*/}} $*" >> {said}\n')
    (programs / "sudo").write_text(f'#!{bash}\n"$@"\n')
    for path in programs.iterdir():
        path.chmod(0o755)
    for name in ("dirname", "env"):
        (programs / name).symlink_to(str(shutil.which(name)))
    (tmp_path / ".ci").mkdir()
    shutil.copy(Path(__file__).parents[1] / ".ci" / "run", tmp_path / ".ci")
    subprocess.run(
        [bash, ".ci/run"], cwd=tmp_path, env={"PATH": str(programs)}, check=True, capture_output=True, timeout=60
    )
    calls = [line for line in said.read_text().splitlines() if not line.startswith("python3")]
    apt = [] if there else ["apt-get update", "apt-get install graphviz chromium python3-venv"]
    checks = ["make check", "make docs", "make matrix", "make test PYTEST_ARGS=--numprocesses=2"]
    assert [re.sub(r" --\S+", "", call) if "apt" in call else call for call in calls] == apt + checks
