"""Writing: all or nothing, as other programs do it, and several writers at one path."""

import os
import stat
import subprocess
import sys
import threading

import pytest

import nn
from autograd.errors import FileError, MissingFile
from nn.writing import read_bytes, write_bytes

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and locks of POSIX")


@pytest.fixture
def umask():
    old = os.umask(0o022)
    yield
    os.umask(old)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_write_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "f"
    write_bytes(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileError, match=r"cannot write .*/f: No space left on device. The old file, if any, is as it"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


@posix
def test_leftovers_of_dead_writers_only_are_removed(tmp_path):
    import fcntl

    for name in ("dead", "alive"):
        (tmp_path / f".f[1].{name}.tmp").write_bytes(b"half")
    with open(tmp_path / ".f[1].alive.tmp", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_bytes(tmp_path / "f[1]", b"whole")
        assert names(tmp_path) == [".f[1].alive.tmp", "f[1]"]


@posix
def test_a_file_removed_while_it_is_opened_is_made_anew(tmp_path, monkeypatch):
    import fcntl

    lock, times = fcntl.flock, []

    def slow(handle, how):
        if not times:
            times.append(1)
            for path in tmp_path.glob("*.tmp"):
                path.unlink()
        return lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    write_bytes(tmp_path / "f", b"whole")
    assert names(tmp_path) == ["f"]


@posix
@pytest.mark.parametrize(("old", "new"), [(None, 0o644), (0o600, 0o600), (0o664, 0o664)])
def test_modes(tmp_path, umask, old, new):
    path = tmp_path / "f"
    if old is not None:
        path.touch()
        path.chmod(old)
    write_bytes(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == new


@posix
def test_a_link_stays_and_its_target_is_written(tmp_path, umask):
    (tmp_path / "far").mkdir()
    link = tmp_path / "latest"
    link.symlink_to(tmp_path / "far" / "run7")
    for data in (b"one", b"two"):
        write_bytes(link, data)
        assert link.is_symlink()
        assert (tmp_path / "far" / "run7").read_bytes() == data
    assert names(tmp_path) == ["far", "latest"]


@pytest.mark.parametrize("what", [lambda p: nn.save_model(nn.Linear(30, 30), p), lambda p: write_bytes(p, b"x" * 9999)])
def test_threads_that_write_one_path(tmp_path, what):
    path, errors = tmp_path / "m", []

    def save():
        try:
            for _ in range(25):
                what(path)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert names(tmp_path) == ["m"]


def test_processes_that_write_one_path(tmp_path):
    code = """
import sys; from nn.writing import write_bytes
for _ in range(50): write_bytes(sys.argv[1], sys.argv[2].encode() * 9999)
"""
    runs = [subprocess.Popen([sys.executable, "-c", code, tmp_path / "m", text]) for text in "abc"]
    assert [run.wait() for run in runs] == [0, 0, 0]
    assert (tmp_path / "m").read_bytes() in [text * 9999 for text in (b"a", b"b", b"c")]
    assert names(tmp_path) == ["m"]


def test_a_name_as_long_as_names_can_be(tmp_path):
    write_bytes(tmp_path / ("n" * 255), b"data")
    assert names(tmp_path) == ["n" * 255]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: read_bytes(p / "nowhere"), MissingFile, "cannot read .*nowhere: No such file or directory"),
        (lambda p: nn.load_model(nn.Linear(1, 1), p / "nowhere"), FileNotFoundError, "cannot read .*nowhere"),
        (lambda p: nn.onnx.load(p / "nowhere"), FileNotFoundError, "cannot read .*nowhere"),
        (lambda p: read_bytes(p), FileError, "cannot read .*: Is a directory"),
        (lambda p: read_bytes(f"{p}/a\0b"), FileError, r"cannot read .*a\\x00b: embedded null byte"),
        (lambda p: write_bytes(f"{p}/a\0b", b""), FileError, r"cannot write .*a\\x00b: .*embedded null"),
        (lambda p: write_bytes(p, b""), FileError, "cannot write .*: it is no regular file"),
        (lambda p: write_bytes(os.devnull, b""), FileError, "cannot write .*: it is no regular file"),
        (lambda p: write_bytes(p / ("n" * 256), b""), FileError, "cannot write .*: File name too long"),
        (
            lambda p: write_bytes(p / "no" / "f", b""),
            FileNotFoundError,
            "the folder .*no does not exist. Create it first",
        ),
    ],
)
@posix
def test_messages(tmp_path, call, error, message):
    with pytest.raises(FileError, match=message) as caught:
        call(tmp_path)
    assert isinstance(caught.value, error)
