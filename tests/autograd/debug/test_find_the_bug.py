"""The notebook of broken trainings: each is found by the tool that stands beside it, as its stored outputs show."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="no nbformat (pip install nbformat)")
NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "find-the-bug.ipynb"

FOUND = {  # heading -> what its outputs must say
    "1. The loss is nan": ["nan", "= log(", "made -inf of finite numbers", "np.log(p)", "all finite: True"],
    "2. The loss is finite": ["[nan, nan]", "backward of v5 = sqrt(v4) made inf", "infinite there"],
    "3. It learns, but badly": ["softmax-twice: cross_entropy"],
    "4. It diverges": ["no-zero-grad: the gradient of 0.weight"],
    "5. It stands still": ["saturated: 100% of what tanh gives", "(Trainer(lint=False) silences this.)"],
    "6. A layer never changes": ["not-in-optimizer: the optimizer does not hold 4.weight"],
    "7. The memory grows": ["held by history[0]", "held by history[2]", "released by backward, 0 B"],
    "8. It was better": ["1 gone", "- v10 = relu(v9)"],
    "And one with a rule": ["the first op whose local derivative is wrong is v6 = bump(v5) in Bumps"],
    "Before it starts": ["The path so far:", "Flatten 3  (4, 8, 3, 3) → (4, 72)", "Linear 4  (4, 72) → failed"],
}


def outputs():
    """Map each heading to the text of the outputs below it."""
    found, heading = {}, ""
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                heading = line.removeprefix("# ") if line.startswith("# ") else heading
        else:
            found[heading] = found.get(heading, "") + "".join(output.get("text", "") for output in cell.outputs)
    return found


@pytest.mark.parametrize("heading", FOUND)
def test_the_tool_finds_the_bug(heading):
    (text,) = [text for name, text in outputs().items() if name.startswith(heading)]
    for said in FOUND[heading]:
        assert said in text
