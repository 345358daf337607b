"""Running statistics that are the mean over all batches (``momentum=None``), as PyTorch has them."""

import numpy as np
import pytest

import nn


def batches(shape):
    rng = np.random.default_rng(0)
    return [rng.normal(i, 1 + i, size=shape).astype(np.float32) for i in range(4)]


@pytest.mark.parametrize(
    ("kind", "shape"), [("BatchNorm1d", (6, 3)), ("BatchNorm1d", (6, 3, 4)), ("BatchNorm2d", (2, 3, 4, 5))]
)
def test_statistics_are_the_mean_over_all_batches(kind, shape):
    norm = getattr(nn, kind)(3, momentum=None)
    axes = (0, *range(2, len(shape)))
    for x in batches(shape):
        norm(x)
    np.testing.assert_allclose(norm.running_mean, np.mean([x.mean(axes) for x in batches(shape)], 0), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, np.mean([x.var(axes, ddof=1) for x in batches(shape)], 0), rtol=1e-5)
    norm.eval()(batches(shape)[0])
    assert int(norm.num_batches_tracked) == 4


def test_the_count_is_saved_and_has_no_say_in_evaluation():
    norm = nn.BatchNorm1d(3, momentum=None)
    for x in batches((6, 3)):
        norm(x)
    other = nn.BatchNorm1d(3, momentum=None)
    other.load_state_dict(norm.state_dict())
    for one in (norm, other):
        one(batches((6, 3))[1])
    np.testing.assert_array_equal(norm.running_var, other.running_var)
    assert "num_batches_tracked" not in nn.BatchNorm1d(3).state_dict()
    assert "num_batches_tracked" not in nn.BatchNorm1d(3, momentum=None, track_running_stats=False).state_dict()
    nn.BatchNorm1d(3, momentum=None, track_running_stats=False)(batches((6, 3))[0])


@pytest.mark.torch
def test_pytorch_has_the_same():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.BatchNorm1d(3, momentum=None), torch.nn.BatchNorm1d(3, momentum=None)
    for x in batches((6, 3)):
        np.testing.assert_allclose(ours(x).numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5)
    ours.load_state_dict(theirs.state_dict())
    for one, other in ((ours.running_mean, theirs.running_mean), (ours.running_var, theirs.running_var)):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-6)
    assert int(ours.num_batches_tracked) == int(theirs.num_batches_tracked) == 4


def test_a_run_with_such_statistics_resumes_exactly(tmp_path):
    def made():
        model = nn.Sequential(nn.BatchNorm1d(3, momentum=None), nn.Linear(3, 1, rng=0))
        return nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.01))

    x = batches((40, 3))[0]

    class Stop(nn.Callback):
        def on_batch_end(self, trainer):
            if trainer.step == 3:
                raise KeyboardInterrupt

    whole, cut, rest = made(), made(), made()
    cut.callbacks.append(Stop())
    fit = {"epochs": 2, "rng": 0, "batch_size": 8, "progress": False}
    whole.fit(x, x[:, :1], **fit)
    cut.fit(x, x[:, :1], **fit)
    cut.save(tmp_path / "cut.safetensors")
    rest.fit(x, x[:, :1], resume=tmp_path / "cut.safetensors", **fit)
    np.testing.assert_equal(rest.model.state_dict(), whole.model.state_dict())
    assert int(rest.model[0].num_batches_tracked) == 10
