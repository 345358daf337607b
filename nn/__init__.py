"""Layers, losses, optimizers and a training loop on top of ``autograd``, with PyTorch's names, arguments and weights.

>>> import nn
>>> model = nn.MLP(2, [16, 16, 1], rng=0)
>>> model([[0.5, -1.0]]).shape
(1, 1)

The story, to be read in this order: ``neuron`` (Neuron, Layer, MLP), ``module``, ``linear``, ``activation``,
``losses``, ``optim.sgd``, ``optim.adam``, ``trainer``. The families that most models are made of: ``conv``, ``pool``,
``recurrent``, ``attention``, ``normalization``, ``embedding``, ``dropout``. The long tail, one small file per idea,
which nothing in the story needs: ``transformer``, ``transposed``, ``upsample``, ``cells``, ``distances``,
``distributions``, ``module_dict``, ``average``, ``summary``.
"""

from typing import Any

from nn import _clash as _clash  # isort: skip  (first: it says what to do when another package is found as autograd)
from nn import datasets, functional, init, metrics, optim
from nn.activation import (
    ELU,
    GELU,
    GLU,
    Hardswish,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.attention import MultiheadAttention
from nn.average import AveragedModel, get_ema_avg_fn, update_bn
from nn.callbacks import Callback, CSVLogger, EarlyStopping, LRSchedule, ModelCheckpoint
from nn.calls import functional_call
from nn.cells import GRUCell, LSTMCell
from nn.container import ModuleList, Sequential
from nn.conv import Conv1d, Conv2d
from nn.distances import CosineEmbeddingLoss, TripletMarginLoss
from nn.distributions import KLDivLoss
from nn.dropout import Dropout
from nn.embedding import Embedding
from nn.gradient_flow import GradientFlow
from nn.hints import unknown_name
from nn.history import History
from nn.linear import Flatten, Identity, Linear
from nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CategoricalCrossEntropyLoss,
    CrossEntropyLoss,
    HingeLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from nn.module import Module, Parameter
from nn.module_dict import ModuleDict
from nn.neuron import MLP, Layer, Neuron
from nn.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, RMSNorm
from nn.pool import AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from nn.recurrent import GRU, LSTM, RNN
from nn.saving import load_model, save_model
from nn.summary import summary
from nn.trainer import Trainer
from nn.transformer import TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer
from nn.transposed import ConvTranspose1d, ConvTranspose2d
from nn.upsample import Upsample

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AveragedModel",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "CSVLogger",
    "Callback",
    "CategoricalCrossEntropyLoss",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GradientFlow",
    "GroupNorm",
    "Hardswish",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LRSchedule",
    "LSTMCell",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "ModelCheckpoint",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "Neuron",
    "PReLU",
    "Parameter",
    "RMSNorm",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Trainer",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "Upsample",
    "datasets",
    "functional",
    "functional_call",
    "get_ema_avg_fn",
    "init",
    "load_model",
    "metrics",
    "optim",
    "save_model",
    "summary",
    "update_bn",
]

_LATER = ("distributed", "onnx", "sklearn")  # these stand on extras, which may be missing: they load at first use


def __dir__() -> list[str]:
    """List the public names, also those that load at first use; the files that they come from are none."""
    return sorted([*__all__, *_LATER, *(name for name in globals() if name.startswith("__"))])


def __getattr__(name: str) -> Any:
    """Load the parts that stand on extras at their first use."""
    if name in _LATER:
        import importlib

        return importlib.import_module(f"nn.{name}")
    raise unknown_name(name, [*__all__, *_LATER], {"functional": functional, "optim": optim, "datasets": datasets})
