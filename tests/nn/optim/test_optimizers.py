"""Optimizers: flat buffers, what they notice, groups, state; values known without PyTorch."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, InPlaceError, ShapeError
from nn.optim.flat import BLOCK

optim = nn.optim
KINDS = {
    "SGD": lambda ps: optim.SGD(ps, 0.1, momentum=0.9),
    "Adam": lambda ps: optim.Adam(ps, 0.1),
    "AdamW": lambda ps: optim.AdamW(ps, 0.1),
    "RMSprop": lambda ps: optim.RMSprop(ps, 0.1),
    "Adagrad": lambda ps: optim.Adagrad(ps, 0.1),
    "AMSGrad": lambda ps: optim.Adam(ps, 0.1, (0.9, 0.5), amsgrad=True),
    "NAdam": lambda ps: optim.NAdam(ps, 0.1, weight_decay=0.1),
    "RAdam": lambda ps: optim.RAdam(ps, 0.1, betas=(0.9, 0.8), weight_decay=0.1, decoupled_weight_decay=True),
    "Lion": lambda ps: optim.Lion(ps, 0.1, weight_decay=0.1),
}
kinds = pytest.mark.parametrize("kind", KINDS)

# The parameter 1, -2 after three steps with gradients (0.5, -1), (0.25, 2), (-3, 0.1), from PyTorch 2.13 in float64.
STORED = {
    "SGD": [1.117, -2.119],
    "Adam": [0.856395837386988, -1.96773768947828],
    "AdamW": [0.853691954344513, -1.96190697712381],
    "RMSprop": [0.534361014619235, -1.94026922346915],
    "Adagrad": [0.953586470937068, -1.99391038962188],
    "AMSGrad": [0.8481198828845202, -1.9585079936678034],
    "NAdam": [0.9450825357180828, -1.9753689322172707],  # PyTorch keeps its product of momenta in float32
    "RAdam": [0.972274190328219, -1.9401251916877063],
    "Lion": [0.873289, -2.041588],  # from its paper's program
}


def parameters(rng=0):
    rng = np.random.default_rng(rng)
    return [nn.Parameter(rng.normal(size=shape).astype(np.float32)) for shape in ((3, 2), (2,), (), (BLOCK + 5,), (0,))]


def give(ps, seed, skip=()):
    rng = np.random.default_rng(seed)
    for i, p in enumerate(ps):
        p.grad = None if i in skip else np.asarray(rng.normal(size=p.shape), np.float32)


@kinds
def test_stored_values(kind):
    p = nn.Parameter(np.array([1.0, -2.0]))
    optimizer = KINDS[kind]([p])
    for g in ([0.5, -1.0], [0.25, 2.0], [-3.0, 0.1]):
        p.grad = g
        optimizer.step()
    np.testing.assert_allclose(p.data, STORED[kind], rtol=1e-10)


@kinds
def test_parameters_live_in_one_buffer(kind):
    ps = parameters()
    KINDS[kind](ps)
    bases = {id(p.data.base) for p in ps if p.size}
    assert len(bases) == 1


@kinds
def test_blocks_do_not_change_the_result(kind, monkeypatch):
    results = []
    for block in (BLOCK, 700):
        monkeypatch.setattr("nn.optim.flat.BLOCK", block)
        ps = parameters()
        optimizer = KINDS[kind](ps)
        for step in range(5):
            give(ps, step, skip={1} if step % 2 else {2})
            optimizer.step()
        results.append([p.data.copy() for p in ps])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@kinds
def test_replaced_data_is_seen(kind):
    ps, qs = parameters(), parameters()
    a, b = KINDS[kind](ps), KINDS[kind](qs)
    for step in range(4):
        if step == 2:
            for p, q in zip(ps, qs, strict=True):
                p.data = np.ones(p.shape, np.float32)
                q.data[...] = 1
        for group in (ps, qs):
            give(group, step)
        a.step()
        b.step()
    for p, q in zip(ps, qs, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_a_graph_that_used_the_old_values_raises():
    w = nn.Parameter([2.0])
    loss = (w * w).sum()
    optimizer = optim.SGD([w], lr=0.1)
    w.grad = [1.0]
    optimizer.step()
    with pytest.raises(InPlaceError, match="was changed in place"):
        loss.backward()


def test_a_parameter_without_gradient_stays_and_its_graph_is_still_good():
    w, v = nn.Parameter([2.0]), nn.Parameter([3.0])
    optimizer = optim.Adam([w, v])
    loss = (w * w).sum()
    v.grad = [1.0]
    optimizer.step()
    assert w.data.tolist() == [2.0]
    loss.backward()
    assert w.grad.data.tolist() == [4.0]


def test_gradients_of_any_layout():
    p, q = nn.Parameter(np.zeros((2, 3))), nn.Parameter(np.zeros((2, 3)))
    g = np.arange(6.0).reshape(3, 2).T
    p.grad, q.grad = ag.Tensor(g, copy=False), ag.Tensor(np.ascontiguousarray(g))
    optim.SGD([p], lr=1.0).step()
    optim.SGD([q], lr=1.0).step()
    np.testing.assert_array_equal(p.data, -g)
    np.testing.assert_array_equal(q.data, -g)


def test_a_step_does_not_change_gradients():
    ps = parameters()
    optimizer = optim.Adam(ps, weight_decay=0.1)
    give(ps, 0)
    before = [p.grad.data.copy() for p in ps]
    optimizer.step()
    for p, g in zip(ps, before, strict=True):
        np.testing.assert_array_equal(p.grad.data, g)
    optimizer.zero_grad()
    assert all(p.grad is None for p in ps)


def test_mixed_dtypes():
    p, q = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2, np.float32))
    optimizer = optim.SGD([p, q], lr=0.5)
    p.grad, q.grad = [1.0, 1.0], [1.0, 1.0]
    optimizer.step()
    assert (p.dtype, q.dtype) == (np.float64, np.float32)
    assert p.data.tolist() == q.data.tolist() == [0.5, 0.5]


def test_two_optimizers_of_one_parameter():
    w = nn.Parameter([1.0])
    a, b = optim.SGD([w], lr=0.5), optim.SGD([w], lr=0.25)
    for optimizer in (a, b, a):
        w.grad = [1.0]
        optimizer.step()
    assert w.item() == -0.25


def test_learning_rates():
    a, b = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    assert optimizer.lr == [0.1, 0.5]
    a.grad, b.grad = [1.0], [1.0]
    optimizer.step()
    assert (round(a.item(), 6), b.item()) == (0.9, 0.5)
    optimizer.lr = 0.2
    assert optimizer.lr == 0.2
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, 0.2]
    optimizer.add_param_group({"params": [nn.Parameter([1.0])]})
    assert len(optimizer.param_groups) == 3


@kinds
def test_state_dict_continues_bit_for_bit(kind):
    ps = parameters()
    optimizer = KINDS[kind](ps)
    for step in range(3):
        give(ps, step, skip={1} if step == 1 else ())
        optimizer.step()
    qs = [nn.Parameter(p.data) for p in ps]
    other = KINDS[kind](qs)
    state = copy.deepcopy(optimizer.state_dict())
    other.load_state_dict(state)
    for step in range(3, 6):
        for group, o in ((ps, optimizer), (qs, other)):
            give(group, step)
            o.step()
    for p, q in zip(ps, qs, strict=True):
        assert p.data.tobytes() == q.data.tobytes()
    assert state["param_groups"][0]["params"] == [0, 1, 2, 3, 4]


def test_state_dict_holds_copies_under_the_names_of_pytorch():
    (p,) = ps = [nn.Parameter([1.0])]
    optimizer = optim.Adam(ps)
    assert optimizer.state_dict()["state"] == {}
    p.grad = [2.0]
    optimizer.step()
    entry = optimizer.state_dict()["state"][0]
    assert list(entry) == ["step", "exp_avg", "exp_avg_sq"]
    assert entry["step"] == 1
    assert entry["exp_avg"].tolist() == pytest.approx([0.2])
    entry["exp_avg"][...] = 9
    assert optimizer.state_dict()["state"][0]["exp_avg"].tolist() == pytest.approx([0.2])


def test_a_state_that_does_not_fit_changes_nothing():
    p, q = nn.Parameter([1.0, 2.0]), nn.Parameter([1.0])
    optimizer = optim.Adam([p, q], lr=0.5)
    p.grad, q.grad = [1.0, 1.0], [1.0]
    optimizer.step()
    before = optimizer.state_dict()
    bad = copy.deepcopy(before)
    bad["param_groups"][0]["lr"] = 7.0
    bad["state"][0]["exp_avg"] = np.zeros(3)
    del bad["state"][1]["exp_avg_sq"]
    with pytest.raises(ShapeError) as caught:
        optimizer.load_state_dict(bad)
    assert str(caught.value).splitlines() == [
        "Adam.load_state_dict changed nothing, as the state does not fit:",
        "  parameter 0: exp_avg has shape (3,), needs (2,)",
        "  parameter 1: exp_avg_sq is missing",
    ]
    assert optimizer.lr == 0.5
    with pytest.raises(ArgumentError, match=r"the state has groups of \[2\] parameters, the optimizer has \[1\]"):
        optim.Adam([p]).load_state_dict(before)
    with pytest.raises(ArgumentError, match="needs a dict with 'state' and 'param_groups'"):
        optimizer.load_state_dict({"state": {}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"maximize": True}, "Adam.load_state_dict: the state has maximize=True, which this optimizer does not do"),
        ({"decoupled_weight_decay": True}, "the state has decoupled_weight_decay=True"),
        ({"maximize": False, "foreach": True, "fused": None, "decoupled_weight_decay": False}, None),
    ],
)
def test_options_of_pytorch_count_or_are_refused(change, message):
    p = nn.Parameter([1.0])
    adam = optim.Adam([p])
    state = adam.state_dict()
    state["param_groups"][0].update(change, lr=0.5)
    if message is None:
        adam.load_state_dict(state)
        assert adam.lr == 0.5
        return
    with pytest.raises(ArgumentError, match=message):
        adam.load_state_dict(state)
    assert adam.lr == 1e-3


def test_a_state_that_its_own_options_do_not_fit_changes_nothing():
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    plain, heavy = optim.SGD([p], lr=0.1), optim.SGD([q], lr=0.2, momentum=0.9)
    q.grad = [1.0]
    heavy.step()
    plain.load_state_dict(heavy.state_dict())
    assert plain.state_dict()["state"][0]["momentum_buffer"].tolist() == [1.0]
    bad = heavy.state_dict()
    del bad["state"][0]["momentum_buffer"]
    other = optim.SGD([p], lr=0.1)
    with pytest.raises(ShapeError, match="parameter 0: momentum_buffer is missing"):
        other.load_state_dict(bad)
    assert (other.lr, other.param_groups[0]["momentum"]) == (0.1, 0.0)


def test_repr():
    assert repr(optim.Adam([nn.Parameter(np.zeros((40, 50)))], lr=0.1)) == (
        "Adam(lr=0.1, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, amsgrad=False)  # 2,000 parameters in 1 group(s)"
    )


def test_changed_dtype_is_an_error():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model.astype(np.float64)
    model([[1.0, 2.0]]).sum().backward()
    with pytest.raises(
        ArgumentError, match=r"parameter 0 'weight' was .* float32 .* float64 now. Make the optimizer after astype"
    ):
        optimizer.step()


W, M = nn.Parameter([1.0]), nn.Parameter([[1.0, 2.0]])


def with_group(change):
    sgd = optim.SGD([W])
    change(sgd.param_groups[0])
    return sgd


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optim.Adam([]), "Adam got no parameters. Pass model.parameters"),
        (lambda: optim.SGD([W, W], lr=1), r"SGD: parameter 1 of shape \(1,\) was given twice"),
        (lambda: optim.SGD([W * 2], lr=1), "SGD: parameter 0 is the result of an op; only leaves"),
        (lambda: optim.SGD([np.ones(2)], lr=1), "SGD: parameter 0 is ndarray; only leaves"),
        (lambda: optim.SGD([ag.Tensor([1, 2])], lr=1), "SGD: parameter 0 has dtype int64; only floating point"),
        (
            lambda: optim.SGD([{"params": [W], "beta": 1}], lr=1),
            "SGD: a group needs 'params' and may set lr, .*; got 'params', 'beta'",
        ),
        (
            lambda: setattr(optim.SGD([W]), "learning_rate", 0.5),
            r"SGD.learning_rate has no effect: set SGD.lr, or param_groups\[i\]\['lr'\] for one group",
        ),
        (
            lambda: setattr(optim.Adam([W]), "momentum", 0.9),
            "Adam.momentum has no effect: Adam has no momentum.",
        ),
        (lambda: optim.Adam(nn.Linear(1, 1)), r"Adam got Linear, which lists none. Pass model.parameters\(\)"),
        (
            lambda: setattr(optim.SGD([W]), "momentum", 0.9),
            r"SGD.momentum has no effect: set it in the groups, as in .*: group\['momentum'\] = 0.9",
        ),
        (lambda: with_group(lambda g: g.update(learning_rate=1)).step(), "a group needs 'params' and may set lr, mom"),
        (lambda: with_group(lambda g: g.pop("momentum")).step(), "a group needs 'params' and may set lr, momentum"),
        (
            lambda: with_group(lambda g: g.update(params=[W])).step(),
            "the parameters of a group were replaced, which has no effect. Use add_p",
        ),
        (
            lambda: (sgd := optim.SGD([W])).param_groups.append(sgd.param_groups[0]) or sgd.step(),
            "SGD: there are 2 groups, of which 1 were given. Use add_param_group",
        ),
        (lambda: optim.SGD([W], lr=-1), "SGD: lr must not be negative, got -1"),
        (lambda: optim.Adam([W], weight_decay=float("nan")), "Adam: weight_decay must not be negative, got nan"),
        (lambda: optim.Adam([W], betas=(0.9, 1.0)), r"Adam: betas must be two numbers in \[0, 1\), got \(0.9, 1.0\)"),
        (lambda: optim.SGD([W], lr=1, nesterov=True), "SGD: nesterov=True needs momentum > 0 and dampening = 0"),
        (lambda: setattr(optim.SGD([W]), "lr", -0.5), "SGD: lr must not be negative, got -0.5"),
        (lambda: optim.clip_grad_value([W], -1.0), "clip_grad_value: clip_value must not be negative, got -1.0"),
        (lambda: optim.Muon([W]), r"Muon: a parameter has shape \(1,\); only matrices can be orthogonalized."),
        (
            lambda: optim.Muon([M], adjust_lr_fn="rms"),
            "Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', got 'rms'",
        ),
        (lambda: optim.Muon([M], ns_coefficients=(1, 2)), r"Muon: ns_coefficients must be three numbers, got \(1, 2\)"),
        (
            lambda: optim.LBFGS([W], line_search_fn="armijo"),
            "LBFGS: line_search_fn must be None or 'strong_wolfe', got 'armijo'",
        ),
        (lambda: optim.LBFGS([{"params": [W]}, {"params": [M]}]), "LBFGS: its direction is one for all parameters"),
        (lambda: optim.LBFGS([W]).step(), r"LBFGS.step needs a closure, .* def closure\(\): optimizer.zero_grad\(\)"),
        (lambda: optim.LBFGS([W]).step(lambda: None), "LBFGS.step: the closure gave None; let it return the loss"),
        (
            lambda: optim.clip_grad_norm([W], -1.0),
            "clip_grad_norm: max_norm must not be negative and norm_type positive, got -1.0 and 2.0",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_clipping_leaves_what_is_not_finite_and_shares_nothing():
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    shared = ag.Tensor([3.0])
    p.grad, q.grad = shared, shared
    assert optim.clip_grad_norm([p, q], 1.0) == pytest.approx(18**0.5)
    assert shared.item() == 3.0
    assert p.grad.item() == q.grad.item() == pytest.approx(0.5**0.5, rel=1e-5)
    p.grad = [np.inf]
    assert optim.clip_grad_norm([p, q], 1.0) == np.inf
    assert q.grad.item() == pytest.approx(0.5**0.5, rel=1e-5)
    assert optim.clip_grad_norm([], 1.0) == 0.0


def test_momentum_switched_on_later():
    p, q = nn.Parameter([1.0]), nn.Parameter([1.0])
    late, early = optim.SGD([p], lr=0.1), optim.SGD([q], lr=0.1)
    for step in range(4):
        if step == 1:
            late.param_groups[0]["momentum"] = 0.9
            q.data, early = np.float32(q.data), optim.SGD([q], lr=0.1, momentum=0.9)
        for x, optimizer in ((p, late), (q, early)):
            x.grad = [1.0]
            optimizer.step()
    assert p.item() == q.item()


@kinds
def test_states_of_what_has_no_gradient_any_more_become_zero(kind):
    """Not subnormal, where they would stay: then each step takes several times as long."""
    p = nn.Parameter(np.ones((2, 40), np.float32))
    optimizer = KINDS[kind]([p])
    for step in range(2048):
        p.grad = np.full(p.shape, [[0.0 if step else 1e-32], [1e-3]], np.float32)
        optimizer.step()
    states = [x for x in optimizer.state_dict()["state"][0].values() if np.ndim(x)]
    small = any(np.any((x != 0) & (np.abs(x) < np.finfo("f4").smallest_normal)) for x in states)
    assert small is not optimizer.fades


@pytest.mark.parametrize("eps", [0.0, 1e-8])
def test_the_smallest_gradients_count_where_eps_does_not_hide_them(eps):
    p = nn.Parameter(np.ones(2, np.float32))
    optimizer = optim.Adam([p], lr=0.001, eps=eps)
    for _ in range(200):
        p.grad = np.full(2, 1e-20, np.float32)
        optimizer.step()
    np.testing.assert_allclose(p.data, 1.0 if eps else 0.8, rtol=1e-3)


def test_an_interrupted_step_is_noticed_too(monkeypatch):
    w = nn.Parameter([2.0])
    optimizer = optim.SGD([w], lr=0.1)
    loss = (w * w).sum()
    w.grad = [1.0]
    monkeypatch.setattr(optimizer, "update", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    with pytest.raises(InPlaceError):
        loss.backward()


@kinds
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))], ids=["copy", "pickle"])
def test_a_copy_goes_on_like_the_original(kind, copied):
    """Its parameters are views on a buffer of its own, which its steps change."""
    ps = parameters()
    optimizer = KINDS[kind](ps)
    give(ps, 1)
    optimizer.step()
    others, other = copied((ps, optimizer))
    for each, stepper in ((ps, optimizer), (others, other)):
        give(each, 2)
        stepper.step()
    for a, b in zip(ps, others, strict=True):
        assert np.array_equal(a.data, b.data)
        assert not np.shares_memory(a.data, b.data)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e-3, 1.0, 1e19, 1e20, 1e38])
def test_clipping_is_right_at_every_scale(scale, dtype, norm_type):
    """Squares of 1e20 overflow in float32, and those of 1e-30 vanish."""
    unit = [np.array([3.0, -4.0, 0.5]), np.array([[1.0], [2.0]])]
    params = [nn.Parameter(np.ones(g.shape, dtype)) for g in unit]
    for p, g in zip(params, unit, strict=True):
        p.grad = (g * (scale / 4)).astype(dtype)
    expected = float(np.linalg.norm(np.concatenate([g.ravel() for g in unit]), norm_type))
    norm = optim.clip_grad_norm(params, 0.5 * scale / 4, norm_type)
    assert norm == pytest.approx(expected * scale / 4, rel=1e-5)
    if scale >= 1e-3:
        for p, g in zip(params, unit, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), g * (scale / 4) * 0.5 / expected, rtol=1e-3)
    if scale > 1:
        optim.clip_grad_norm(params, 1.0, norm_type)
        left = np.concatenate([p.grad.numpy().ravel().astype(float) for p in params])
        assert np.linalg.norm(left, norm_type) == pytest.approx(1.0, rel=1e-4)
    assert all(p.grad.dtype == dtype for p in params)


def test_what_overflows_is_clipped():
    p = nn.Parameter(np.ones(4, "f"))
    p.grad = np.full(4, 1e20, "f")
    assert optim.clip_grad_norm([p], 1.0) == pytest.approx(2e20)
    np.testing.assert_allclose(p.grad.numpy(), 0.5, rtol=1e-6)
