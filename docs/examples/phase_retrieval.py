"""Recover an image from the sizes of its Fourier coefficients.

Behind each of a few known masks m a detector sees |F(m x)|², and all phases are lost. Σ (|F(m z)|² − y)² / 2M is
minimized over complex z along its gradient ∂L/∂Re z + i ∂L/∂Im z, from the main eigenvector of z ↦ Σ m̄ F*(y F(m z)),
which is a gradient, too. What cannot be known is one phase of the whole. Candès, Li and Soltanolkotabi, *Phase
Retrieval via Wirtinger Flow* (2015).
"""

import numpy as np

import autograd as ag

SIZE, MASKS = 24, 8


def loss(z, masks, y):
    return ((intensities(z, masks) - y) ** 2).sum() / (2 * MASKS)


def intensities(z, masks):
    return np.abs(np.fft.fft2(masks * z, norm="ortho")) ** 2


def start(z, masks, y):
    for _ in range(30):
        z = ag.grad(lambda z: (y * intensities(z, masks)).sum())(z)
        z = z / np.linalg.norm(z)
    return z * np.sqrt(y.sum() / MASKS)


def image():
    """Draw a ring whose phase goes once round, and a dot in it."""
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    r = np.hypot(x, y)
    return np.exp(-(((r - 0.6) / 0.2) ** 2) + 1j * np.arctan2(y, x)) + np.exp(-((r / 0.15) ** 2))


def main(axes=None):
    rng, x = np.random.default_rng(0), image()
    masks = np.exp(2j * np.pi * rng.integers(4, size=(MASKS, SIZE, SIZE)) / 4)
    y = intensities(x, masks)
    z = start(rng.normal(size=x.shape) + 0j, masks, y)
    for _ in range(600):
        z = z - 0.05 / y.mean() * ag.grad(loss)(z, masks, y)
    overlap = np.vdot(z, x) / (np.linalg.norm(z) * np.linalg.norm(x))
    turned = z * overlap / abs(overlap)
    print(f"overlap = {abs(overlap):.8f}, error = {np.linalg.norm(turned - x) / np.linalg.norm(x):.1e}")
    if axes is not None:
        gap = np.full((SIZE, 1), np.nan)
        axes.imshow(np.hstack([np.angle(x), gap, np.angle(turned)]), cmap="twilight")
        axes.set_axis_off()


if __name__ == "__main__":
    main()
