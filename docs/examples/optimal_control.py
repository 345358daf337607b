"""Swing a pendulum up with the least effort.

The control goes through the steps of a Runge-Kutta method. Minimize ½ ∫ u² dt over the torques u, for θ″ = −sin θ + u
from hanging still to standing still at time T. The gradient of where it ends goes back through all stages of RK4
("discretize, then optimize"). Betts, *Practical Methods for Optimal Control Using Nonlinear Programming* (2010),
chapter 4.
"""

import numpy as np

from autograd.scipy import optimize

STEPS, TIME = 40, 4.0


def simulated(torques, h=TIME / STEPS):
    path = [np.zeros(2)]
    for u in torques:
        s = path[-1]
        k1 = motion(s, u)
        k2 = motion(s + h / 2 * k1, u)
        k3 = motion(s + h / 2 * k2, u)
        k4 = motion(s + h * k3, u)
        path.append(s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.stack(path)


def motion(state, u):
    return np.stack([state[1], u - np.sin(state[0])])


def effort(torques):
    return (torques**2).sum() / 2 * TIME / STEPS


def main(axes=None):
    standing = {"type": "eq", "fun": lambda u: simulated(u)[-1] - [np.pi, 0.0]}
    found = optimize.minimize(effort, np.full(STEPS, 0.5), method="SLSQP", constraints=standing)
    path = simulated(found.x)
    print(f"effort = {found.fun:.4f}, angle at the end = {path[-1, 0]:.6f}, speed at the end = {path[-1, 1]:.6f}")
    if axes is not None:
        times = np.linspace(0, TIME, STEPS + 1)
        axes.plot(times, path[:, 0], label="angle")
        axes.plot(times, path[:, 1], label="speed")
        axes.step(times[:-1], found.x, where="post", label="torque")
        axes.set_xlabel("time")
        axes.legend()


if __name__ == "__main__":
    main()
