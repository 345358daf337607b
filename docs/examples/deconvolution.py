"""Take the blur out of a photograph.

Minimize ½ |k ∗ x − b|² + λ/2 |∇x|² over the image x, for a known blur k and an image b that was blurred and has noise.
The loss is quadratic, and conjugate gradients need only its gradient and products with its Hessian. Hansen, Nagy and
O'Leary, *Deblurring Images* (2006).
"""

import numpy as np

import autograd as ag
from autograd.scipy.signal import convolve2d

PENALTY = 2e-3


def loss(x, blurred, kernel):
    miss = convolve2d(x, kernel, mode="valid") - blurred
    rough = (np.diff(x, axis=0) ** 2).sum() + (np.diff(x, axis=1) ** 2).sum()
    return (miss**2).sum() / 2 + PENALTY / 2 * rough


def conjugate_gradients(f, x, steps):
    """Solve ∇f(x) = 0 for a quadratic f."""
    r = -ag.grad(f)(x)
    p, product = r, ag.hvp(f)
    for _ in range(steps):
        Hp = product(x, p)
        size = (r * r).sum()
        alpha = size / (p * Hp).sum()
        x, r = x + alpha * p, r - alpha * Hp
        p = r + (r * r).sum() / size * p
    return x


def data():
    rng = np.random.default_rng(0)
    image = np.zeros((32, 32))
    image[6:26, 8:12] = image[6:10, 8:24] = image[14:18, 8:20] = 1.0  # the letter F
    side = np.exp(-(np.linspace(-1.5, 1.5, 7) ** 2))
    kernel = np.outer(side, side) / side.sum() ** 2
    return image, kernel, convolve2d(image, kernel, mode="valid") + 0.01 * rng.normal(size=(26, 26))


def main(axes=None):
    image, kernel, blurred = data()
    x = conjugate_gradients(lambda x: loss(x, blurred, kernel), np.zeros_like(image), 150)
    error = np.linalg.norm(x - image) / np.linalg.norm(image)
    print(f"loss = {loss(x, blurred, kernel):.6f}, relative error = {error:.4f}")
    if axes is not None:
        gap = np.full((32, 2), np.nan)
        axes.imshow(np.hstack([image, gap, np.pad(blurred, 3), gap, x]), cmap="gray")
        axes.set_axis_off()


if __name__ == "__main__":
    main()
