"""Write an op that can be differentiated twice.

For y = sinh(x) keep e = exp(x) forwards, and the rule g · (e + 1/e) / 2 needs no second exponential. Written in
NumPy's functions and traced as they are, the rule has derivatives of its own. PyTorch's tutorial *Double Backward with
Custom Functions* shows what that takes by hand.
"""

import numpy as np

import autograd as ag


def sinh_forward(x):
    e = np.exp(x)
    return (e - 1 / e) / 2, e


def sinh_rule(g, y):
    g_sinh, g_e = g
    _, e = y
    return g_sinh * (e + 1 / e) / 2 + g_e * e


both = ag.op(sinh_forward, vjp=dict(x=sinh_rule), name="sinh_and_exp")


def sinh(x):
    return both(x)[0]


def main(axes=None):
    ag.check_grads(sinh, np.array([0.3, -1.2]))
    x = ag.Tensor(1.5, requires_grad=True)
    y = sinh(x)
    y.backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.backward(create_graph=True)
    second = x.grad
    x.grad = None
    second.backward()
    print(f"first = {first.item():.6f}, second = {second.item():.6f}, third = {x.grad.item():.6f}")
    if axes is not None:
        places = np.linspace(-2, 2, 81)
        slope = ag.grad(lambda x: sinh(x).sum())
        axes.plot(places, sinh(places), label="sinh")
        axes.plot(places, slope(places), label="first derivative")
        axes.plot(places, ag.grad(lambda x: slope(x).sum())(places), "--", label="second")
        axes.legend()


if __name__ == "__main__":
    main()
