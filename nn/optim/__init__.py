"""Optimizers, learning-rate schedules and gradient clipping.

The story is ``optimizer`` (a step over groups), ``sgd`` and ``adam``, and in ``schedules`` the first three; the rest is
the long tail, each a formula of its own in a file of its own.
"""

from nn.hints import refusing
from nn.optim.adam import Adam, AdamW
from nn.optim.adaptive import Adagrad, RMSprop
from nn.optim.clip import clip_grad_norm, clip_grad_value
from nn.optim.cycles import CosineAnnealingWarmRestarts, OneCycleLR
from nn.optim.lbfgs import LBFGS
from nn.optim.lion import Lion
from nn.optim.muon import Muon
from nn.optim.nadam import NAdam, RAdam
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearWarmup,
    MultiStepLR,
    ReduceLROnPlateau,
    Schedule,
    SequentialLR,
    StepLR,
)
from nn.optim.sgd import SGD
from nn.optim.tree import TreeOptimizer

__all__ = [
    "LBFGS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LambdaLR",
    "LinearWarmup",
    "Lion",
    "MultiStepLR",
    "Muon",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "ReduceLROnPlateau",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "TreeOptimizer",
    "clip_grad_norm",
    "clip_grad_value",
]


globals()["__getattr__"] = refusing("nn.optim", __all__, {"lr_scheduler": "use nn.optim.StepLR and its kin"})
