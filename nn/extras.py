"""What the extras of ``pyproject.toml`` bring, and the one message for a package that is not there."""

from autograd.errors import MissingExtra

BRINGS = {  # by the extra; also where this package itself was installed from no registry, each can be had by its name
    "files": ("safetensors>=0.4.3",),  # no extra: it comes along, but where there is no wheel of it (a browser)
    "plot": ("matplotlib>=3.8",),
    "progress": ("tqdm>=4.66",),
    "onnx": ("onnx>=1.23",),
    "sklearn": ("scikit-learn>=1.6",),
    "mpi": ("mpi4py>=4.1", "mpich"),
}


def missing(who: str, extra: str, error: object = "", also: str = "") -> MissingExtra:
    """Return the error for ``who`` needs what ``extra`` brings, with the command that installs it.

    >>> print(missing("nn.onnx", "onnx"))
    nn.onnx needs onnx 1.23 or newer. Install it: python -m pip install "onnx>=1.23"
    """
    name, least = BRINGS[extra][0].split(">=")
    command = " ".join(["python -m pip install", *(f'"{each}"' if ">" in each else each for each in BRINGS[extra])])
    reason = f" ({error})" if str(error) else ""
    return MissingExtra(f"{who} needs {name} {least} or newer{also}{reason}. Install it: {command}")
