"""Learn to read real digits, then show the gradients of a small expression: ``python -m nn.demo [folder]``."""

import sys
import time
from pathlib import Path

import numpy as np

import autograd as ag
import nn
from nn.datasets import load_digits, train_test_split


def learn_digits(epochs: int = 20, seed: int = 0) -> float:
    """Train an MLP on four fifths of the digits, one line per epoch, and give its accuracy on the rest."""
    images, labels = load_digits()
    x, x_held, y, y_held = train_test_split(images.reshape(-1, 64), labels, test_size=0.2, rng=seed)
    print(f"Learning to read {len(x)} handwritten digits of 8 × 8 pixels; {len(x_held)} others are held out.")
    rng = np.random.default_rng(seed)
    model = nn.MLP(64, [64, 10], rng=rng)
    criterion = nn.CrossEntropyLoss()
    optimizer = nn.optim.Adam(model.parameters(), lr=3e-3)
    accuracy, start = 0.0, time.perf_counter()
    for epoch in range(1, epochs + 1):
        total = 0.0
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            loss = criterion(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        with ag.no_grad():
            accuracy = float(np.mean(model(x_held).argmax(axis=1) == y_held))
        bar = "█" * epoch + "·" * (epochs - epoch)
        print(f"epoch {epoch:2}/{epochs} {bar} loss {total / len(x):.4f}  held-out accuracy {accuracy:.3f}", flush=True)
    print(f"Held-out accuracy {accuracy:.3f} after {time.perf_counter() - start:.1f} s.")
    return accuracy


def draw_expression(folder: Path) -> list[Path]:
    """Differentiate y = h · tanh(h) with h = w · x, and write the picture of its backward graph as SVG and PNG.

    Where no engine draws PNG, it says so.
    """
    x, w = ag.Tensor(2.0, name="x"), ag.Tensor(0.6, requires_grad=True, name="w")
    h = w * x
    y = np.tanh(h) * h
    h.name, y.name = "h", "y"
    y.backward()
    print(f"h = w·x = {h.item():.4f}   y = h·tanh(h) = {y.item():.4f}   dy/dw = {np.asarray(w.grad):.4f}")
    folder.mkdir(parents=True, exist_ok=True)
    picture = ag.draw(y)
    paths = []
    for path in (folder / "expression.svg", folder / "expression.png"):
        try:
            picture.save(path)
        except ag.errors.MissingExtra as missing:
            print(missing)
        else:
            paths.append(path)
    return paths


def main(folder: str = "out") -> int:
    """Run both parts; the exit code tells whether the digits were learned (0.95 or better)."""
    accuracy = learn_digits()
    for path in draw_expression(Path(folder)):
        print(f"Wrote {path}")
    return 0 if accuracy >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
