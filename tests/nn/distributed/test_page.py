"""The programs of docs/distributed.md run as the page says."""

import re

import pytest

from tests.nn.distributed.launch import ROOT, Run, run

pytestmark = pytest.mark.mpi
PAGE = ROOT / "docs" / "distributed.md"


def program(name, folder):
    [code] = re.findall(rf"^```py\n(# {name}\n.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (folder / name).write_text(code, encoding="utf-8")
    return folder / name


def said(ran: Run) -> str:
    assert ran.code == 0, ran.err
    return ran.out.splitlines()[-1]


@pytest.mark.parametrize("ranks", [0, 2])
def test_train(ranks, tmp_path):
    script = program("train.py", tmp_path)
    assert float(said(run(ranks, script)).removeprefix("held-out accuracy ")) > 0.95
    files = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert len(files) == 3
    again = run(ranks, script)  # nothing is left to do
    assert said(again).startswith("held-out accuracy")
    assert "epoch" not in again.out


@pytest.mark.whole
def test_grid(tmp_path):
    assert "'lr': 0.01" in said(run(0, program("grid.py", tmp_path)))


@pytest.mark.whole
def test_search(tmp_path):
    script = program("search.py", tmp_path)
    accuracy, best = said(run(3, script, module="mpi4py.futures")).split(" ", 1)
    assert float(accuracy) > 0.9
    assert "'width': 64" in best


def test_parts_of_a_job(tmp_path):
    script = program("train.py", tmp_path)
    code = (
        script.read_text(encoding="utf-8")
        .replace("callbacks=[saved]", "comm=group")
        .replace('resume="auto"', "progress=False")
        .replace("epochs=20", "epochs=2")
    )
    head = "from mpi4py import MPI\ngroup = MPI.COMM_WORLD.Split(MPI.COMM_WORLD.rank // 2)\n"
    script.write_text(head + code, encoding="utf-8")
    ran = run(4, script)
    assert ran.code == 0, ran.err
    assert len(set(ran.out.splitlines())) == 1, "two groups, the same training"
    assert len(ran.out.splitlines()) == 2
