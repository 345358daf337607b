"""What a user sees when something is wrong: one family of errors.

Each error is also a standard Python type, so ``except ValueError`` keeps working. A message says what happened, where
(op or module path, argument, shapes) and what to do.
"""

import re

# What moves a terminal's cursor or turns the order of a line: control characters, odd line breaks, bidi overrides.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: object) -> str:
    r"""Write control characters out; line breaks and tabs stay.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], str(text))


def printable_line(text: object) -> str:
    """Write control characters out, line breaks and tabs too: for names."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


class AutogradError(Exception):
    """Be the root of every error that this project raises; control characters in its text are written out."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(printable(arg) if isinstance(arg, str) else arg for arg in args))


class ShapeError(AutogradError, ValueError):
    """Report an array whose shape does not fit."""


class DTypeError(AutogradError, TypeError):
    """Report a dtype that cannot be used here (integer gradients, complex or object arrays)."""


class ConversionError(AutogradError, TypeError):
    """Report a Tensor that would silently lose its gradient by becoming a plain array."""


class MissingRule(AutogradError, TypeError):
    """Report an op or NumPy function that has no gradient rule."""


class RuleError(AutogradError, TypeError):
    """Report a gradient rule that is declared wrongly or returned something unusable."""


class GraphError(AutogradError, RuntimeError):
    """Report a backward pass that cannot run: nothing recorded, or arrays released already."""


class InPlaceError(AutogradError, RuntimeError):
    """Report a value that was, or would be, overwritten although a gradient needs it."""


class ArgumentError(AutogradError, ValueError):
    """Report an argument whose value makes no sense."""


class GradientError(AutogradError, AssertionError):
    """Report an analytic gradient that differs from the numeric one."""


class MissingExtra(AutogradError, ImportError):
    """Report an optional package that is not installed, and name the extra that brings it."""


class NameClash(AutogradError, ImportError):
    """Report another package that took the import name ``autograd`` or ``nn``."""


class FileError(AutogradError, ValueError):
    """Report a file that cannot be read or written, is damaged, or is of another kind."""


class MissingFile(FileError, FileNotFoundError):
    """Report a file, or a folder to write to, that is not there."""


class TrainingError(AutogradError, ArithmeticError):
    """Report a training run that has left the finite numbers."""
