"""Run the notebooks and store their outputs, with every picture as a PNG: ``python notebooks/refresh.py [name …]``.

A picture shows itself as an SVG inside HTML, which Jupyter displays. Sites that show stored notebooks differ in what
they strip from HTML; a PNG is shown by all. What is stored names no machine, and no time of day.
"""

import asyncio
import base64
import io
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parent
# Runs before the first cell and is not stored: pictures and replays give a PNG beside what they show in Jupyter.
PNG = """
_formatter = get_ipython().display_formatter.formatters["image/png"]
_formatter.for_type_by_name("autograd.viz.picture", "Picture", lambda picture: picture.png(dpi=120))
_formatter.for_type_by_name("autograd.viz.replay", "Replay", lambda replay: replay.picture.png(dpi=120))
"""


def run(path: Path) -> None:
    """Execute one notebook in its folder and write it back."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        coalesce_streams=True,  # how output was cut into messages is chance
        resources={"metadata": {"path": str(path.parent)}},
    )
    asyncio.run(execute(client))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            keep_picture(output)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


async def execute(client: NotebookClient) -> None:
    """Execute all cells, after the hidden one."""
    async with client.async_setup_kernel(env={**os.environ, "PYTHONPATH": str(FOLDER.parent)}):
        await client.kc.execute_interactive(PNG, silent=True, store_history=False, timeout=60)
        for i, cell in enumerate(client.nb.cells):
            await client.async_execute_cell(cell, i)


def keep_picture(output: nbformat.NotebookNode) -> None:
    """Store a picture as its PNG and its text; a replay keeps its page too, which is live where scripts may run."""
    data = output.get("data", {})
    if "image/png" not in data:
        return
    data["image/png"] = small(data["image/png"])
    if "attachShadow" not in data.get("text/html", ""):
        data.pop("text/html", None)


def small(png: str) -> str:
    """Draw a PNG with 256 colours, half of the bytes: enough for a plot with two colour maps, too."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.name for path in FOLDER.glob("*.ipynb")):
        run(FOLDER / name)
