"""Small data sets: real handwritten digits, and points in the plane that are made on the spot. NumPy only."""

from typing import NoReturn

from nn.datasets.digits import load_digits
from nn.datasets.planar import circles, ring, spirals, two_moons, xor
from nn.datasets.split import train_test_split
from nn.hints import unknown_name

__all__ = ["circles", "load_digits", "ring", "spirals", "train_test_split", "two_moons", "xor"]


def __getattr__(name: str) -> NoReturn:
    raise unknown_name(name, __all__, {}, "nn.datasets")
