"""Find the wind that blows smoke into a form.

Gradients go through a simulation of a fluid. Smoke and velocity are carried along by the velocity (semi-Lagrangian
advection), which is made free of divergence by FFT in each step. The starting velocity is what is sought. Stam,
*Stable Fluids* (1999).
"""

import numpy as np

import autograd as ag
from autograd.scipy import optimize

N, STEPS = 24, 8
Y, X = np.mgrid[:N, :N].astype(float)
RADIUS = np.hypot(X - 12, Y - 12)
SMOKE = (RADIUS < 6.3).astype(float)
WANTED = (((abs(X - 12) < 3) | (abs(Y - 12) < 3)) & (RADIUS < 9)).astype(float)


def simulated(smoke, velocity):
    for _ in range(STEPS):
        velocity = without_divergence(np.stack([carried(part, velocity) for part in velocity]))
        smoke = carried(smoke, velocity)
    return smoke


def carried(f, velocity):
    """Look where the stuff came from, and interpolate there."""
    y, x = Y - velocity[0], X - velocity[1]
    top, left = np.floor(y), np.floor(x)
    down, right = y - top, x - left
    t, s = top.astype(int) % N, left.astype(int) % N
    b, r = (t + 1) % N, (s + 1) % N
    return (1 - down) * ((1 - right) * f[t, s] + right * f[t, r]) + down * ((1 - right) * f[b, s] + right * f[b, r])


def without_divergence(velocity):
    k = np.fft.fftfreq(N)
    k = np.stack(np.meshgrid(k, k, indexing="ij"))
    k = k / np.maximum(np.sqrt((k**2).sum(0)), 1e-9)
    v = np.fft.fft2(velocity)
    return np.fft.ifft2(v - k * (k * v).sum(0)).real


def loss(velocity):
    return ((simulated(SMOKE, velocity) - WANTED) ** 2).mean()


def main(axes=None):
    start = 0.05 * np.random.default_rng(0).normal(size=(2, N, N))
    found = optimize.minimize(loss, start, method="L-BFGS-B", options=dict(maxiter=30))
    print(f"slope along the wind at first = {(ag.grad(loss)(start) * start).sum():.8f}, miss = {found.fun:.3f}")
    if axes is not None:
        gap = np.full((N, 1), np.nan)
        axes.imshow(np.hstack([SMOKE, gap, simulated(SMOKE, found.x), gap, WANTED]), cmap="viridis")
        axes.set_axis_off()


if __name__ == "__main__":
    main()
