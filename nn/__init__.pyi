"""The public face, for editors and type checkers: it knows what loads at first use, and no name that is not there."""

from nn import datasets as datasets
from nn import distributed as distributed
from nn import functional as functional
from nn import init as init
from nn import metrics as metrics
from nn import onnx as onnx
from nn import optim as optim
from nn import sklearn as sklearn
from nn.activation import ELU as ELU
from nn.activation import GELU as GELU
from nn.activation import GLU as GLU
from nn.activation import Hardswish as Hardswish
from nn.activation import LeakyReLU as LeakyReLU
from nn.activation import LogSoftmax as LogSoftmax
from nn.activation import Mish as Mish
from nn.activation import PReLU as PReLU
from nn.activation import ReLU as ReLU
from nn.activation import Sigmoid as Sigmoid
from nn.activation import SiLU as SiLU
from nn.activation import Softmax as Softmax
from nn.activation import Softplus as Softplus
from nn.activation import Tanh as Tanh
from nn.attention import MultiheadAttention as MultiheadAttention
from nn.average import AveragedModel as AveragedModel
from nn.average import get_ema_avg_fn as get_ema_avg_fn
from nn.average import update_bn as update_bn
from nn.callbacks import Callback as Callback
from nn.callbacks import CSVLogger as CSVLogger
from nn.callbacks import EarlyStopping as EarlyStopping
from nn.callbacks import LRSchedule as LRSchedule
from nn.callbacks import ModelCheckpoint as ModelCheckpoint
from nn.calls import functional_call as functional_call
from nn.cells import GRUCell as GRUCell
from nn.cells import LSTMCell as LSTMCell
from nn.container import ModuleList as ModuleList
from nn.container import Sequential as Sequential
from nn.conv import Conv1d as Conv1d
from nn.conv import Conv2d as Conv2d
from nn.distances import CosineEmbeddingLoss as CosineEmbeddingLoss
from nn.distances import TripletMarginLoss as TripletMarginLoss
from nn.distributions import KLDivLoss as KLDivLoss
from nn.dropout import Dropout as Dropout
from nn.embedding import Embedding as Embedding
from nn.gradient_flow import GradientFlow as GradientFlow
from nn.history import History as History
from nn.linear import Flatten as Flatten
from nn.linear import Identity as Identity
from nn.linear import Linear as Linear
from nn.losses import BCELoss as BCELoss
from nn.losses import BCEWithLogitsLoss as BCEWithLogitsLoss
from nn.losses import CategoricalCrossEntropyLoss as CategoricalCrossEntropyLoss
from nn.losses import CrossEntropyLoss as CrossEntropyLoss
from nn.losses import HingeLoss as HingeLoss
from nn.losses import HuberLoss as HuberLoss
from nn.losses import L1Loss as L1Loss
from nn.losses import MSELoss as MSELoss
from nn.losses import NLLLoss as NLLLoss
from nn.module import Module as Module
from nn.module import Parameter as Parameter
from nn.module_dict import ModuleDict as ModuleDict
from nn.neuron import MLP as MLP
from nn.neuron import Layer as Layer
from nn.neuron import Neuron as Neuron
from nn.normalization import BatchNorm1d as BatchNorm1d
from nn.normalization import BatchNorm2d as BatchNorm2d
from nn.normalization import GroupNorm as GroupNorm
from nn.normalization import LayerNorm as LayerNorm
from nn.normalization import RMSNorm as RMSNorm
from nn.pool import AdaptiveAvgPool1d as AdaptiveAvgPool1d
from nn.pool import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from nn.pool import AvgPool1d as AvgPool1d
from nn.pool import AvgPool2d as AvgPool2d
from nn.pool import MaxPool1d as MaxPool1d
from nn.pool import MaxPool2d as MaxPool2d
from nn.recurrent import GRU as GRU
from nn.recurrent import LSTM as LSTM
from nn.recurrent import RNN as RNN
from nn.saving import load_model as load_model
from nn.saving import save_model as save_model
from nn.summary import summary as summary
from nn.trainer import Trainer as Trainer
from nn.transformer import TransformerDecoderLayer as TransformerDecoderLayer
from nn.transformer import TransformerEncoder as TransformerEncoder
from nn.transformer import TransformerEncoderLayer as TransformerEncoderLayer
from nn.transposed import ConvTranspose1d as ConvTranspose1d
from nn.transposed import ConvTranspose2d as ConvTranspose2d
from nn.upsample import Upsample as Upsample

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
