"""Train a small generative adversarial net by hand: one discriminator and one generator step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

from benchmarks.inputs import Inputs
from benchmarks.peers.handwritten.adam import Parameters, transposed
from benchmarks.peers.handwritten.losses import bce_with_logits
from benchmarks.peers.handwritten.mlp import LEAKY, RELU, Mlp, names


def build(inputs: Inputs) -> Callable[[], float]:
    """Return one full step; the discriminator sees real and fake rows as one batch."""
    batch: int = inputs.sizes["batch"]
    stores: dict[str, Parameters] = {}
    nets: dict[str, Mlp] = {}
    for which, rows in (("G", batch), ("D", 2 * batch)):
        weights = {k: v for k, v in inputs.weights.items() if k.startswith(which)}
        stores[which] = Parameters(transposed(weights), lr=2e-4, betas=(0.5, 0.999))
        nets[which] = Mlp(stores[which], names(weights), rows, RELU if which == "G" else LEAKY)
    G, D = nets["G"], nets["D"]
    judge = D.rows(batch)
    both_loss, fake_loss = bce_with_logits(2 * batch, 1), bce_with_logits(batch, 1)
    ones = np.ones((batch, 1), "f4")
    truth = np.concatenate([ones, 0 * ones])
    both = np.empty((2 * batch, G.last.y.shape[1]), "f4")  # real rows, then fake rows
    fake, two, one = both[batch:], np.array(2, "f4"), np.array(1, "f4")
    batches = cycle(inputs.batches)

    def step() -> float:
        z, real = next(batches)
        np.tanh(G.forward(z), out=fake)
        both[:batch] = real
        loss_d = 2 * both_loss(D.forward(both), truth, D.last.dy)
        np.multiply(D.last.dy, two, out=D.last.dy)  # a mean over each half, not over both
        D.backward(both)
        stores["D"].adam.step()
        loss_g = fake_loss(judge.forward(fake), ones, judge.last.dy)
        judge.backward_to_input(G.last.dy)
        np.multiply(fake, fake, out=fake)
        np.subtract(one, fake, out=fake)
        np.multiply(G.last.dy, fake, out=G.last.dy)
        G.backward(z)
        stores["G"].adam.step()
        return loss_d + loss_g

    return step
