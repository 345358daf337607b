"""What happens when a rank fails, dies, or is not like the others: the job ends or an error names the rank."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tests.nn.distributed.launch import SOON, command, environment, run, write

pytestmark = pytest.mark.mpi

RESUMED = """
import hashlib, json

rank, step, how = (int(a) if a.lstrip("-").isdigit() else a for a in sys.argv[1:4])


def fail(trainer):
    if trainer.rank == rank and trainer.step == step:
        open("failed", "w").close()
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "exit":
            sys.exit(3)
        raise ValueError("out of luck")


logger, saver = nn.CSVLogger("log.csv"), nn.ModelCheckpoint("runs/run.safetensors", every_steps=2)
t = trainer(On("on_batch_end", fail), logger, nn.EarlyStopping(patience=50), saver)
t.fit(X, Y, epochs=4, batch_size=16, rng=5, validation_split=0.2, progress=False, resume="auto")
text = hashlib.sha256(b"".join(v.tobytes() for v in t.model.state_dict().values())).hexdigest()
if t.rank == 0:
    print(text, json.dumps(dict(t.history)))
"""
WORDS = {
    "kill": r"nn.distributed: rank {rank} of {size} \(process \d+\) was the first on .* to die, at [\d:]+\.\d+\.",
    "raise": r"nn.distributed: rank {rank} of {size} failed with ValueError: out of luck -- ending all ranks\.",
    "exit": r"\(rank {rank} in comm 0\): application called MPI_Abort",  # said by MPI
}
CASES = [(2, 1, 3, "kill"), (3, 2, 17, "raise"), (3, 1, 6, "exit")]
MORE = [pytest.param(*case, marks=pytest.mark.whole) for case in ((3, 0, 9, "kill"), (2, 0, 1, "raise"))]


def ended(ran, folder, words):
    """Check that the job ended in time after the failure, and said why."""
    assert ran.code != 0
    assert ran.ended - (folder / "failed").stat().st_mtime < SOON
    assert re.search(words, ran.err), ran.err
    assert ran.err.count("to die") == ("to die" in words), "only the culprit is named"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give what undisturbed runs print and log, by number of ranks."""
    found = {}
    for size in {case[0] for case in CASES}:
        folder = tmp_path_factory.mktemp("whole")
        ran = run(size, write(folder, RESUMED), "-1", "-1", "-")
        assert ran.code == 0, ran.err
        found[size] = ran.out, (folder / "log.csv").read_text()
    return found


@pytest.mark.parametrize(("size", "rank", "step", "how"), [*CASES, *MORE])
def test_failure_ends_the_job_and_resume_is_exact(size, rank, step, how, whole, tmp_path):
    script = write(tmp_path, RESUMED)
    ended(run(size, script, str(rank), str(step), how), tmp_path, WORDS[how].format(rank=rank, size=size))
    again = run(size, script, "-1", "-1", "-")
    assert again.code == 0, again.err
    assert (again.out, (tmp_path / "log.csv").read_text()) == whole[size]
    assert not list((tmp_path / "runs").glob("*.tmp"))


KILLED_AT_ONCE = """
from nn.distributed import guard, presence

presence.GRACE = 1.0
t = trainer()
if t.rank == int(sys.argv[1]):
    open("failed", "w").close()
    if "stopped" in sys.argv:
        os.kill(os.getppid(), signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGKILL)
if "stopped" in sys.argv:  # go on when this rank has told that it ends the job
    guard._say = lambda word: os.kill(os.getppid(), signal.SIGCONT)
t.fit(X, Y, progress=False)
"""


@pytest.mark.parametrize("rank", [1, 2])
def test_killed_as_soon_as_can_be(rank, tmp_path):
    """The witness has hardly started then."""
    ran = run(3, write(tmp_path, KILLED_AT_ONCE), str(rank))
    ended(ran, tmp_path, WORDS["kill"].format(rank=rank, size=3))


def test_a_launcher_that_does_not_end_the_others(tmp_path):
    """They end the job; here the process of mpiexec that would have killed them is stopped."""
    ran = run(2, write(tmp_path, KILLED_AT_ONCE), "1", "stopped")
    ended(ran, tmp_path, WORDS["kill"].format(rank=1, size=2))
    words = r"rank 1 of 2 \(process \d+\) died, while rank 0 waits for it in fit -- ending all ranks\."
    assert re.search(words, ran.err), ran.err


# ------------------------------------------------------------------------------- a rank that goes on without the others

LEFT = """
from nn.distributed import presence

presence.GRACE = 1.0
rank, how = int(sys.argv[1]), sys.argv[2]


def leave(trainer):
    if trainer.rank == rank and trainer.step == 3:
        open("failed", "w").close()
        if how.startswith("exit"):
            sys.exit(int(how[-1]))
        if how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("out of luck")


t = trainer(On("on_batch_end", leave))
if t.rank == rank and how == "never":
    open("failed", "w").close()
    sys.exit(0)
for step in range(5 * (how == "steps")):
    if t.rank == rank and step == 3:
        open("failed", "w").close()
        sys.exit(0)
    t.train_on_batch(X, Y)
try:
    t.fit(X, Y, progress=False)
except ValueError:
    if how == "again":
        t.fit(X, Y, progress=False)
    time.sleep(60)
"""
WAITS = "nn.distributed: rank {rank} of {size} {what}, while rank {next} waits for it in {call} -- ending all ranks\\."
GONE = [
    (2, 1, "exit 0", "mpi4py", "left fit by SystemExit: 0", "fit"),
    (3, 2, "exit 3", "", "left fit by SystemExit: 3", "fit"),
    (3, 1, "on", "mpi4py", "left fit by ValueError: out of luck", "fit"),
    (2, 0, "again", "mpi4py", "left fit by ValueError: out of luck", "fit"),
    (2, 1, "interrupt", "mpi4py", "left fit by KeyboardInterrupt: for the second time", "fit"),
    (3, 0, "never", "mpi4py", "ended its program", "fit"),
    (2, 0, "steps", "mpi4py", "ended its program", "train_on_batch"),
]


@pytest.mark.parametrize(("size", "rank", "how", "module", "what", "call"), GONE)
def test_a_rank_that_leaves_the_others_ends_the_job(size, rank, how, module, what, call, tmp_path):
    ran = run(size, write(tmp_path, LEFT), str(rank), how, module=module)
    ended(ran, tmp_path, WAITS.format(rank=rank, size=size, what=what, next=(rank + 1) % size, call=call))


@pytest.mark.slow
@pytest.mark.whole
def test_ranks_killed_at_random_from_outside(whole, tmp_path):
    """Kill any rank at any time, again and again; the run that goes through at last is the undisturbed one."""
    tell = "pids = t.world.gather(os.getpid())\nif not t.rank:\n    print(*pids, flush=True)\n"
    slowly = "def fail(trainer):\n    time.sleep(0.05)"
    code = RESUMED.replace("t.fit(", tell + "t.fit(").replace("def fail(trainer):", slowly)
    script = write(tmp_path, code)
    rng, killed = np.random.default_rng(0), 0
    for _ in range(4):
        with subprocess.Popen(command(3, script, "-1", "-1", "-"), cwd=tmp_path, env=environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # fmt: skip
            limit = threading.Timer(2 * SOON, process.terminate)  # a job that hangs fails here and holds up nothing
            limit.start()
            pids = [int(word) for word in process.stdout.readline().split()]
            victim = int(rng.integers(3))
            time.sleep(rng.uniform(0, 0.3))
            with contextlib.suppress(ProcessLookupError):  # on a busy machine the last run may be through by now
                os.kill(pids[victim], signal.SIGKILL)
            _, err = process.communicate(timeout=SOON)
            limit.cancel()
        if process.returncode:
            killed += 1
            assert f"nn.distributed: rank {victim} of 3 (process {pids[victim]}) was the first on " in err
    assert killed
    again = run(3, script, "-1", "-1", "-")
    assert again.code == 0, again.err
    assert again.out.splitlines()[1:] == whole[3][0].splitlines()


def test_another_number_of_ranks_continues(tmp_path):
    script = write(tmp_path, RESUMED)
    assert run(2, script, "1", "9", "raise").code != 0
    for size in (3, 0):
        again = run(size, script, "-1", "-1", "-")
        assert again.code == 0, again.err
        assert again.out.count("loss") == 2  # loss and val_loss: the history is whole


TORN = """
t = trainer()
if t.rank == 0:
    time.sleep(60)
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.5)
try:
    t.world.gather(0)
except KeyboardInterrupt:
    open("failed", "w").close()
    t.world.gather(0)
"""


def test_no_more_together_after_a_wait_that_was_stopped(tmp_path):
    """What it waited for may still come, and must not meet anything else."""
    said = "failed with TrainingError: an exception (Ctrl-C, say) stopped this rank while it waited for the others"
    ended(run(2, write(tmp_path, TORN)), tmp_path, re.escape(f"nn.distributed: rank 1 of 2 {said}"))


# ------------------------------------------------------------------------------------- what all ranks raise together

TOGETHER = """
from autograd.errors import AutogradError, FileError


def told(name, act):
    try:
        act()
    except AutogradError as error:
        texts = t.world.gather(f"{type(error).__name__}: {error}")
        if t.rank == 0:
            print(f"{name}|{len(set(texts)) == 1}|{texts[0]}".replace("\\n", "/"))
        return
    print(f"{name}|nothing raised")


def flow(*sizes):
    for n in sizes:
        yield X[:n], Y[:n]


def ratio(p, y):  # not a mean over samples
    return (p * p).sum() / (abs(p).sum() + len(y.shape))


def shift(trainer):
    if trainer.rank == 1:
        trainer.model[0].weight.data += 1e-7


def spoil(trainer):
    if trainer.rank == 1:
        trainer.model[0].weight.data[...] = np.nan


def same(x, y):
    for i in range(0, 40, 10):
        yield x[i : i + 10], y[i : i + 10]


def freeze(trainer):
    if trainer.rank == 1 and trainer.step == 2:
        trainer.model[0].bias.requires_grad = False


def changed(change):
    t = trainer()
    if t.rank == 1:
        change(t)
    return t


t = trainer()
rank = t.rank
fit = {"batch_size": 20, "progress": False, "rng": 1}
flowing = {"progress": False, "rng": 1}  # batches have their sizes
told("shape", lambda: trainer(model=nn.MLP(5, [8 + (rank == 1), 2], rng=0)))
told("code", lambda: trainer(lr=0.01 * (1 + rank)))
told("length", lambda: t.fit(X[: 103 - (rank == 2)], Y[: 103 - (rank == 2)], **fit))
told("empty", lambda: t.fit(X[: 103 * (rank != 1)], Y[: 103 * (rank != 1)], **fit))
told("values", lambda: t.fit(X + (rank == 1), Y, **fit))
told("arguments", lambda: t.fit(X, Y, epochs=1 + rank, **fit))
told("both empty", lambda: t.fit(X[:0], Y[:0], **fit))
told("fewer batches", lambda: t.fit(flow(*[10, 10, 7][: 3 - (rank == 1)]), **flowing))
told("other batches", lambda: t.fit(flow(10, 10 + (rank == 2)), **flowing))
told("other numbers", lambda: t.fit(same(X + (rank == 1), Y), **flowing))
told("other targets", lambda: t.fit(same(X, Y ^ (rank == 2)), **flowing))
told("other rows", lambda: t.train_on_batch(X[:20] + (rank == 1), Y[:20]))
unlearn = lambda t: setattr(t.model[0].bias, "requires_grad", False)
faster = lambda t: setattr(t.optimizer, "lr", 0.5)
told("frozen", lambda: changed(unlearn).fit(X, Y, **fit))
told("frozen on the way", lambda: trainer(On("on_batch_end", freeze)).fit(X, Y, **fit))
told("frozen for a batch", lambda: changed(unlearn).train_on_batch(X, Y))
told("weights", lambda: changed(lambda t: t.model[4].weight.data.__imul__(2)).fit(X, Y, **fit))
told("buffers", lambda: changed(lambda t: t.model[1].running_mean.__iadd__(1)).fit(X, Y, **fit))
told("rate", lambda: changed(faster).fit(X, Y, **fit))
told("rate for a batch", lambda: changed(faster).train_on_batch(X, Y))
told("loss", lambda: trainer(loss=ratio, metrics=()).fit(X, Y, **fit))
told("drift", lambda: trainer(On("on_batch_end", shift)).fit(X, Y, **fit))
told("not finite", lambda: trainer(On("on_batch_end", spoil)).fit(X, Y, **fit))
told("no file", lambda: t.fit(X, Y, resume="nowhere.safetensors", **fit))
told("no file to load", lambda: t.load("nowhere.safetensors"))
other = np.random.Generator([np.random.PCG64, np.random.MT19937][rank == 1](1))
told("calls", lambda: t.load("nowhere.safetensors") if rank == 1 else t.fit(X, Y, **fit))
told("generator", lambda: t.fit(X, Y, **{**fit, "rng": other}))
history = t.fit(X, Y, **fit)  # the trainer is whole after all that
stopper = trainer(On("on_batch_end", lambda s: setattr(s, "stop", s.rank == 2 and s.step == 3)))
stopper.fit(X, Y, **fit)
hit = lambda s: s.rank == 1 and s.step == 4 and os.kill(os.getpid(), signal.SIGINT)
interrupted = trainer(On("on_batch_end", hit))
seen = interrupted.fit(X, Y, **fit)
found = t.world.gather([stopper.step, interrupted.step, seen.interrupted, history.epochs])
if rank == 0:
    print("ends|", found)
"""
SAID = {
    "shape": "ArgumentError: the program differs between the ranks. All must run the same program on the same data.",
    "code": "rank 2: the optimizer is Adam(lr=0.03",
    "length": "ArgumentError: what fit was given differs between the ranks",
    "empty": "rank 1: x is (0, 5) float32, checksum 00000000, on rank 0 (103, 5) float32, checksum",
    "values": "rank 1: x is (103, 5) float32, checksum",
    "arguments": "/  rank 1: epochs is 2, on rank 0 1/  rank 2: epochs is 3, on rank 0 1",
    "both empty": "ArgumentError: fit: there are no samples.",
    "fewer batches": "/  rank 1: no batch/  rank 2: 7 samples, checksum",
    "other batches": "ArgumentError: fit: the ranks have different batches.",
    "other numbers": "the same whole batches, of which it takes its rows./  rank 0: 10 samples, checksum ",
    "other targets": "rank 2: 10 samples, checksum ",
    "other rows": "ArgumentError: train_on_batch: the ranks have different batches.",
    "frozen": "what training starts from differs between the ranks. All must run the same program on the same data./  "
    "rank 1: parameter 0.bias is frozen, of shape (8,), checksum",
    "frozen on the way": "a step differs between the ranks. All must run the same program on the same data./  rank 1: "
    "parameter 0.bias is frozen, on rank 0 trained",
    "frozen for a batch": "rank 1: parameter 0.bias is frozen, on rank 0 trained",
    "weights": "rank 1: parameter 4.weight is trained, of shape (2, 8), checksum",
    "buffers": "rank 1: buffer 1.running_mean is of shape (8,), checksum",
    "rate": "rank 1: group 0 is {'lr': 0.5",
    "rate for a batch": "the optimizer differs between the ranks.",
    "loss": "ratio must be a mean over samples, or a sum, and say so by an attribute reduction = 'sum'.",
    "drift": "TrainingError: after epoch 1 the weights or buffers of rank 1 are not those of rank 0.",
    "not finite": "TrainingError: rank 1: the loss is nan at step 2 (epoch 1, batch 2): the parameter '0.weight'",
    "no file": "MissingFile: fit(resume='nowhere.safetensors'): there is no such file.",
    "no file to load": "MissingFile: cannot read nowhere.safetensors",
    "calls": "which all must make together./  rank 0: fit/  rank 1: load/  rank 2: fit",
    "generator": "rank 1: rng is MT19937, on rank 0 PCG64",
}


def test_differences_are_told_by_all_ranks(tmp_path):
    ran = run(3, write(tmp_path, TOGETHER))
    assert ran.code == 0, ran.err
    lines = dict(line.split("|", 1) for line in ran.out.splitlines())
    assert lines.keys() == {*SAID, "ends"}
    for name, said in SAID.items():
        assert lines[name].startswith("True|"), (name, lines[name])
        assert said in lines[name], (name, lines[name])
    assert "; parameter layers.0.weight is (9, 5) float32, on rank 0 (8, 5) float32" in lines["shape"]
    assert "rank 2: x is (102, 5) float32" in lines["length"]
    assert lines["ends"] == f" {[[3, 4, True, 1]] * 3}", "stop and Ctrl-C on one rank end all after the same step"


# ---------------------------------------------------------------------------------------------- how it was started

FAILING = """
t = trainer()
if t.rank == 1:
    raise ValueError("out of luck")
t.fit(X, Y, progress=False)
"""


def test_without_m_mpi4py(tmp_path):
    """An exception ends all ranks all the same, and the missing part of the command is named."""
    script = write(tmp_path, FAILING)
    said = run(2, script, module="")
    assert said.code != 0
    assert "nn.distributed: rank 1 of 2 failed with ValueError: out of luck -- ending all ranks." in said.err
    assert "started without '-m mpi4py'" in said.err
    assert "Start them so: mpiexec -n 2 python -m mpi4py train.py" in said.err


def test_launcher_of_another_mpi(tmp_path):
    ran = run(0, write(tmp_path, "trainer()"), SLURM_STEP_NUM_TASKS="4")
    assert ran.code == 1
    assert "this is one of 4 processes, but mpi4py's MPI (MPICH) says that it is alone" in ran.err
    alone = "from mpi4py import MPI\nt = trainer(comm=MPI.COMM_SELF)\nt.fit(X, Y, progress=False)"
    ran = run(0, write(tmp_path, alone), SLURM_STEP_NUM_TASKS="4")
    assert ran.code == 0, ran.err


def test_without_mpi4py(tmp_path):
    script = tmp_path / "train.py"
    script.write_text("import sys\nsys.modules['mpi4py'] = None\nfrom nn.distributed.world import World\nWorld()")
    said = subprocess.run([sys.executable, script], env=environment(), capture_output=True, text=True, check=False)
    assert (
        "MissingExtra: nn.distributed needs mpi4py 4.1 or newer and an MPI library, the cluster's or the" in said.stderr
    )
    assert 'Install it: python -m pip install "mpi4py>=4.1" mpich' in said.stderr
