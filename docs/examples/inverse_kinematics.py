"""Bring a robot's hand where it should be.

The hand's place is a function of the three angles; its Jacobian J says how the place moves with them. Damped least
squares, Δθ = Jᵀ (J Jᵀ + λ² I)⁻¹ e, goes there without jumps near stretched poses. Buss, *Introduction to Inverse
Kinematics with Jacobian Transpose, Pseudoinverse and Damped Least Squares Methods* (2004).
"""

import numpy as np

import autograd as ag

LENGTHS = np.array([1.0, 0.8, 0.3])
TARGET = np.array([0.9, 0.9, np.pi / 2])  # x, y, and the direction of the hand: straight up


def reach(target, angles, steps=100, damping=0.5):
    jacobian, poses = ag.jacobian(hand), [angles]
    for _ in range(steps):
        J, missing = jacobian(angles), target - hand(angles)
        angles = angles + J.T @ np.linalg.solve(J @ J.T + damping**2 * np.eye(3), missing)
        poses.append(angles)
    return poses


def joints(angles):
    turned = np.cumsum(angles)
    steps = LENGTHS * np.stack([np.cos(turned), np.sin(turned)])
    return np.cumsum(steps, axis=1)


def hand(angles):
    return np.concatenate([joints(angles)[:, -1], angles.sum()[None]])


def main(axes=None):
    poses = reach(TARGET, np.array([0.1, 0.1, 0.1]))
    shoulder, elbow, wrist = poses[-1]
    missing = np.linalg.norm(TARGET - hand(poses[-1]))
    print(f"shoulder = {shoulder:.6f}, elbow = {elbow:.6f}, wrist = {wrist:.6f}, missing = {missing:.1e}")
    if axes is not None:
        for pose in poses[:24:3]:
            axes.plot(*np.column_stack([[0.0, 0.0], joints(pose)]), "o-", color="C0", alpha=0.25)
        axes.plot(*np.column_stack([[0.0, 0.0], joints(poses[-1])]), "o-", color="C1", linewidth=3)
        axes.plot(*TARGET[:2], "x", color="C3", markersize=12)
        axes.set_aspect("equal")


if __name__ == "__main__":
    main()
