"""Optimizers, learning-rate schedules and gradient clipping."""

from nn.optim.adam import Adam, AdamW
from nn.optim.adaptive import Adagrad, RMSprop
from nn.optim.clip import clip_grad_norm
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearWarmup,
    ReduceLROnPlateau,
    Schedule,
    SequentialLR,
    StepLR,
)
from nn.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LinearWarmup",
    "Optimizer",
    "RMSprop",
    "ReduceLROnPlateau",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "clip_grad_norm",
]
