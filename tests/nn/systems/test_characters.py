"""System 9: a small transformer writes the language of Python's help pages, character by character."""

from pydoc_data.topics import topics

import numpy as np
import pytest

import autograd as ag
import nn

CONTEXT = 32


class Writer(nn.Module):
    """Predict the next character from up to CONTEXT before it: logits (N, T, characters) of indices (N, T)."""

    def __init__(self, characters, width, layers, rng):
        rng = np.random.default_rng(rng)
        self.token = nn.Embedding(characters, width, rng=rng)
        self.place = nn.Embedding(CONTEXT, width, rng=rng)
        for table in (self.token, self.place):
            nn.init.normal_(table.weight, std=0.02, rng=rng)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, rng=rng
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters, rng=rng)

    def forward(self, x):
        h = self.token(x) + self.place(np.arange(np.shape(x)[1]))
        for block in self.blocks:
            h = block(h, is_causal=True)
        return self.head(self.norm(h))


def text():
    """Give the help topics as indices: nine tenths of each to learn from, the last tenth to be tested on."""
    pages = list(topics.values())
    characters = np.array(sorted(set("".join(pages))))
    learn, test = (
        np.searchsorted(characters, list("".join(part)))
        for part in ([p[: len(p) * 9 // 10] for p in pages], [p[len(p) * 9 // 10 :] for p in pages])
    )
    return learn, test, len(characters)


def bigram_loss(learn, test, characters):
    """Give the mean -log p(next | this) of counted pairs: the best that can be done with one character of context."""
    counts = np.full((characters, characters), 0.1)
    np.add.at(counts, (learn[:-1], learn[1:]), 1)
    p = counts / counts.sum(axis=1, keepdims=True)
    return -np.log(p[test[:-1], test[1:]]).mean()


@pytest.mark.slow
def test_beats_the_bigram_model():
    learn, test, characters = text()
    model = Writer(characters, width=48, layers=2, rng=0)
    criterion, optimizer = nn.CrossEntropyLoss(), nn.optim.AdamW(model.parameters(), lr=5e-3)
    steps, rng = 300, np.random.default_rng(0)
    warm = nn.optim.LinearWarmup(optimizer, 30, start_factor=0.1)
    cool = nn.optim.CosineAnnealingLR(optimizer, steps - 30)
    schedule = nn.optim.SequentialLR(optimizer, [warm, cool], [30])
    for _ in range(steps):
        batch = learn[rng.integers(0, len(learn) - CONTEXT, 16)[:, None] + np.arange(CONTEXT + 1)]  # (16, CONTEXT + 1)
        logits = model(batch[:, :-1])
        loss = criterion(logits.reshape(-1, characters), batch[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.optim.clip_grad_norm(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()

    windows = test[: len(test) // (CONTEXT + 1) * (CONTEXT + 1)].reshape(-1, CONTEXT + 1)
    with ag.no_grad():
        held_out = criterion(model(windows[:, :-1]).reshape(-1, characters), windows[:, 1:].reshape(-1)).item()
    assert held_out < bigram_loss(learn, test, characters) - 0.05


def test_no_look_ahead():
    """A change of a character changes no prediction before it: else the task would be trivial."""
    model = Writer(characters=10, width=16, layers=2, rng=0)
    x = np.arange(CONTEXT)[None] % 10
    changed = x.copy()
    changed[0, 20] = 9 - x[0, 20]
    before, after = model(x).numpy()[0], model(changed).numpy()[0]
    np.testing.assert_allclose(before[:20], after[:20], rtol=1e-5, atol=1e-6)
    assert (np.abs(before[20:] - after[20:]).max(axis=1) > 1e-4).all()
