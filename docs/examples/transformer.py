"""Train a transformer on a language of known entropy.

A letter depends on the two before it: p(c | a, b). No model can have a smaller cross entropy than the entropy of that
chain, H = −Σ π(a, b) p(c | a, b) log p(c | a, b), and one that looks back by attention comes near it. Vaswani and
others, *Attention Is All You Need* (2017); Shannon, *A Mathematical Theory of Communication* (1948), section 7.
"""

import numpy as np

import autograd as ag
import nn

LETTERS, LENGTH = 6, 10


class Model(nn.Module):
    def __init__(self, width, rng):
        super().__init__()
        self.letter, self.place = nn.Embedding(LETTERS, width, rng=rng), nn.Embedding(LENGTH, width, rng=rng)
        self.block = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True, rng=rng)
        self.head = nn.Linear(width, LETTERS, rng=rng)

    def forward(self, text):
        x = self.letter(text) + self.place(np.arange(LENGTH))
        return self.head(self.block(x, is_causal=True))


def loss(model, text):
    logits = model(text[:, :-1])[:, 1:]  # a letter has two before it from the third on
    return nn.functional.cross_entropy(logits.reshape(-1, LETTERS), text[:, 2:].ravel())


def chances():
    return np.random.default_rng(5).dirichlet(np.full(LETTERS, 0.3), (LETTERS, LETTERS))


def texts(rng, count):
    p, text = chances(), rng.integers(LETTERS, size=(count, LENGTH + 21))
    for t in range(2, text.shape[1]):
        cumulated = p[text[:, t - 2], text[:, t - 1]].cumsum(axis=1)
        text[:, t] = np.minimum((rng.uniform(size=(count, 1)) > cumulated).sum(axis=1), LETTERS - 1)
    return text[:, 20:]


def main(axes=None):
    rng = np.random.default_rng(0)
    model = Model(32, rng)
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(300):
        optimizer.zero_grad()
        miss = loss(model, texts(rng, 64))
        miss.backward()
        optimizer.step()
        losses.append(miss.item())
    with ag.no_grad():
        print(f"cross entropy = {loss(model, texts(rng, 2000)).item():.3f}")
    if axes is not None:
        axes.plot(losses)
        axes.set_xlabel("step")
        axes.set_ylabel("cross entropy")


if __name__ == "__main__":
    main()
