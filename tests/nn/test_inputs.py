"""What layers, losses, metrics and files read: masked arrays are refused wherever they come in, sparse ones named."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import AutogradError, DTypeError

F = nn.functional
MASK = np.eye(2, dtype=bool)
SQUARE, LABELS = np.ma.masked_array(np.ones((2, 2), "f"), MASK), np.ma.masked_array([0, 1], [True, False])
ONES = np.ones((2, 2), np.float32)


def still(loss=None):
    model = nn.Linear(2, 2, rng=0)
    return nn.Trainer(model, loss or nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.0))


def set_data():
    nn.Parameter(ONES).data = SQUARE


def set_grad():
    nn.Parameter(ONES).grad = SQUARE


def export(tmp_path):
    nn.onnx.export(nn.Linear(2, 2, rng=0), SQUARE, tmp_path / "model.onnx")


MASKED = {
    "a Tensor": lambda: ag.Tensor(SQUARE),
    "a Parameter": lambda: nn.Parameter(SQUARE),
    "values": set_data,
    "a gradient": set_grad,
    "a state": lambda: nn.Linear(2, 2).load_state_dict({"weight": SQUARE, "bias": [0.0, 0.0]}),
    "a layer": lambda: nn.Linear(2, 2)(SQUARE),
    "a layer of another dtype": lambda: nn.Linear(2, 2)(SQUARE.astype(float)),
    "rows of a list": lambda: nn.Linear(2, 2)([SQUARE[0], SQUARE[1]]),
    "an activation": lambda: nn.GELU()(SQUARE),
    "a normalization": lambda: nn.BatchNorm1d(2)(SQUARE),
    "a convolution": lambda: nn.Conv1d(2, 1, 1)(SQUARE),
    "labels of an embedding": lambda: nn.Embedding(3, 2)(LABELS),
    "labels of its function": lambda: F.embedding(LABELS, ONES),
    "a table": lambda: nn.Embedding.from_pretrained(SQUARE),
    "one-hot labels": lambda: F.one_hot(LABELS, 2),
    "a sequence": lambda: nn.GRU(2, 2)(SQUARE),
    "its lengths": lambda: nn.GRU(2, 2, batch_first=True)(np.ones((2, 3, 2)), lengths=LABELS + 1),
    "its first state": lambda: nn.GRU(2, 2)(ONES, SQUARE[:1]),
    "attention": lambda: nn.MultiheadAttention(2, 1)(SQUARE, ONES, ONES),
    "its mask": lambda: F.scaled_dot_product_attention(ONES, ONES, ONES, attn_mask=SQUARE),
    "its mask of truth values": lambda: F.scaled_dot_product_attention(ONES, ONES, ONES, attn_mask=SQUARE > 0),
    "outputs of a loss": lambda: nn.MSELoss()(SQUARE, ONES),
    "targets": lambda: nn.MSELoss()(ONES, SQUARE),
    "classes": lambda: nn.CrossEntropyLoss()(ONES, LABELS),
    "weights of classes": lambda: nn.CrossEntropyLoss(weight=SQUARE[0]),
    "weights of positives": lambda: nn.BCEWithLogitsLoss(pos_weight=SQUARE[0]),
    "weights in a function": lambda: F.cross_entropy(ONES, [0, 1], weight=SQUARE[0]),
    "a metric": lambda: nn.metrics.accuracy([0, 1], LABELS),
    "fit: x": lambda: still().fit(SQUARE, ONES, progress=False),
    "fit: y": lambda: still().fit(ONES, SQUARE, progress=False),
    "fit: weights": lambda: still().fit(ONES, ONES, sample_weight=LABELS + 1, progress=False),
    "fit: class weights": lambda: still(nn.CrossEntropyLoss()).fit(
        ONES, [0, 1], class_weight=SQUARE[0], progress=False
    ),
    "fit: batches": lambda: still().fit([(SQUARE, ONES)], progress=False),
    "evaluate": lambda: still().evaluate(ONES, SQUARE),
    "predict": lambda: still().predict(SQUARE),
    "predict: batches": lambda: still().predict(iter([SQUARE])),
    "train_on_batch": lambda: still().train_on_batch(SQUARE, ONES),
}


@pytest.mark.parametrize("name", MASKED)
def test_what_lies_under_a_mask_is_never_read(name):
    with pytest.raises(AutogradError, match=r"mask would be lost|masked values, and what lies under a mask"):
        MASKED[name]()


def test_nor_by_the_export(tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(AutogradError, match=r"onnx.export: example_input has masked values"):
        export(tmp_path)


def test_a_mask_that_hides_nothing_is_no_mask():
    x = np.ma.masked_array(ONES, False)
    assert nn.Linear(2, 2)(x).shape == (2, 2)
    assert still().evaluate(x, x)["loss"] == still().evaluate(ONES, ONES)["loss"]


def test_a_layer_names_a_sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    for kind in (sparse.csr_matrix, sparse.coo_array):
        with pytest.raises(DTypeError, match=r"Linear: x is a sparse matrix. Pass x.toarray\(\); a Trainer reads"):
            nn.Linear(2, 2)(kind(ONES))
