"""NumPy's operators and methods for Tensors: each is a line that names its op, so editors and type checkers see it.

Floor 10: used by :mod:`autograd.tensor`.
"""

import operator as op
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from autograd.box import Box
from autograd.errors import DTypeError
from autograd.hints import hinted
from autograd.ops import activations as act
from autograd.ops import casting, parts, picking, products, reductions, shapes
from autograd.ops import elementwise as ew
from autograd.primitive import opaque

Axis = int | tuple[int, ...] | None
Mask = NDArray[np.bool]
Result = TypeVar("Result")

_eq, _ne, _lt, _le, _gt, _ge = map(opaque, (op.eq, op.ne, op.lt, op.le, op.gt, op.ge))
_argsort, _argmax, _argmin, _searchsorted = map(opaque, (np.argsort, np.argmax, np.argmin, np.searchsorted))
_all, _any, _nonzero = map(opaque, (np.all, np.any, np.nonzero))


class Methods(Box, Generic[Result]):
    """Provide what ndarrays offer; a Tensor in, a Tensor out. Comparisons and index searches give plain arrays.

    ``Result`` is the type of the results, Tensor, which is defined above this floor.
    """

    __slots__ = ()

    # ------------------------------------------------------------------------------------------------- attributes

    @property
    def ndim(self) -> int:
        """Return the number of axes.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.ndim
        2
        """
        return self._array.ndim

    @property
    def size(self) -> int:
        """Return the number of elements.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.size
        4
        """
        return self._array.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of the elements.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.dtype
        dtype('float64')
        """
        return self._array.dtype

    @property
    def nbytes(self) -> int:
        """Return the memory of the elements in bytes.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.nbytes
        32
        """
        return self._array.nbytes

    @property
    def T(self) -> Result:
        """Reverse the axes.

        y[j, i] = x[i, j]: (2, 3) -> (3, 2).

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.T
        Tensor([[1., 4.],
                [2., 8.]], op=transpose)
        """
        return shapes.transpose(self)

    @property
    def mT(self) -> Result:
        """Transpose the last two axes.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.mT
        Tensor([[1., 4.],
                [2., 8.]], op=transpose)
        """
        return shapes.swapaxes(self, -1, -2)

    @property
    def real(self) -> Result:
        """Return the real part, which for real numbers is this Tensor itself.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.real
        Tensor([[1., 2.],
                [4., 8.]], requires_grad=True)
        """
        return parts.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        tensor: Any = self  # which can be written into
        tensor[...] = value + 1j * tensor.imag if self.dtype.kind == "c" else value

    @property
    def imag(self) -> Result:
        """Return the imaginary part: of real numbers zeros, which need no gradient.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.imag
        Tensor([[0., 0.],
                [0., 0.]])
        """
        return parts.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise DTypeError(f"imag of a Tensor of dtype {self.dtype} cannot be set. Use x.astype(complex) first.")
        tensor: Any = self
        tensor[...] = tensor.real + 1j * value

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d Tensor, which is one number; .size counts elements, .item() gives it.")
        return len(self._array)

    __hash__ = object.__hash__

    # --------------------------------------------------------------------------------------------------- operators

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

    # --------------------------------------------------------------------------------------------------- reductions

    @hinted
    def sum(
        self, axis: Axis = None, dtype: Any = None, keepdims: bool = False, *, initial: Any = None, where: Any = True
    ) -> Result:
        """Sum elements.

        yⱼ = Σᵢ xᵢⱼ over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Each element gets the gradient of
        its sum.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.sum(axis=0)
        Tensor([ 5., 10.], op=sum)
        """
        return reductions.sum(self, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)

    @hinted
    def prod(
        self, axis: Axis = None, dtype: Any = None, keepdims: bool = False, *, initial: Any = None, where: Any = True
    ) -> Result:
        """Multiply elements.

        yⱼ = Πᵢ xᵢⱼ over ``axis``, or of all elements. Each gets g times the product of the others, also where one is
        0.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.prod(axis=1)
        Tensor([ 2., 32.], op=prod)
        """
        return reductions.prod(self, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)

    @hinted
    def mean(self, axis: Axis = None, dtype: Any = None, keepdims: bool = False, *, where: Any = True) -> Result:
        """Average elements.

        yⱼ = 1/N Σᵢ xᵢⱼ over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Of no element it is nan.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.mean()
        Tensor(3.75, op=mean)
        """
        return reductions.mean(self, axis=axis, dtype=dtype, keepdims=keepdims, where=where)

    @hinted
    def max(self, axis: Axis = None, keepdims: bool = False, *, initial: Any = None, where: Any = True) -> Result:
        """Return the largest element; ties share the gradient equally.

        Over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Raises ValueError where there is no element.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.max(axis=1)
        Tensor([2., 8.], op=max)
        """
        return reductions.max(self, axis=axis, keepdims=keepdims, initial=initial, where=where)

    @hinted
    def min(self, axis: Axis = None, keepdims: bool = False, *, initial: Any = None, where: Any = True) -> Result:
        """Return the smallest element; ties share the gradient equally.

        Over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Raises ValueError where there is no element.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.min(axis=0)
        Tensor([1., 2.], op=min)
        """
        return reductions.min(self, axis=axis, keepdims=keepdims, initial=initial, where=where)

    def ptp(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """Compute max - min.

        Over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.ptp(axis=1)
        Tensor([1., 4.], op=subtract)
        """
        return reductions.ptp(self, axis=axis, keepdims=keepdims)

    @hinted
    def var(
        self,
        axis: Axis = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        dtype: Any = None,
        where: Any = True,
        mean: Any = None,
    ) -> Result:
        """Compute the variance, with N - ddof in the denominator.

        Σ (x − x̄)² / (N − ddof) over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.var(axis=1)
        Tensor([0.25, 4.  ], op=var)
        """
        return reductions.var(self, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean)

    @hinted
    def std(
        self,
        axis: Axis = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        dtype: Any = None,
        where: Any = True,
        mean: Any = None,
    ) -> Result:
        """Compute the standard deviation; where it is 0 the derivative is 0, the second nan.

        √(Σ (x − x̄)² / (N − ddof)) over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.std()
        Tensor(2.680951323690902, op=std)
        """
        return reductions.std(self, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean)

    @hinted
    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Result:
        """Compute running sums.

        yᵢ = Σ xⱼ for j <= i along ``axis``; without one of the flattened Tensor.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.cumsum(axis=1)
        Tensor([[ 1.,  3.],
                [ 4., 12.]], op=cumsum)
        """
        return reductions.cumsum(self, axis=axis, dtype=dtype)

    @hinted
    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Result:
        """Compute running products.

        yᵢ = Π xⱼ for j <= i along ``axis``; without one of the flattened Tensor.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.cumprod(axis=1)
        Tensor([[ 1.,  2.],
                [ 4., 32.]], op=cumprod)
        """
        return reductions.cumprod(self, axis=axis, dtype=dtype)

    # ------------------------------------------------------------------------------------------------------- shapes

    def reshape(self, *shape: Any, order: str = "C") -> Result:
        """Return the elements in another shape: ``reshape(2, 3)`` or ``reshape((2, 3))``; -1 is worked out.

        The gradient comes back in the old shape. Raises ShapeError where the number of elements differs.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.reshape(4)
        Tensor([1., 2., 4., 8.], op=reshape)
        """
        return shapes.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)

    def transpose(self, *axes: Any) -> Result:
        """Permute the axes; without arguments reverse them.

        y[j, i] = x[i, j]: (2, 3) -> (3, 2).

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.transpose(1, 0)
        Tensor([[1., 4.],
                [2., 8.]], op=transpose)
        """
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return shapes.transpose(self, order)

    def ravel(self, order: str = "C") -> Result:
        """Flatten to one axis.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.ravel()
        Tensor([1., 2., 4., 8.], op=ravel)
        """
        return shapes.ravel(self, order=order)

    def flatten(self, order: str = "C") -> Result:
        """Flatten to one axis, in memory of its own (``ravel`` looks at this one's where it can).

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.flatten()
        Tensor([1., 2., 4., 8.], op=copy)
        """
        return casting.copy(shapes.ravel(self, order=order))

    def swapaxes(self, axis1: int, axis2: int) -> Result:
        """Swap two axes.

        (2, 3, 4) -> (4, 3, 2) for the axes 0 and 2.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.swapaxes(0, 1)
        Tensor([[1., 4.],
                [2., 8.]], op=transpose)
        """
        return shapes.swapaxes(self, axis1, axis2)

    @hinted
    def squeeze(self, axis: Axis = None) -> Result:
        """Drop axes of length 1.

        (1, 3, 1) -> (3,), or only of ``axis``, which must have length 1.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x[:1].squeeze()
        Tensor([1., 2.], op=squeeze)
        """
        return shapes.squeeze(self, axis)

    @hinted
    def repeat(self, repeats: Any, axis: int | None = None) -> Result:
        """Repeat each element.

        (2, 3) -> (2, 6) for 2 along axis 1; an element gets the sum of the gradients of its copies.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.repeat(2, axis=0)
        Tensor([[1., 2.],
                [1., 2.],
                [4., 8.],
                [4., 8.]], op=repeat)
        """
        return shapes.repeat(self, repeats, axis=axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Result:
        """Return a diagonal.

        yᵢ = x[i, i]: (3, 3) -> (3,).

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.diagonal()
        Tensor([1., 8.], op=diagonal)
        """
        return shapes.diagonal(self, offset=offset, axis1=axis1, axis2=axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Result:
        """Sum a diagonal.

        Σᵢ x[i, i]: (3, 3) -> ().

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.trace()
        Tensor(9.0, op=sum)
        """
        return shapes.trace(self, offset=offset, axis1=axis1, axis2=axis2, dtype=dtype)

    # ---------------------------------------------------------------------------------- elements, types and products

    @hinted
    def take(self, indices: Any, axis: int | None = None, **kwargs: Any) -> Result:
        """Pick elements along an axis.

        Indices may repeat: their gradients add up. Raises IndexError for one that is not there.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.take([1, 1], axis=1)
        Tensor([[2., 2.],
                [8., 8.]], op=gather)
        """
        return picking.take(self, indices, axis=axis, **kwargs)

    def compress(self, condition: Any, axis: int | None = None) -> Result:
        """Pick slices where a condition holds.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.compress([False, True], axis=1)
        Tensor([[2.],
                [8.]], op=gather)
        """
        return picking.compress(condition, self, axis=axis)

    def choose(self, choices: Any, **kwargs: Any) -> Result:
        """Build an array from an index array and choices.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> ag.Tensor([0, 1]).choose([x[0], x[1]])
        Tensor([1., 8.], op=where)
        """
        return picking.choose(self, choices, **kwargs)

    def dot(self, other: Any) -> Result:
        """Compute the dot product.

        Σᵢ aᵢ bᵢ for vectors, a @ b for matrices. Raises ShapeError where the lengths differ.

        >>> import numpy as np, autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.dot(np.array([1.0, 10.0]))
        Tensor([21., 84.], op=matmul)
        """
        return products.dot(self, other)

    def clip(self, min: Any = None, max: Any = None) -> Result:
        """Limit values; derivative 1 inside and at the bounds.

        yᵢ = min(max(xᵢ, min), max), elementwise.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.clip(2, 5)
        Tensor([[2., 2.],
                [4., 5.]], op=clip)
        """
        return ew.clip(self, min, max)

    def round(self, decimals: int = 0) -> Result:
        """Round; the result needs no gradient.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> (x / 3).round(1)
        Tensor([[0.3, 0.7],
                [1.3, 2.7]])
        """
        return ew.round_(self, decimals)

    def conj(self) -> Result:
        """Return the complex conjugate, which for real numbers is this Tensor itself.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.conj()
        Tensor([[1., 2.],
                [4., 8.]], requires_grad=True)
        """
        tensor: Any = self
        return parts.conjugate(self) if self.dtype.kind == "c" else tensor

    conjugate = conj

    def astype(self, dtype: Any, **kwargs: Any) -> Result:
        """Convert the elements; gradients come back in the dtype of this Tensor.

        >>> import numpy as np, autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.astype(np.float32)
        Tensor([[1., 2.],
                [4., 8.]], dtype=float32, op=astype)
        """
        return casting.astype(self, dtype, **kwargs)

    def copy(self, order: str = "C") -> Result:
        """Return a Tensor with its own memory; gradients flow through.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.copy()
        Tensor([[1., 2.],
                [4., 8.]], op=copy)
        """
        return casting.copy(self, order)

    @hinted
    def argsort(self, axis: int | None = -1, kind: Any = None) -> NDArray[np.intp]:
        """Return the indices that would sort.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> (-x).argsort(axis=1)
        array([[1, 0],
               [1, 0]])
        """
        return _argsort(self, axis=axis, kind=kind)

    @hinted
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Return the index of the first maximum.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.argmax(axis=1)
        array([1, 1])
        """
        return _argmax(self, axis=axis, keepdims=keepdims)

    @hinted
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Return the index of the first minimum.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.argmin(axis=0)
        array([0, 0])
        """
        return _argmin(self, axis=axis, keepdims=keepdims)

    @hinted
    def all(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Tell whether all elements are true.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 0.0]).all()
        np.False_
        """
        return _all(self, axis=axis, keepdims=keepdims)

    @hinted
    def any(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Tell whether any element is true.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 0.0]).any()
        np.True_
        """
        return _any(self, axis=axis, keepdims=keepdims)

    def nonzero(self) -> tuple[NDArray[np.intp], ...]:
        """Return the indices of the elements that are not zero.

        >>> import autograd as ag
        >>> ag.Tensor([5.0, 0.0, 7.0]).nonzero()
        (array([0, 2]),)
        """
        return _nonzero(self)

    def searchsorted(self, v: Any, side: Any = "left") -> Any:
        """Return the places at which ``v`` would keep the order.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 3.0, 5.0]).searchsorted(4.0)
        np.int64(2)
        """
        return _searchsorted(self, v, side)

    # -------------------------------------------------------------------------------------- functions people chain

    def exp(self) -> Result:
        """Compute eˣ.

        Elementwise; its derivative is eˣ.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> (x / 4).exp()
        Tensor([[1.28402542, 1.64872127],
                [2.71828183, 7.3890561 ]], op=exp)
        """
        return ew.exp(self)

    def log(self) -> Result:
        """Compute the natural logarithm.

        Elementwise; its derivative is 1 / x. Of a negative number it is nan, of 0 minus infinity.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.log()
        Tensor([[0.        , 0.69314718],
                [1.38629436, 2.07944154]], op=log)
        """
        return ew.log(self)

    def sqrt(self) -> Result:
        """Compute the square root.

        Elementwise; its derivative is 1 / (2 √x), infinite at 0. Of a negative number it is nan.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.sqrt()
        Tensor([[1.        , 1.41421356],
                [2.        , 2.82842712]], op=sqrt)
        """
        return ew.sqrt(self)

    def tanh(self) -> Result:
        """Compute the hyperbolic tangent.

        Elementwise; its derivative is 1 − tanh² x.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> (x / 4).tanh()
        Tensor([[0.24491866, 0.46211716],
                [0.76159416, 0.96402758]], op=tanh)
        """
        return ew.tanh(self)

    def abs(self) -> Result:
        """Compute the absolute value.

        Elementwise; its derivative is sign x, 0 at 0.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> (x - 3).abs()
        Tensor([[2., 1.],
                [1., 5.]], op=absolute)
        """
        return ew.absolute(self)

    def relu(self) -> Result:
        """Compute max(x, 0).

        Elementwise; its derivative is [x > 0].

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> (x - 3).relu()
        Tensor([[0., 0.],
                [1., 5.]], op=relu)
        """
        return act.relu(self)

    def sigmoid(self) -> Result:
        """Compute 1 / (1 + e⁻ˣ).

        1 / (1 + e⁻ˣ), elementwise; its derivative is σ (1 − σ).

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> (x - 3).sigmoid()
        Tensor([[0.11920292, 0.26894142],
                [0.73105858, 0.99330715]], op=sigmoid)
        """
        return act.sigmoid(self)

    @hinted
    def softmax(self, axis: int = -1) -> Result:
        """Compute eˣ / Σ eˣ along an axis.

        >>> import autograd as ag
        >>> x = ag.Tensor([[1.0, 2.0], [4.0, 8.0]], requires_grad=True)
        >>> x.softmax(axis=1)
        Tensor([[0.26894142, 0.73105858],
                [0.01798621, 0.98201379]], op=softmax)
        """
        return act.softmax(self, axis=axis)
