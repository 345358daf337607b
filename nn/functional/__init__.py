"""Every layer and loss as a function, under PyTorch's names and arguments."""

from nn.functional.activation import elu, gelu, leaky_relu, log_softmax, relu, sigmoid, silu, softmax, softplus, tanh
from nn.functional.attention import scaled_dot_product_attention
from nn.functional.batch_norm import batch_norm
from nn.functional.classes import cross_entropy, nll_loss
from nn.functional.convolution import conv1d, conv2d
from nn.functional.dense import linear
from nn.functional.dropout import dropout
from nn.functional.embedding import embedding
from nn.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_loss,
    huber_loss,
    l1_loss,
    mse_loss,
)
from nn.functional.normalization import layer_norm
from nn.functional.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from nn.functional.recurrent import gru, lstm, rnn

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "gru",
    "hinge_loss",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "lstm",
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "relu",
    "rnn",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
