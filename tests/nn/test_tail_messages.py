"""How the long tail looks, and what it says to a wrong argument, shape or target."""

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, DTypeError, ShapeError

F, ONES = nn.functional, np.ones

REPRS = {
    "ConvTranspose2d(3 -> 4, kernel 3×3)": nn.ConvTranspose2d(3, 4, 3),
    "ConvTranspose2d(4 -> 6, kernel 3×2, stride 2, padding (1, 0), output_padding 1, dilation 2, groups 2, no bias)": (
        nn.ConvTranspose2d(4, 6, (3, 2), 2, (1, 0), 1, 2, False, 2)
    ),
    "AdaptiveAvgPool2d(to (2, None))": nn.AdaptiveAvgPool2d((2, None)),
    "GroupNorm(2 groups, 4, not affine)": nn.GroupNorm(2, 4, affine=False),
    "RMSNorm((3, 4), not affine)": nn.RMSNorm((3, 4), elementwise_affine=False),
    "RMSNorm(4)": nn.RMSNorm(4),
    "LSTMCell(3 -> 4, no bias)": nn.LSTMCell(3, 4, bias=False),
    "Upsample(×2, bilinear, align corners)": nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
    "Upsample(to (3, 4), nearest)": nn.Upsample((3, 4)),
    "PReLU(3)": nn.PReLU(3),
    "GLU(dim=-1)": nn.GLU(),
    "TransformerDecoderLayer(gelu, norm first)": nn.TransformerDecoderLayer(
        8, 2, 4, activation="gelu", norm_first=True
    ),
}


@pytest.mark.parametrize("text", REPRS)
def test_repr(text):
    assert repr(REPRS[text]).splitlines()[0].startswith(text)


MESSAGES = [
    (
        lambda: nn.ConvTranspose2d(3, 4, 3)(ONES((2, 2, 4, 4))),
        ShapeError,
        "ConvTranspose2d (3 -> 4, kernel 3×3) got x of shape (2, 2, 4, 4); axis -3 (channels) must be 3.",
    ),
    (lambda: nn.ConvTranspose1d(3, 4, 3)(ONES(3)), ShapeError, "it must be (N, C, L) or (C, L)."),
    (lambda: nn.ConvTranspose2d(3, 4, 3)(ONES((3, 4))), ShapeError, "it must be (N, C, H, W) or (C, H, W)."),
    (
        lambda: nn.ConvTranspose2d(3, 4, 3, groups=2),
        ArgumentError,
        "ConvTranspose2d: groups must divide in_channels 3 and out_channels 4, got 2.",
    ),
    (lambda: nn.ConvTranspose2d(3, 4, 0), ArgumentError, "ConvTranspose2d: kernel_size must be an int >= 1 or a pair"),
    (
        lambda: nn.ConvTranspose2d(3, 4, 3, output_padding=1)(ONES((3, 4, 4))),
        ArgumentError,
        "output_padding must be smaller than stride (1, 1), got (1, 1).",
    ),
    (
        lambda: nn.ConvTranspose2d(3, 4, 1, padding=2)(ONES((1, 3, 4, 4))),
        ShapeError,
        "the output would have the lengths (0, 0). Use less padding.",
    ),
    (
        lambda: F.conv_transpose1d(ONES((1, 2, 4)), ONES((2, 3))),
        ShapeError,
        "conv_transpose1d got weight of shape (2, 3); it must have 3 axes (in_channels, out_channels/groups, *kernel).",
    ),
    (
        lambda: F.conv_transpose1d(ONES((1, 2, 4)), ONES((2, 3, 2)), groups=3),
        ArgumentError,
        "conv_transpose1d: groups must divide the 2 input channels, got 3.",
    ),
    (
        lambda: F.conv_transpose1d(ONES((1, 2, 4)), ONES((2, 3, 2)), ONES(2)),
        ShapeError,
        "got bias of shape (2,); it must be (3,), one number per output channel.",
    ),
    (
        lambda: nn.AdaptiveAvgPool2d((2, 0))(ONES((1, 3, 4, 4))),
        ArgumentError,
        "AdaptiveAvgPool2d (to (2, 0)): output_size must be an int >= 1, None or a pair of them, got (2, 0).",
    ),
    (lambda: nn.AdaptiveAvgPool1d("all")(ONES((3, 4))), ArgumentError, "must be an int >= 1 or None, got 'all'."),
    (lambda: nn.AdaptiveAvgPool2d(1)(ONES((3, 4))), ShapeError, "it must be (N, C, H, W) or (C, H, W)."),
    (lambda: nn.AdaptiveAvgPool1d(1)(ONES((2, 3, 0))), ShapeError, "there must be something to take the mean of."),
    (lambda: nn.GroupNorm(3, 4), ArgumentError, "GroupNorm: num_groups must divide num_channels 4, got 3."),
    (
        lambda: nn.GroupNorm(2, 4)(ONES((2, 3, 4))),
        ShapeError,
        "GroupNorm (2 groups, 4) got x of shape (2, 3, 4); it must be (N, 4, ...).",
    ),
    (lambda: F.group_norm(ONES(3), 1), ShapeError, "group_norm got x of shape (3,); it must be (N, C, ...)."),
    (lambda: F.group_norm(ONES((2, 3)), 2), ArgumentError, "num_groups must divide the 3 channels, got 2."),
    (
        lambda: F.group_norm(ONES((2, 4)), 2, ONES(2)),
        ShapeError,
        "got weight of shape (2,); it must be (4,), one number per channel.",
    ),
    (
        lambda: nn.RMSNorm(3)(ONES((2, 4))),
        ShapeError,
        "RMSNorm (3) got x of shape (2, 4); the last axes must be (3,).",
    ),
    (lambda: F.rms_norm(ONES((2, 4)), 4, ONES(3)), ShapeError, "got weight of shape (3,); it must be (4,)."),
    (
        lambda: nn.LSTMCell(3, 4)(ONES((2, 4))),
        ShapeError,
        "LSTMCell (3 -> 4) got x of shape (2, 4); it must be (N, 3) or (3,).",
    ),
    (
        lambda: nn.LSTMCell(3, 4)(ONES((2, 3)), (ONES((2, 4)), ONES((1, 4)))),
        ShapeError,
        "LSTMCell (3 -> 4) got c of shape (1, 4); it must be (2, 4).",
    ),
    (
        lambda: nn.LSTMCell(3, 4)(ONES((2, 3)), ONES((2, 4))),
        ArgumentError,
        "LSTMCell (3 -> 4): the states must be a pair (h, c), got ndarray.",
    ),
    (lambda: nn.GroupNorm(2, 4)(ONES((2, 4, 0))), ShapeError, "there must be something to normalize."),
    (lambda: nn.GRUCell(3, 4)(ONES(3), ONES((1, 4))), ShapeError, "got h of shape (1, 4); it must be (4,)."),
    (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer, 2),
        ArgumentError,
        "TransformerEncoder: encoder_layer must be a layer, such as a TransformerEncoderLayer, got <class",
    ),
    (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 4), 0),
        ArgumentError,
        "TransformerEncoder: num_layers must be a positive integer, got 0.",
    ),
    (
        lambda: nn.TransformerDecoderLayer(8, 2, activation="swish"),
        ArgumentError,
        "TransformerDecoderLayer: activation must be 'relu', 'gelu' or a function, got 'swish'.",
    ),
    (
        lambda: nn.Upsample(scale_factor=2, mode="bicubic")(ONES((1, 1, 2, 2))),
        ArgumentError,
        "Upsample (×2, bicubic): mode must be one of 'nearest', 'linear', 'bilinear', got 'bicubic'.",
    ),
    (
        lambda: F.interpolate(ONES((1, 1, 2, 2)), 4, mode="linear"),
        ShapeError,
        "interpolate got x of shape (1, 1, 2, 2); for mode='linear' it must be (N, C, L).",
    ),
    (lambda: F.interpolate(ONES((2, 2)), 4), ShapeError, "for mode='nearest' it must be (N, C, L) or (N, C, H, W)."),
    (lambda: F.interpolate(ONES((1, 2, 0)), 4), ShapeError, "there must be something to read."),
    (
        lambda: F.interpolate(ONES((1, 2, 3)), 4, align_corners=True),
        ArgumentError,
        "interpolate: align_corners is for the modes 'linear' and 'bilinear'; leave it out.",
    ),
    (lambda: F.interpolate(ONES((1, 2, 3))), ArgumentError, "interpolate: pass size or scale_factor, and not both."),
    (
        lambda: F.interpolate(ONES((1, 2, 3)), 2.5),
        ArgumentError,
        "interpolate: size must be a positive int, or one for each of the 1 axes, got 2.5.",
    ),
    (
        lambda: F.interpolate(ONES((1, 2, 3)), scale_factor=(1, 2)),
        ArgumentError,
        "interpolate: scale_factor must be a positive number, or one for each of the 1 axes, got (1, 2).",
    ),
    (
        lambda: F.interpolate(ONES((1, 2, 3)), scale_factor=0.1),
        ArgumentError,
        "interpolate: scale_factor 0.1 leaves nothing of the lengths (3,).",
    ),
    (
        lambda: nn.PReLU(3)(ONES((2, 4))),
        ShapeError,
        "PReLU (3) got weight of shape (3,); it must be (1,) or (4,), one slope per channel.",
    ),
    (lambda: nn.PReLU(0), ArgumentError, "PReLU: num_parameters must be a positive integer, got 0."),
    (
        lambda: nn.GLU()(ONES((2, 3))),
        ShapeError,
        "GLU (dim=-1) got x of shape (2, 3); axis -1 must be there and have an even length, as it is cut into two",
    ),
    (lambda: nn.GLU(2)(ONES((2, 4))), ShapeError, "axis 2 must be there"),
    (
        lambda: nn.Embedding.from_pretrained([1.0, 2.0]),
        ShapeError,
        "Embedding.from_pretrained: the table must be (num_embeddings, embedding_dim), got (2,).",
    ),
    (lambda: F.one_hot([0.5]), DTypeError, "one_hot: labels must be integers, got dtype float64."),
    (lambda: F.one_hot([-1, 3]), ArgumentError, "one_hot: labels must be in 0 … num_classes − 1 = 3, got -1 … 3."),
    (lambda: F.one_hot([3], 3), ArgumentError, "one_hot: labels must be in 0 … num_classes − 1 = 2, got 3 … 3."),
    (lambda: F.one_hot([]), ArgumentError, "num_classes must be at least 1, or -1 to read it from the labels, got -1."),
    (
        lambda: F.one_hot([0], 0),
        ArgumentError,
        "one_hot: num_classes must be at least 1, or -1 to read it from the labels, got 0.",
    ),
    (
        lambda: nn.CategoricalCrossEntropyLoss()([[2.0, -1.0]], [1]),
        ArgumentError,
        "categorical_cross_entropy: a probability is -1, below 0. For logits use CrossEntropyLoss, for several labels",
    ),
    (
        lambda: nn.CategoricalCrossEntropyLoss()([[0.5, 0.5]], [[1.0, 1.0]]),
        ArgumentError,
        "the target of categorical_cross_entropy: a row of probabilities sums to 2; it must be 1. For several labels",
    ),
    (
        lambda: nn.CategoricalCrossEntropyLoss()([[0.5, 0.5]], [2]),
        ArgumentError,
        "categorical_cross_entropy: target 2 is out of range for 2 classes (0 to 1).",
    ),
    (
        lambda: nn.CategoricalCrossEntropyLoss(weight=[1.0])([[0.5, 0.5]], [1]),
        ShapeError,
        "categorical_cross_entropy: weight has shape (1,); it needs one number for each of the 2 classes.",
    ),
    (
        lambda: nn.CategoricalCrossEntropyLoss()([[0.9, 0.8]], [1]),
        ArgumentError,
        "categorical_cross_entropy: a row of probabilities sums to 1.7; it must be 1. For logits use CrossEntropyLoss, "
        "for several labels per sample BCELoss. check=False takes them all the same.",
    ),
    (
        lambda: nn.KLDivLoss()([[0.5, 0.5]], [[0.5, 0.5]]),
        ArgumentError,
        "kl_div takes logarithms of probabilities, which are at most 0, got 0.5. Pass log_softmax(logits)",
    ),
    (
        lambda: nn.KLDivLoss(log_target=True)([[-0.5, -0.5]], [[0.5, 0.5]]),
        ArgumentError,
        "the target of kl_div, with log_target=True, takes logarithms of probabilities, which are at most 0, got 0.5.",
    ),
    (
        lambda: nn.KLDivLoss()([[-0.5, -0.5]], [[-0.7, -0.7]]),
        ArgumentError,
        "kl_div: the target holds probabilities, got -0.7. For their logarithms pass log_target=True.",
    ),
    (
        lambda: nn.KLDivLoss("each"),
        ArgumentError,
        "KLDivLoss: reduction must be 'mean', 'batchmean', 'sum' or 'none', got 'each'.",
    ),
    (lambda: F.kl_div([0.0], [1.0], "each"), ArgumentError, "kl_div: reduction must be 'mean', 'batchmean', 'sum' or"),
    (
        lambda: nn.CosineEmbeddingLoss()(ONES((2, 3)), ONES((2, 3)), [1, 0]),
        ArgumentError,
        "cosine_embedding_loss: targets are 1 (alike) and -1 (not), got 0. Pass 2 * same - 1.",
    ),
    (
        lambda: nn.CosineEmbeddingLoss()(ONES((2, 3)), ONES((2, 3)), [[1], [1]]),
        ShapeError,
        "cosine_embedding_loss got a target of shape (2, 1); it must be (2,), one per pair.",
    ),
    (
        lambda: nn.CosineEmbeddingLoss()(ONES((2, 3)), ONES((1, 3)), [1, 1]),
        ShapeError,
        "got input1 of shape (2, 3), input2 of shape (1, 3). They must be alike: (N, D), or (D,).",
    ),
    (lambda: F.cosine_embedding_loss(ONES(2), ONES(2), 1, reduction="all"), ArgumentError, "got 'all'."),
    (
        lambda: F.cosine_embedding_loss(ONES(2), ONES(2), 1, float("nan")),
        ArgumentError,
        "cosine_embedding_loss: margin must be a number, got nan.",
    ),
    (
        lambda: nn.TripletMarginLoss(margin=0.0)(ONES(2), ONES(2), ONES(2)),
        ArgumentError,
        "triplet_margin_loss: p and margin must be positive, got 2.0 and 0.0.",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), MESSAGES)
def test_messages_say_where_what_and_what_to_do(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_checks_can_be_left_out():
    assert nn.CategoricalCrossEntropyLoss(check=False)([[2.0, 1.0]], [1]).item() == 0
    assert nn.KLDivLoss("sum", check=False)([[0.5]], [[1.0]]).item() == -0.5
