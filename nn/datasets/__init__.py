"""Small data sets: real handwritten digits, and points in the plane that are made on the spot. NumPy only."""

from nn.datasets.digits import load_digits
from nn.datasets.planar import circles, ring, spirals, two_moons, xor
from nn.datasets.split import train_test_split
from nn.hints import refusing

__all__ = ["circles", "load_digits", "ring", "spirals", "train_test_split", "two_moons", "xor"]

globals()["__getattr__"] = refusing("nn.datasets", __all__)
