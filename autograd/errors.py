"""What a user sees when something is wrong: one family of errors.

Each error is also a standard Python type, so ``except ValueError`` keeps working. A message says what happened, where
(op or module path, argument, shapes) and what to do.

Floor 1: used everywhere, and public.
"""

import collections.abc as abc
import sys
import typing

from autograd.modes import current_scope
from autograd.modes import printable as printable


class AutogradError(Exception):
    """Serve as the root of every error that this project raises; control characters in its text are written out."""

    def __init__(self, *args: object) -> None:
        super().__init__(*("\n".join(map(printable, a.split("\n"))) if isinstance(a, str) else a for a in args))


class ShapeError(AutogradError, ValueError):
    """Report an array whose shape does not fit; inside a module its path stands before the message.

    There ``path`` is the path so far, module by module, which a note tells and a notebook draws; ``failed_in`` is the
    module that failed: its path, its kind, what it was given.
    """

    path: object = None
    failed_in: tuple[str, str, tuple[object, ...]] | None = None

    def __init__(self, message: str) -> None:
        scope = current_scope()
        super().__init__(message if scope is None or scope.path in message else f"{scope.path}: {message}")


class DTypeError(AutogradError, TypeError):
    """Report a dtype that cannot be used here (integer gradients, complex or object arrays)."""


class ConversionError(AutogradError, TypeError):
    """Report a Tensor that would silently lose its gradient by becoming a plain array."""


class MissingRule(AutogradError, TypeError):
    """Report an op or NumPy function that has no gradient rule."""


class RuleError(AutogradError, TypeError):
    """Report a gradient rule that is declared wrongly or returned something unusable."""


class TraceError(AutogradError, TypeError):
    """Report a value that left a function while it was traced: what the program computes from it would be stale."""


class GraphError(AutogradError, RuntimeError):
    """Report a backward pass that cannot run: nothing recorded, or arrays released already."""


class InPlaceError(AutogradError, RuntimeError):
    """Report a value that was, or would be, overwritten although a gradient needs it."""


class ArgumentError(AutogradError, ValueError):
    """Report an argument whose value makes no sense."""


class GradientError(AutogradError, AssertionError):
    """Report an analytic gradient that differs from the numeric one; in a graph ``at`` and ``picture`` show where."""

    at: str = ""
    picture: object = None


class MissingExtra(AutogradError, ImportError):
    """Report an optional package that is not installed, and name the extra that brings it."""


class NameClash(AutogradError, ImportError):
    """Report another package that took the import name ``autograd`` or ``nn``."""


class FileError(AutogradError, ValueError):
    """Report a file that cannot be read or written, is damaged, or is of another kind."""


class MissingFile(FileError, FileNotFoundError):
    """Report a file, or a folder to write to, that is not there."""


class NonFiniteError(AutogradError, FloatingPointError):
    """Report the op that made the first nan or inf; ``found`` is what :func:`autograd.find_nonfinite` says of it."""

    found: object = None


class LintWarning(AutogradError, UserWarning):
    """Warn of what :func:`autograd.lint` found while a Trainer runs; the message starts with the code of its kind."""


class TrainingError(AutogradError, ArithmeticError):
    """Report a training run that has left the finite numbers."""


class UnknownName(AutogradError, AttributeError):
    """Report an attribute that is not there, and the one that is meant.

    Programs ask for attributes that are not there all the time (``hasattr``): the nearest name in ``among`` is looked
    for only when somebody reads the message.
    """

    def __init__(self, message: str, name: str = "", among: type | abc.Iterable[str] = ()) -> None:
        super().__init__(message)
        self._meant, self._among = name, among

    def __str__(self) -> str:
        if self._meant.startswith("_"):
            return super().__str__()
        names = dir(self._among) if isinstance(self._among, type) else self._among
        return super().__str__() + nearest(self._meant, (name for name in names if not name.startswith("_")))


class UnexpectedKeyword(AutogradError, TypeError):
    """Report a keyword that a function does not take, and the one that is meant."""


class CallError(AutogradError, TypeError):
    """Report a call with too few or too many arguments, and show what it takes."""


class NotAFunction(AutogradError, TypeError):
    """Report something else than a function that was given to a transform."""


def call_function(
    f: abc.Callable[..., typing.Any], args: abc.Iterable[typing.Any], kwargs: dict[str, typing.Any]
) -> typing.Any:
    """Return what a user's function gives; an error of ours that C code put its own before is raised as itself.

    NumPy tells an error of ``float(t)`` in ``a[i] = t`` as "setting an array element with a sequence", a callback of
    SciPy as a SystemError. Who handles one in Python, and raises another, is left alone.
    """
    handled = sys.exc_info()[1]  # where this call is itself what an error made necessary
    try:
        return f(*args, **kwargs)
    except Exception as error:
        ours = error.__cause__ or error.__context__
        if isinstance(error, AutogradError) or not isinstance(ours, AutogradError) or ours is handled:
            raise
        if not _passed_by_c(ours):
            raise
        raise ours.with_traceback(error.__traceback__) from None  # its own ends at C, this one has the user's line


def _passed_by_c(error: BaseException) -> bool:
    """Tell whether nobody in Python handled an error of ours: its traceback begins in this project."""
    trace = error.__traceback__
    return trace is not None and trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "autograd"


def nearest(word: str, known: abc.Iterable[str]) -> str:
    """Return the question whether the nearest of the known words is meant, or nothing where none is near.

    >>> nearest("Tensr", ["Tensor", "grad"])
    " Did you mean 'Tensor'?"
    """
    from difflib import get_close_matches  # takes a millisecond, which no import should cost

    words = list(known)
    near = get_close_matches(word, words, 1) or [each for each in words if len(word) > 2 and each.startswith(word)]
    return f" Did you mean {near[0]!r}?" if near else ""


BRINGS = {  # by the extra; also where this package itself was installed from no registry, each can be had by its name
    "files": ("safetensors>=0.4.3",),  # these three are no extras: they come along, but where there is no wheel of one
    "pictures": ("graphviz-pure>=0.2,<0.3",),
    "digraph": ("graphviz>=0.20",),
    "plot": ("matplotlib>=3.8", "pillow>=10"),
    "progress": ("tqdm>=4.66",),
    "onnx": ("onnx>=1.23",),
    "scipy": ("scipy>=1.13",),
    "sklearn": ("scikit-learn>=1.6",),
    "mpi": ("mpi4py>=4.1", "mpich"),
}
NOT_IN_BROWSERS = ("pictures", "onnx", "mpi")  # neither Pyodide's distribution nor PyPI has these for it


def command(extra: str) -> str:
    """Return the command that installs what an extra brings, as it works in any shell; in a browser, in Pyodide.

    >>> print(command("onnx"))
    python -m pip install "onnx>=1.23"
    """
    if sys.platform == "emscripten":
        return f"import micropip; await micropip.install({list(BRINGS[extra])})"
    return " ".join(["python -m pip install", *(f'"{each}"' if ">" in each else each for each in BRINGS[extra])])


def missing(who: str, extra: str, error: object = "", also: str = "", part: int = 0) -> MissingExtra:
    """Return the error for ``who`` needs what ``extra`` brings (its ``part``), with the command that installs it.

    >>> print(missing("nn.onnx", "onnx"))
    nn.onnx needs onnx 1.23 or newer. Install it: python -m pip install "onnx>=1.23"
    """
    name, least = BRINGS[extra][part].split(">=")
    reason = f" ({error})" if str(error) else ""
    nowhere = sys.platform == "wasi" or (sys.platform == "emscripten" and extra in NOT_IN_BROWSERS)
    cure = f"There is none for this platform ({sys.platform})." if nowhere else f"Install it: {command(extra)}"
    return MissingExtra(f"{who} needs {name} {least} or newer{also}{reason}. {cure}")
