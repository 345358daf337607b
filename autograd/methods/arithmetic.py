"""Arithmetic of Tensors: Python's operators, comparisons, and the functions of elements that people chain."""

import operator as op
from typing import Any, Generic

import numpy as np

from autograd.box import Box, Result
from autograd.hints import hinted
from autograd.ops import activations as act
from autograd.ops import elementwise as ew
from autograd.ops import parts, products
from autograd.primitive import opaque

Mask = np.ndarray[tuple[Any, ...], np.dtype[np.bool]]

_eq, _ne, _lt, _le, _gt, _ge = map(opaque, (op.eq, op.ne, op.lt, op.le, op.gt, op.ge))


class Arithmetic(Box, Generic[Result]):
    """Provide ndarray's operators; comparisons give plain arrays, all others Tensors."""

    __slots__ = ()

    def __add__(self, other: Any) -> Result:
        return ew.add(self, other)

    def __radd__(self, other: Any) -> Result:
        return ew.add(other, self)

    def __sub__(self, other: Any) -> Result:
        return ew.subtract(self, other)

    def __rsub__(self, other: Any) -> Result:
        return ew.subtract(other, self)

    def __mul__(self, other: Any) -> Result:
        return ew.multiply(self, other)

    def __rmul__(self, other: Any) -> Result:
        return ew.multiply(other, self)

    def __truediv__(self, other: Any) -> Result:
        return ew.divide(self, other)

    def __rtruediv__(self, other: Any) -> Result:
        return ew.divide(other, self)

    def __pow__(self, other: Any) -> Result:
        return ew.power(self, other)

    def __rpow__(self, other: Any) -> Result:
        return ew.power(other, self)

    def __matmul__(self, other: Any) -> Result:
        return products.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Result:
        return products.matmul(other, self)

    def __mod__(self, other: Any) -> Result:
        return ew.remainder(self, other)

    def __rmod__(self, other: Any) -> Result:
        return ew.remainder(other, self)

    def __floordiv__(self, other: Any) -> Result:
        return ew.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Result:
        return ew.floor_divide(other, self)

    def __divmod__(self, other: Any) -> tuple[Result, Result]:
        return ew.divmod_(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Result, Result]:
        return ew.divmod_(other, self)

    def __neg__(self) -> Result:
        return ew.negative(self)

    def __pos__(self) -> Result:
        return ew.positive(self)

    def __abs__(self) -> Result:
        return ew.absolute(self)

    def __round__(self, digits: int = 0) -> Result:
        return ew.round_(self, digits)

    def __eq__(self, other: object) -> Mask:  # type: ignore[override]
        return _eq(self, other)

    def __ne__(self, other: object) -> Mask:  # type: ignore[override]
        return _ne(self, other)

    def __lt__(self, other: Any) -> Mask:
        return _lt(self, other)

    def __le__(self, other: Any) -> Mask:
        return _le(self, other)

    def __gt__(self, other: Any) -> Mask:
        return _gt(self, other)

    def __ge__(self, other: Any) -> Mask:
        return _ge(self, other)

    __hash__ = object.__hash__

    # -------------------------------------------------------------------------------------- functions people chain

    @hinted
    def clip(self, min: Any = None, max: Any = None) -> Result:
        """Limit values; derivative 1 inside and at the bounds.

        yᵢ = min(max(xᵢ, min), max), elementwise.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 3.0, 8.0]).clip(2, 5)
        Tensor([2., 3., 5.])
        """
        return ew.clip(self, min, max)

    @hinted
    def round(self, decimals: int = 0) -> Result:
        """Round; the result needs no gradient.

        >>> import autograd as ag
        >>> ag.Tensor([0.25, 2.66]).round(1)
        Tensor([0.2, 2.7])
        """
        return ew.round_(self, decimals)

    def conj(self) -> Result:
        """Return the complex conjugate, which for real numbers is this Tensor itself.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0 + 3.0j]).conj()
        Tensor([1.-0.j, 2.-3.j])
        """
        tensor: Any = self
        return parts.conjugate(self) if self._array.dtype.kind == "c" else tensor

    conjugate = conj

    def exp(self) -> Result:
        """Compute eˣ.

        Elementwise; its derivative is eˣ.

        >>> import autograd as ag
        >>> ag.Tensor([0.0, 1.0]).exp()
        Tensor([1.        , 2.71828183])
        """
        return ew.exp(self)

    def log(self) -> Result:
        """Compute the natural logarithm.

        Elementwise; its derivative is 1 / x. Of a negative number it is nan, of 0 minus infinity.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0]).log()
        Tensor([0.        , 0.69314718])
        """
        return ew.log(self)

    def sqrt(self) -> Result:
        """Compute the square root.

        Elementwise; its derivative is 1 / (2 √x), infinite at 0. Of a negative number it is nan.

        >>> import autograd as ag
        >>> ag.Tensor([2.0, 4.0]).sqrt()
        Tensor([1.41421356, 2.        ])
        """
        return ew.sqrt(self)

    def tanh(self) -> Result:
        """Compute the hyperbolic tangent.

        Elementwise; its derivative is 1 − tanh² x.

        >>> import autograd as ag
        >>> ag.Tensor([0.0, 0.5]).tanh()
        Tensor([0.        , 0.46211716])
        """
        return ew.tanh(self)

    def abs(self) -> Result:
        """Compute the absolute value.

        Elementwise; its derivative is sign x, 0 at 0.

        >>> import autograd as ag
        >>> ag.Tensor([-2.0, 0.0, 3.0]).abs()
        Tensor([2., 0., 3.])
        """
        return ew.absolute(self)

    def relu(self) -> Result:
        """Compute max(x, 0).

        Elementwise; its derivative is [x > 0].

        >>> import autograd as ag
        >>> ag.Tensor([-2.0, 0.0, 3.0]).relu()
        Tensor([0., 0., 3.])
        """
        return act.relu(self)

    def sigmoid(self) -> Result:
        """Compute 1 / (1 + e⁻ˣ).

        Elementwise; its derivative is σ (1 − σ).

        >>> import autograd as ag
        >>> ag.Tensor([-2.0, 0.0, 3.0]).sigmoid()
        Tensor([0.11920292, 0.5       , 0.95257413])
        """
        return act.sigmoid(self)

    @hinted
    def softmax(self, axis: int = -1) -> Result:
        """Compute eˣ / Σ eˣ along an axis.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [3.0, 3.0]]).softmax(axis=1)
        Tensor([[0.26894142, 0.73105858],
                [0.5       , 0.5       ]])
        """
        return act.softmax(self, axis=axis)

    @hinted
    def dot(self, other: Any) -> Result:
        """Compute the dot product.

        Σᵢ aᵢ bᵢ for vectors, a @ b for matrices. Raises ShapeError where the lengths differ.

        >>> import numpy as np, autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).dot(np.array([1.0, 10.0]))
        Tensor([21., 84.])
        """
        return products.dot(self, other)
