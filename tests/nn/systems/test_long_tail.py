"""What the long tail is for: an autoencoder, a translator, an embedding by triplets, L-BFGS, averaged weights."""

import numpy as np
import pytest

import autograd as ag
import nn
from nn.datasets import load_digits, train_test_split


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits()
    return train_test_split(images[:, None].astype(np.float32), labels, test_size=0.2, rng=0)  # (N, 1, 8, 8)


def test_an_autoencoder_of_transposed_convolutions(digits):
    """64 pixels through 12 numbers and back, with less than half the error of the mean image."""
    x, x_held, _, _ = digits
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1, rng=rng), nn.GroupNorm(4, 16), nn.Mish(),
        nn.Conv2d(16, 12, 4, rng=rng),  # (N, 12, 1, 1)
        nn.ConvTranspose2d(12, 16, 4, rng=rng), nn.GroupNorm(4, 16), nn.Mish(),
        nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1, rng=rng),
    )  # fmt: skip
    trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.NAdam(model.parameters(), lr=5e-3))
    trainer.fit(x, x, epochs=8, batch_size=64, rng=0, progress=False)
    assert trainer.evaluate(x_held, x_held)["loss"] < 0.5 * np.mean((x_held - x.mean(axis=0)) ** 2)


class Reverser(nn.Module):
    """Read a sequence by an encoder, and write it backwards, letter by letter."""

    def __init__(self, letters, length, width=24, rng=0):
        rng = np.random.default_rng(rng)
        self.start, self.letters = letters, letters
        self.token = nn.Embedding(letters + 1, width, rng=rng)
        self.place = nn.Embedding(length, width, rng=rng)
        options = dict(dim_feedforward=48, dropout=0.0, batch_first=True, norm_first=True, rng=rng)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(width, 2, **options), 1, nn.LayerNorm(width))
        self.decoder = nn.TransformerDecoderLayer(width, 2, **options)
        self.head = nn.Linear(width, letters, rng=rng)

    def forward(self, source, before):
        memory, written = (self.token(x) + self.place(np.arange(x.shape[1])) for x in (source, before))
        return self.head(self.decoder(written, self.encoder(memory), tgt_is_causal=True))

    def write(self, source):
        """Write one letter after the other, each from those before."""
        written = np.full((len(source), 1), self.start)
        with ag.no_grad():
            for _ in range(source.shape[1]):
                best = self(source, written).data[:, -1].argmax(axis=-1)
                written = np.concatenate([written, best[:, None]], axis=1)
        return written[:, 1:]


def test_an_encoder_and_a_decoder_reverse_what_they_read():
    rng = np.random.default_rng(0)
    model = Reverser(8, 5)
    steps = 500
    optimizer = nn.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = nn.optim.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    for _ in range(steps):
        source = rng.integers(0, 8, (32, 5))
        target = source[:, ::-1]
        before = np.concatenate([np.full((32, 1), model.start), target[:, :-1]], axis=1)
        optimizer.zero_grad()
        nn.functional.cross_entropy(np.swapaxes(model(source, before), 1, 2), target).backward()
        nn.optim.clip_grad_norm(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    held = rng.integers(0, 8, (200, 5))
    assert (model.write(held) == held[:, ::-1]).mean() > 0.98


def test_triplets_bring_digits_of_a_kind_together(digits):
    """The nearest digit that was trained on tells the class of a held-out one."""
    x, x_held, y, y_held = digits
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64, rng=rng), nn.PReLU(64), nn.Linear(64, 8, rng=rng))
    optimizer, criterion = nn.optim.RAdam(model.parameters(), lr=5e-3), nn.TripletMarginLoss(swap=True)
    by_class = [np.flatnonzero(y == k) for k in range(10)]
    for _ in range(200):
        anchor = rng.integers(0, len(y), 64)
        alike = [rng.choice(by_class[k]) for k in y[anchor]]
        other = [rng.choice(by_class[(k + rng.integers(1, 10)) % 10]) for k in y[anchor]]
        optimizer.zero_grad()
        criterion(*(model(x[i]) for i in (anchor, alike, other))).backward()
        optimizer.step()
    with ag.no_grad():
        near, held = model(x).data, model(x_held).data
    distances = ((held[:, None] - near[None]) ** 2).sum(axis=2)
    assert (y[distances.argmin(axis=1)] == y_held).mean() > 0.93


def test_lbfgs_trains_on_the_whole_data(digits):
    """Softmax regression to the bottom, in a few dozen evaluations."""
    x, x_held, y, y_held = digits
    model, criterion = nn.Sequential(nn.Flatten(), nn.Linear(64, 10, rng=0)), nn.CrossEntropyLoss()
    optimizer = nn.optim.LBFGS(model.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = criterion(model(x), y) + 1e-3 * sum((p * p).sum() for p in model.parameters())
        loss.backward()
        return loss

    optimizer.step(closure)
    assert (model(x_held).data.argmax(axis=1) == y_held).mean() > 0.93
    assert max(np.abs(p.grad.data).max() for p in model.parameters()) < 1e-3


def test_averaged_weights_are_quieter_than_the_last(digits):
    """At a rate that is too large, the mean of the last weights is better than they are."""
    x, x_held, y, y_held = digits
    model, rng = nn.Sequential(nn.Flatten(), nn.Linear(64, 10, rng=0)), np.random.default_rng(0)
    average, losses = nn.AveragedModel(model, nn.get_ema_avg_fn(0.98)), []
    optimizer, criterion = nn.optim.SGD(model.parameters(), lr=4.0), nn.CrossEntropyLoss()
    for step in range(600):
        batch = rng.integers(0, len(y), 16)
        optimizer.zero_grad()
        criterion(model(x[batch]), y[batch]).backward()
        optimizer.step()
        average.update_parameters(model)
        if step >= 550:
            losses.append(criterion(model(x_held), y_held).item())
    assert criterion(average(x_held), y_held).item() < 0.9 * np.mean(losses)
