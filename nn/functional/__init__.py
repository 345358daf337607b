"""Every layer and loss as a function, under PyTorch's names and arguments."""

from nn.functional.activation import (
    elu,
    gelu,
    glu,
    hardswish,
    leaky_relu,
    log_softmax,
    mish,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from nn.functional.adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d
from nn.functional.attention import scaled_dot_product_attention
from nn.functional.batch_norm import batch_norm
from nn.functional.classes import cross_entropy, nll_loss
from nn.functional.convolution import conv1d, conv2d
from nn.functional.dense import linear
from nn.functional.distances import cosine_embedding_loss, triplet_margin_loss
from nn.functional.distributions import categorical_cross_entropy, kl_div
from nn.functional.dropout import dropout
from nn.functional.embedding import embedding
from nn.functional.groups import group_norm, rms_norm
from nn.functional.interpolate import interpolate
from nn.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_loss,
    huber_loss,
    l1_loss,
    mse_loss,
)
from nn.functional.normalization import layer_norm
from nn.functional.one_hot import one_hot
from nn.functional.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from nn.functional.prelu import prelu
from nn.functional.recurrent import gru, lstm, rnn
from nn.functional.transposed import conv_transpose1d, conv_transpose2d
from nn.hints import refusing

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "categorical_cross_entropy",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "glu",
    "group_norm",
    "gru",
    "hardswish",
    "hinge_loss",
    "huber_loss",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "lstm",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "prelu",
    "relu",
    "rms_norm",
    "rnn",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    "triplet_margin_loss",
]

globals()["__getattr__"] = refusing("nn.functional", __all__)
