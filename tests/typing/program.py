# pyright: strict
"""What a user writes, with the types that an editor has to know: both checkers read it, and it runs.

NumPy's functions are typed by NumPy: a ufunc of a Tensor (``np.tanh(x)``) is Any there, and a function that is no ufunc
(``np.stack``) does not know that Tensors are welcome. Its arguments are then handed over as Any.
"""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import autograd as ag
import nn
from autograd import Tensor

# ------------------------------------------------------------------------------------------------- operators, methods

x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="x")
y = ag.Tensor(np.eye(2))

assert_type(x * 2, Tensor)
assert_type(2 - x, Tensor)
assert_type(x @ y, Tensor)
assert_type(-(x**2) / 3.0, Tensor)
assert_type(abs(x), Tensor)
assert_type(x.sum(), Tensor)
assert_type(x.sum(axis=0, keepdims=True).mean(), Tensor)
assert_type(x.reshape(4).T, Tensor)
assert_type(x.reshape((1, 4)).max(axis=1), Tensor)
assert_type(x[0], Tensor)
assert_type(x[:, None].transpose(1, 0, 2), Tensor)
assert_type([row.exp() for row in x], list[Tensor])
assert_type(x > 0, NDArray[np.bool])
assert_type(x.astype(np.float32), Tensor)
assert_type(x.detach(), Tensor)
assert_type(x.data, NDArray[Any])
assert_type(x.numpy(), NDArray[Any])
assert_type(x.grad, Tensor | None)
assert_type(x.shape, tuple[int, ...])
assert_type(x.argsort(), NDArray[np.intp])
z = x.copy()
z += 1
assert_type(z, Tensor)

np.tanh(x).sum().backward()
np.exp(x * 2).sum().backward(retain_graph=True)
rows: Any = [x[0], x[1]]
np.stack(rows).sum().backward()

# ---------------------------------------------------------------------------------------------------------- functions

assert_type(ag.relu(x), Tensor)
assert_type(ag.relu(x.numpy()), NDArray[Any])
assert_type(ag.relu(0.5), float)
assert_type(ag.softmax(x, axis=0), Tensor)
assert_type(ag.gelu(nn.Parameter([1.0]), approximate="tanh"), Tensor)
assert_type(ag.logsumexp(x, axis=(0, 1), keepdims=True), Tensor)


def energy(position: NDArray[np.float64], mass: float = 1.0) -> Any:
    return mass * np.square(position).sum() / 2


assert_type(ag.grad(energy)(np.ones(2), mass=2.0), Any)
assert_type(ag.value_and_grad(energy)(np.ones(2)), tuple[Any, Any])
assert_type(ag.jacobian(np.tanh)(np.ones(2)), Any)
assert_type(ag.hessian(energy)(np.ones(2)), Any)
assert_type(ag.grad(np.tanh)(0.5), Any)
assert_type(ag.hvp(energy)(np.ones(2), np.ones(2)), Any)
value, pullback = ag.vjp(energy, np.ones(2))
pullback(1.0)


def block(t: Tensor) -> Tensor:
    return (t * t).exp()


assert_type(ag.checkpoint(block)(y), Tensor)
assert_type(ag.compile(block)(y), Tensor)
assert_type(ag.compile(block).program(y).source, str)


@ag.no_grad()
def predict(t: Tensor) -> Tensor:
    return block(t)


assert_type(predict(x), Tensor)
with ag.no_grad():
    assert_type(ag.is_grad_enabled(), bool)


def cubed(x: Any) -> Any:
    return x**3


def slope(g: Any, x: Any) -> Any:
    return 3 * g * x**2


cube = ag.op(cubed, vjp=slope, elementwise=True)
cube(x).sum().backward()
ag.check_grads(np.tanh, y)

# ----------------------------------------------------------------------------------------------------------- pictures

w = Tensor(0.6, requires_grad=True)
root = w * w
picture = ag.draw(root, names={"w": w})
assert_type(picture.source, str)
assert_type(ag.explain(root, w).paths[0].share, float)
assert_type(ag.replay(root).html, str)
assert_type(ag.why_none(y, root).text, str)

# ------------------------------------------------------------------------------------------------------------- models


class Gate(nn.Module):
    """Weigh features between 0 and 1."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features, rng=0)
        self.scale = nn.Parameter(1.0)

    def forward(self, x: Tensor, *, sharp: bool = False) -> Tensor:
        return self.scale * ag.sigmoid(self.linear(x) * (10 if sharp else 1)) * x


gate = Gate(2)
assert_type(gate(y, sharp=True), Tensor)
assert_type(gate.linear.weight, nn.Parameter)
assert_type(gate.scale.grad, Tensor | None)

model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.ReLU(), nn.Linear(8, 1, rng=0))
assert_type(model([[0.5, -1.0]]), Tensor)
assert_type(nn.MLP(2, [4, 1], rng=0)(y), Tensor)
assert_type(nn.Conv2d(1, 2, 3, rng=0)(np.ones((1, 1, 5, 5))), Tensor)
assert_type(nn.LSTM(2, 3, rng=0)(np.ones((4, 1, 2))), tuple[Tensor, tuple[Tensor, Tensor]])
assert_type(nn.GRU(2, 3, rng=0)(np.ones((4, 1, 2))), tuple[Tensor, Tensor])
assert_type(model.train().eval(), nn.Sequential)
assert_type(dict(model.named_parameters()), dict[str, nn.Parameter])
assert_type(model.state_dict(), dict[str, NDArray[Any]])

criterion = nn.MSELoss()
optimizer = nn.optim.Adam(model.parameters(), lr=1e-2)
schedule = nn.optim.StepLR(optimizer, step_size=5)
for _ in range(3):
    loss = criterion(model(y), np.ones((2, 1)))
    assert_type(loss, Tensor)
    assert_type(loss.item(), Any)
    optimizer.zero_grad()
    loss.backward()
    nn.optim.clip_grad_norm(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()

trainer = nn.Trainer(model, nn.MSELoss(), optimizer, callbacks=[nn.EarlyStopping(monitor="loss")])
history = trainer.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, rng=0, progress=False)
assert_type(history, nn.History)
