"""Turn a quantum bit over by a pulse of control.

U = Π exp(−i h (σz + uₖ σx)) is what the pulse u does, and 1 − |tr(X†U) / 2|² how far that is from the gate X which
exchanges the two states. The gradient goes through the exponentials of complex matrices. Khaneja and others, *Optimal
Control of Coupled Spin Dynamics* (2005), the GRAPE algorithm.
"""

import numpy as np

from autograd.scipy import optimize
from autograd.scipy.linalg import expm

X = np.array([[0, 1], [1, 0]], complex)
Z = np.diag([1, -1]).astype(complex)
STEPS, TIME = 20, 3.0


def infidelity(pulse):
    U = np.eye(2, dtype=complex)
    for turn in turns(pulse):
        U = turn @ U
    return 1 - np.abs(np.trace(X.conj().T @ U) / 2) ** 2


def turns(pulse):
    """Give what each step does: one exponential of a stack of matrices."""
    return expm(-1j * TIME / STEPS * (Z + pulse[:, None, None] * X))


def main(axes=None):
    start = np.sin(np.linspace(0, 3, STEPS))
    first = infidelity(start)
    found = optimize.minimize(infidelity, start, method="BFGS", tol=1e-9)
    print(f"infidelity of the start = {first:.8f}, of the pulse found = {found.fun:.1e}")
    if axes is not None:
        state, ups = np.array([1, 0], complex), [0.0]
        for turn in turns(found.x):
            state = turn @ state
            ups.append(abs(state[1]) ** 2)
        times = np.linspace(0, TIME, STEPS + 1)
        axes.step(times[:-1], found.x, where="post", label="pulse")
        axes.plot(times, ups, label="turned over")
        axes.set_xlabel("time")
        axes.legend()


if __name__ == "__main__":
    main()
