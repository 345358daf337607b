"""Parts of a Trainer: what learns is held by model and optimizer, options can be what they are set to, or an error."""

import dataclasses

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, ShapeError
from nn import parts

X = np.random.default_rng(0).standard_normal((8, 3)).astype("f4")
Y = X[:, :1]


def fit(model, loss=None, optimizer=None, **options):
    optimizer = optimizer or nn.optim.SGD(model.parameters(), lr=0.1)
    return nn.Trainer(model, loss or nn.MSELoss(), optimizer, **options).fit(X, Y, rng=0, progress=False)


# ------------------------------------------------------------------------------------ parameters that nobody would see


class Helper:
    """Be an object of the user's own with a layer in it, which no module looks into."""

    def __init__(self):
        self.layer = nn.Linear(3, 3, rng=1)


class Hiding(nn.Module):
    """Use a layer that is kept where nobody looks for one."""

    def __init__(self, hidden):
        self.head = nn.Linear(3, 1, rng=0)
        self.hidden = hidden

    def forward(self, x):
        return self.head(self.hidden(x))


def in_an_object():
    helper = Helper()
    return lambda x: helper.layer(x)


def in_a_closure():
    layer = nn.Linear(3, 3, rng=1)
    return lambda x: layer(x)


def in_a_default():
    return lambda x, layer=nn.Linear(3, 3, rng=1): layer(x)  # noqa: B008


def as_a_bound_method():
    return Helper().layer.forward


def as_a_weight():
    weight = nn.Parameter(np.eye(3), name="weight")
    return lambda x: x @ weight


def made_in_forward():
    return lambda x: nn.Linear(3, 3, rng=1)(x)


@pytest.mark.parametrize("compile", [False, "auto"])
@pytest.mark.parametrize(
    "hidden", [in_an_object, in_a_closure, in_a_default, as_a_bound_method, as_a_weight, made_in_forward]
)
def test_what_learns_is_part_of_the_model(hidden, compile):
    model = Hiding(hidden())
    before = model.head.weight.numpy().copy()
    with pytest.raises(
        ArgumentError, match=r"outputs depend on parameters that neither .*: 'weight' of shape \(3, 3\)"
    ):
        fit(model, compile=compile)
    assert np.array_equal(before, model.head.weight.numpy())
    trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(ArgumentError, match="Make their module an attribute of the model, or of a list or dict in it"):
        trainer.train_on_batch(X, Y)


@pytest.mark.parametrize("compile", [False, "auto"])
def test_a_layer_made_in_the_first_forward_is_not_the_optimizers(compile):
    class Late(nn.Module):
        def __init__(self):
            self.body, self.head = nn.Linear(3, 3, rng=0), None

        def forward(self, x):
            if self.head is None:
                self.head = nn.Linear(3, 1, rng=1)
            return self.head(self.body(x))

    model = Late()
    with pytest.raises(
        ArgumentError, match=r"does not have the parameters head\.weight, head\.bias, which would never"
    ):
        fit(model, compile=compile)
    fit(model, compile=compile)  # the optimizer is made anew


def test_a_frozen_dataclass_has_a_mode():
    @dataclasses.dataclass(frozen=True)
    class Frozen(nn.Module):
        layer: nn.Module

        def forward(self, x):
            return self.layer(x)

    model = Frozen(nn.Linear(3, 1, rng=0))
    assert not model.eval().training
    fit(model)
    assert not model.training


def test_hidden_layers_that_do_not_learn_are_nobodys_business():
    frozen = nn.Linear(3, 3, rng=1).requires_grad_(False)
    assert fit(Hiding(lambda x: frozen(x))).epochs == 1
    layer = nn.Linear(3, 3, rng=1)
    model = Hiding(lambda x: layer(x))
    optimizer = nn.optim.SGD([*model.parameters(), *layer.parameters()], lr=0.1)
    before = layer.weight.numpy().copy()
    fit(model, optimizer=optimizer)
    assert not np.array_equal(before, layer.weight.numpy())


def test_many_are_counted_and_each_output_is_looked_at():
    layers = [nn.Linear(3, 3, rng=i) for i in range(3)]

    class Two(nn.Module):
        def __init__(self):
            self.head = nn.Linear(3, 1, rng=0)

        def forward(self, x):
            z = x
            for layer in hidden:
                z = layer(z)
            return self.head(x), self.head(z)

    hidden = tuple(layers)
    with pytest.raises(ArgumentError, match=r"and 2 more\. They would never change"):
        fit(Two(), lambda output, target: nn.functional.mse_loss(output[0], target))


class Learning(nn.Module):
    """Measure by a loss that has a parameter of its own, as uncertainties are learnt (Kendall et al. 2018)."""

    def __init__(self):
        self.log_variance = nn.Parameter(0.0)

    def forward(self, output, target):
        return nn.functional.mse_loss(output, target) * np.exp(-self.log_variance) + self.log_variance


def test_parameters_of_a_loss_learn_or_are_refused():
    model, loss = nn.Linear(3, 1, rng=0), Learning()
    with pytest.raises(ArgumentError, match=r"loss.log_variance, .* with \[\*model.parameters\(\), \*loss.parameters"):
        fit(model, loss)
    fit(model, loss, nn.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1))
    assert loss.log_variance.item() != 0


# ------------------------------------------------------------------------------------------------------------- options


def made(**options):
    model = nn.Linear(3, 1, rng=0)
    return nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.1), **options)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("accumulate", 0, "accumulate must be at least 1, got 0"),
        ("accumulate", -1, "accumulate must be at least 1, got -1"),
        ("accumulate", 1.5, "accumulate must be a whole number, got 1.5"),
        ("accumulate", True, "accumulate must be a whole number, got True"),
        ("accumulate", "2", "accumulate must be a whole number, got '2'"),
        ("accumulate", None, "accumulate must be a whole number, got None"),
        ("clip_grad_norm", -1.0, "clip_grad_norm must be None or a number that is not negative, got -1.0"),
        ("clip_grad_norm", np.nan, "clip_grad_norm must be None or a number that is not negative, got nan"),
        ("clip_grad_norm", "1", "clip_grad_norm must be .*, got '1'"),
    ],
)
def test_an_option_is_looked_at_when_it_is_set(name, value, message):
    with pytest.raises(ArgumentError, match=message):
        made(**{name: value})
    with pytest.raises(ArgumentError, match=message):
        setattr(made(), name, value)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("max_epochs", "pass it to fit"),
        ("validation_data", "pass it to fit"),
        ("gradient_clip_val", "set trainer.clip_grad_norm"),
        ("max_norm", "set trainer.clip_grad_norm"),
        ("gradient_accumulation_steps", "set trainer.accumulate"),
        ("accumulate_grad_batches", "set trainer.accumulate"),
    ],
)
def test_an_option_of_another_library_is_told_where_it_is(name, advice):
    with pytest.raises(ArgumentError, match=f"Trainer.{name} has no effect: {advice}"):
        setattr(made(), name, 3)


def test_options_set_later_count():
    trainer = made()
    trainer.accumulate, trainer.clip_grad_norm = 2, 0.0
    before = trainer.model.weight.numpy().copy()
    trainer.fit(X, Y, batch_size=2, progress=False)
    assert trainer.step == 2
    assert np.array_equal(before, trainer.model.weight.numpy())


def test_a_schedule_of_another_optimizer_is_refused():
    trainer = made()
    schedule = nn.optim.StepLR(nn.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0), 1)
    trainer.callbacks = [nn.LRSchedule(schedule)]
    with pytest.raises(ArgumentError, match="learning rates of another optimizer than the Trainer's"):
        trainer.fit(X, Y, progress=False)
    trainer.callbacks = [nn.LRSchedule(nn.optim.StepLR(trainer.optimizer, 1))]
    trainer.optimizer = nn.optim.Adam(trainer.model.parameters())
    with pytest.raises(ArgumentError, match="Make it with the Trainer's optimizer"):
        trainer.fit(X, Y, progress=False)


def test_ctrl_c_in_the_beginning_ends_the_run_as_anywhere_else():
    class Stop(nn.Callback):
        def on_fit_start(self, trainer):
            raise KeyboardInterrupt

    trainer = made(callbacks=[Stop()])
    assert trainer.fit(X, Y, progress=False).interrupted
    assert trainer.step == 0


# ---------------------------------------------------------------------------------------------------- names as strings


@pytest.mark.parametrize("name", sorted(parts.OPTIMIZERS))
def test_an_optimizer_by_name_learns(name):
    model = nn.Linear(3, 1, rng=0)
    history = nn.Trainer(model, "mse", name.upper()).fit(X, Y, epochs=50, rng=0, progress=False)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("name", sorted(parts.OPTIMIZERS))
def test_the_same_names_serve_estimators(name):
    estimators = pytest.importorskip("nn.sklearn")
    fitted = estimators.NNRegressor((), epochs=2, lr=0.01, weight_decay=0.01, optimizer=name, random_state=0).fit(X, Y)
    assert np.isfinite(fitted.predict(X)).all()


def test_optimizers_that_a_trainer_cannot_step():
    model = nn.Linear(3, 1, rng=0)
    for name in ("lbfgs", "muon"):
        with pytest.raises(ArgumentError, match=f"Trainer: unknown optimizer '{name}'.* Known are adagrad, adam, "):
            nn.Trainer(model, "mse", name)
    with pytest.raises(ArgumentError, match=r"LBFGS computes the loss several times .*step\(closure\) in a loop"):
        nn.Trainer(model, "mse", nn.optim.LBFGS(model.parameters()))


# ---------------------------------------------------------------------------------------------------- arguments of fit


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shuffle": "batch"}, "fit: shuffle must be True or False, got 'batch'"),
        ({"shuffle": None}, "fit: shuffle must be True or False, got None"),
        ({"drop_last": "no"}, "fit: drop_last must be True or False, got 'no'"),
        ({"epochs": True}, "fit: epochs must be a whole number, got True"),
        ({"epochs": 1.0}, "fit: epochs must be a whole number, got 1.0"),
        ({"batch_size": True}, "fit: batch_size must be a whole number, got True"),
        ({"batch_size": "8"}, "Trainer.fit: batch_size must be a whole number or None, got '8'"),
        ({"validation_split": "0.2"}, "Trainer.fit: validation_split must be a number, got '0.2'"),
        ({"validation_split": None}, "Trainer.fit: validation_split must be a number, got None"),
        ({"validation_split": 0.25, "validation_data": (X, Y)}, "Pass one of them"),
        ({"rng": "seed"}, "rng must be a Generator, a whole number, 0 or more, or None: "),
        ({"rng": -1}, "rng must be a Generator, a whole number, 0 or more, or None: "),
        ({"resume": 3}, "fit: resume must be None, 'auto' or the path of a file, got 3"),
        ({"resume": True}, "fit: resume must be None, 'auto' or the path of a file, got True"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    trainer = made()
    with pytest.raises(ArgumentError, match=message):
        trainer.fit(X, Y, **{"progress": False, **arguments})
    assert trainer.step == 0
    trainer.fit(X, Y, progress=False)  # what was refused leaves nothing behind


class InTheMiddle(nn.Callback):
    """Do something with the Trainer after a batch."""

    def __init__(self, act):
        self.act = act

    def on_batch_end(self, trainer):
        self.act(trainer)


@pytest.mark.parametrize(
    "act", [lambda t: t.fit(X, Y, progress=False), lambda t: t.train_on_batch(X, Y)], ids=["fit", "train_on_batch"]
)
def test_a_fit_in_the_middle_of_a_fit_is_refused(act):
    trainer = made(callbacks=[InTheMiddle(act)])
    with pytest.raises(ArgumentError, match=r"this Trainer is in the middle of a fit. Call it when that has ended"):
        trainer.fit(X, Y, progress=False)
    trainer.callbacks = []
    act(trainer)


@pytest.mark.parametrize("accumulate", [1, 2, 3])
def test_looking_in_the_middle_changes_nothing(accumulate):
    def look(trainer):
        trainer.evaluate(X, Y)
        trainer.predict(X)
        nn.functional.mse_loss(trainer.model(X), -Y).backward()

    results = []
    for callbacks in ([], [InTheMiddle(look)]):
        trainer = made(accumulate=accumulate, callbacks=callbacks)
        trainer.fit(X, Y, batch_size=2, rng=0, epochs=2, progress=False)
        results.append(trainer.model.weight.numpy().copy())
    assert np.array_equal(*results)


def test_what_is_given_twice():
    stopping = nn.EarlyStopping(monitor="loss")
    with pytest.raises(ArgumentError, match="the callback is given twice, and would do everything twice"):
        made(callbacks=[stopping, stopping])
    model = nn.Linear(3, 1, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    schedule = nn.optim.StepLR(optimizer, 1)
    with pytest.raises(ArgumentError, match="the schedule of a LRSchedule is given twice"):
        nn.Trainer(model, nn.MSELoss(), optimizer, callbacks=[nn.LRSchedule(schedule), nn.LRSchedule(schedule)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.EarlyStopping(patience=-1), "EarlyStopping: patience must be at least 0, got -1"),
        (lambda: nn.EarlyStopping(patience=1.5), "EarlyStopping: patience must be a whole number, got 1.5"),
        (lambda: nn.EarlyStopping(patience="2"), "EarlyStopping: patience must be a whole number, got '2'"),
        (lambda: nn.ModelCheckpoint("c", keep=0), "ModelCheckpoint: keep must be at least 1, got 0"),
        (lambda: nn.ModelCheckpoint("c", keep="3"), "ModelCheckpoint: keep must be a whole number, got '3'"),
        (lambda: nn.ModelCheckpoint("c", every_steps=0), "ModelCheckpoint: every_steps must be at least 1, got 0"),
        (lambda: made(metrics={"val_loss": "mae"}), "metric name 'val_loss' starts as those of the validation data do"),
        (lambda: made(metrics=["acc"]), "unknown metric 'acc'. Did you mean 'accuracy'"),
    ],
)
def test_parts_that_cannot_be(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize("output", [lambda z: z.sum(), lambda z: 3.0])
def test_one_value_for_many_samples(output):
    class Odd(nn.Module):
        def __init__(self):
            self.line = nn.Linear(3, 1, rng=0)

        def forward(self, x):
            return output(self.line(x))

    model = Odd()
    with pytest.raises(
        ShapeError, match=r"the model gives one value for 8 samples: .* stand along axis 0 of an output"
    ):
        nn.Trainer(model, nn.MSELoss(), "sgd").predict(X)


def test_a_loss_may_go_through_another_network():
    """A generator learns by what a discriminator says, which has a Trainer of its own."""
    judge = nn.Linear(1, 1, rng=3)
    before = judge.weight.numpy().copy()
    for compile in (False, "auto"):
        generator = nn.Linear(3, 1, rng=0)
        start = generator.weight.numpy().copy()

        def loss(output, target):
            return nn.functional.binary_cross_entropy_with_logits(judge(output), target)

        trainer = nn.Trainer(generator, loss, "sgd", outputs="numbers", compile=compile)
        trainer.fit(X, np.ones((8, 1)), progress=False)
        assert not np.array_equal(start, generator.weight.numpy())
        assert np.array_equal(before, judge.weight.numpy())


def test_the_model_of_a_trainer_stays():
    trainer = made()
    with pytest.raises(ArgumentError, match=r"Trainer.model cannot be replaced, as all parts go by it"):
        trainer.model = nn.Linear(3, 1, rng=0)
