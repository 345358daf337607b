"""Compare a neural tangent kernel with its limit.

Θ(x, x′) = Σ ∂f(x)/∂θ · ∂f(x′)/∂θ over all parameters. For f(x) = √(2/m) v · relu(W x) and m → ∞ it is |x| |x′| (2 u (π
− φ) + sin φ) / π, with φ the angle between x and x′ and u = cos φ. Jacot, Gabriel and Hongler, *Neural Tangent Kernel*
(2018); Cho and Saul, *Kernel Methods for Deep Learning* (2009).
"""

import numpy as np

import autograd as ag

WIDTH = 16384


def tangent_kernel(f, params, x):
    jacobians = ag.jacobian(f)(params, x)
    return sum(np.tensordot(J.reshape(len(x), -1), J.reshape(len(x), -1), (1, 1)) for J in jacobians)


def net(params, x):
    W, v = params
    return np.sqrt(2 / WIDTH) * ag.relu(x @ W.T) @ v


def limit(phi):
    return (2 * np.cos(phi) * (np.pi - phi) + np.sin(phi)) / np.pi


def main(axes=None):
    rng = np.random.default_rng(0)
    params = [rng.normal(size=(WIDTH, 2)), rng.normal(size=WIDTH)]
    phi = np.linspace(0, np.pi, 13)
    x = np.column_stack([np.cos(phi), np.sin(phi)])
    found = tangent_kernel(net, params, x)[0]
    print(f"at 0° = {found[0]:.2f}, at 90° = {found[6]:.2f}, at 180° = {found[12]:.2f}")
    if axes is not None:
        axes.plot(np.degrees(phi), limit(phi), label="limit")
        axes.plot(np.degrees(phi), found, "o", label=f"net of width {WIDTH}")
        axes.set_xlabel("angle between the inputs in degrees")
        axes.legend()


if __name__ == "__main__":
    main()
