"""Write ``docs/numpy.md`` from the table of NumPy's names: ``python -m tests.autograd.numpy_page``."""

from pathlib import Path

from tests.autograd.numpy_table import (
    CONSTANT,
    CREATES,
    DERIVATIVE,
    NAMES,
    PLAIN,
    REFUSED,
    public_names,
)

PAGE = Path(__file__).parents[2] / "docs" / "numpy.md"
GONE = {"row_stack", "trapz", "in1d", "linalg.linalg", "complex192", "float96"}  # in some NumPys only
HEAD = """# NumPy functions with a derivative

`np.f(tensor)` is NumPy's own function. This page says of each public name of `numpy`, `numpy.linalg` and `numpy.fft`
what it does with a Tensor that records. It is written from a table of the test suite, in which every row is called; a
name that is not here fails a test. Types, constants, settings and files are left out.
"""
TEXTS = {
    DERIVATIVE: "Right to any order, checked against finite differences to second order.",
    CONSTANT: "The result is a Tensor that needs no gradient: it does not change with small changes of its input.",
    PLAIN: "Indices, truth values, shapes, texts: plain arrays, as the code around them expects.",
    CREATES: "They make arrays of sizes. A Tensor that records is refused where it stands for a size.",
}


def advice(error: BaseException) -> str:
    """Return what an error says to use instead: what stands after the fact."""
    error = error.__cause__ or error
    text = " ".join(str(error).split())
    if "not supported" in text:
        return "It is for integers."
    before, _, after = text.partition(". ")
    return after or before.partition(": ")[2]


def refusals() -> dict[str, str]:
    """Call what is refused, and list what the errors say to use."""
    from tests.autograd.test_numpy_table import results

    found = {}
    for name in NAMES[REFUSED].split():
        if name not in GONE & set(NAMES[REFUSED].split()) - set(public_names()):
            try:
                results(name)
            except Exception as error:
                found[name] = advice(error)
    return found


def listed(names: str) -> str:
    """Set names as code, by the space that they stand in."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names.split()) - GONE):
        groups.setdefault(f"np.{name.rpartition('.')[0]}".rstrip("."), []).append(name.rpartition(".")[2])
    return "\n\n".join(f"**{space}**: {' '.join(f'`{each}`' for each in group)}" for space, group in groups.items())


def text() -> str:
    """Return the page."""
    parts = [HEAD]
    for verdict, title in ((DERIVATIVE, "With a derivative"), (CONSTANT, "Piecewise constant"), (PLAIN, "Plain")):
        parts.append(f"## {title}\n\n{TEXTS[verdict]}\n\n{listed(NAMES[verdict])}\n")
    rows = "\n".join(f"| `np.{name}` | {said} |" for name, said in sorted(refusals().items()))
    parts.append(f"## Refused by name\n\n| function | what to use |\n|---|---|\n{rows}\n")
    parts.append(f"## Sizes\n\n{TEXTS[CREATES]}\n\n{listed(NAMES[CREATES])}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
