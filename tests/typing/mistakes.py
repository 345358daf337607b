# pyright: strict
"""What a checker has to refuse: each line that ends in ``# error`` is one, and no other line is."""

import numpy as np

import autograd as ag
import nn
from autograd import softplus_, Tensor  # error
from nn import Lineear  # error

x = Tensor([1.0], requires_grad=True)
ag.draww(x)  # error
ag.drawing  # error
ag.tensor([1.0])  # error
nn.Liner(2, 3)  # error
nn.optim.Adamm([x])  # error
nn.functional.crossentropy  # error
x.bacward()  # error
x.unsqueeze(0)  # error
x.label  # error
x.grad.numpy()  # error
x.sum(dim=0)  # error
x.reshape(1).backwards()  # error
Tensor([1.0], require_grad=True)  # error
ag.relu("abc")  # error
ag.softmax(x, dim=0)  # error
ag.grad(3.0)  # error


def loss(w: float, b: float = 0.0) -> float:
    return w * w + b


ag.grad(loss)(1.0, c=2.0)  # error
ag.grad(loss)("one")  # error
ag.grad(loss)(1.0, 2.0, 3.0)  # error
ag.value_and_grad(loss)()  # error
ag.grad(loss, argnums="w")  # error

linear = nn.Linear(2, 3)
linear(x, x)  # error
linear.wieght  # error
linear.weight.requires_gradient  # error
linear.weight = np.ones((3, 2))  # error
nn.Linear(2)  # error
nn.Linear("2", 3)  # error
nn.MSELoss(reduction=3)  # error
nn.optim.Adam(linear.parameters(), learning_rate=0.1)  # error
nn.optim.SGD(linear.parameters(), lr="fast")  # error
nn.optim.SGD(linear.parameters(), lr=0.1).steps()  # error
output: Tensor = nn.LSTM(2, 3)(x)  # error
number: str = linear(x)  # error
