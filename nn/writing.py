"""Reading a file whole and writing it in one step, with errors that name the path.

A write goes to a temporary file in the same folder, is flushed to the disk and then replaces the old file. So a crash
at any moment leaves either the old or the new file, never half of one, and of several writers the last one wins.
"""

import glob
import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from autograd.errors import FileError, MissingFile

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that is open
    fcntl = None


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a file, or say which one cannot be read and why."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise MissingFile(f"cannot read {path}: {error.strerror}.") from None
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {path}: {_reason(error)}.") from None


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file by ``data`` in one step.

    A symbolic link stays, and what it points to is replaced. The new file has the mode of the old one, or that of the
    umask. Leftovers of writers that were killed are removed, the files of those at work are not.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            raise FileError(f"cannot write {path}: it is no regular file.")
        if not target.parent.is_dir():
            raise MissingFile(f"cannot write {path}: the folder {target.parent} does not exist. Create it first.")
        _remove_leftovers(target)
        _write(target, data, mode)
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"cannot write {path}: {_reason(error)}. The old file, if any, is as it was.") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _write(target: Path, data: bytes, mode: int | None) -> None:
    temporary, handle = _open_temporary(target)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:  # while it is locked, so that nobody takes it for a leftover
                os.replace(temporary, target)
        if fcntl is None:  # an open file cannot be renamed there
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name must reach the disk too
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _open_temporary(target: Path) -> tuple[Path, int]:
    """Make a file beside ``target`` that no other writer has; its lock tells that this writer is alive."""
    while True:
        path = target.with_name(f"{_prefix(target)}{token_hex(8)}.tmp")
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks: nobody removes leftovers there
                fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists():
            return path, handle
        os.close(handle)  # removed by another writer between the two lines above


def _remove_leftovers(target: Path) -> None:
    """Remove the temporary files whose writers are dead: these hold no lock any more."""
    for path in target.parent.glob(f"{glob.escape(_prefix(target))}*.tmp") if fcntl is not None else ():
        with suppress(OSError):
            handle = os.open(path, os.O_WRONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(handle)


def _prefix(target: Path) -> str:
    return f".{target.name[:40]}."  # short enough that a long name stays a possible one
