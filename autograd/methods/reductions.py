"""Methods of Tensors that go over axes: sums, means, extremes, running sums, and searches, which give plain arrays."""

from typing import Any, Generic, Literal, overload

import numpy as np

from autograd.box import Box, Result
from autograd.hints import hinted
from autograd.ops import reductions, running
from autograd.ops.axes import Axis
from autograd.primitive import opaque

_argsort, _argmax, _argmin, _searchsorted = map(opaque, (np.argsort, np.argmax, np.argmin, np.searchsorted))
_all, _any, _nonzero = map(opaque, (np.all, np.any, np.nonzero))


class Reductions(Box, Generic[Result]):
    """Provide ndarray's reductions and searches."""

    __slots__ = ()

    @hinted
    def sum(
        self, axis: Axis = None, dtype: Any = None, keepdims: bool = False, *, initial: Any = None, where: Any = True
    ) -> Result:
        """Sum elements.

        yⱼ = Σᵢ xᵢⱼ over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Each element gets the gradient of
        its sum.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).sum(axis=0)
        Tensor([ 5., 10.])
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
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).prod(axis=1)
        Tensor([ 2., 32.])
        """
        return reductions.prod(self, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)

    @hinted
    def mean(self, axis: Axis = None, dtype: Any = None, keepdims: bool = False, *, where: Any = True) -> Result:
        """Average elements.

        yⱼ = 1/N Σᵢ xᵢⱼ over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Of no element it is nan.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).mean()
        Tensor(3.75)
        """
        return reductions.mean(self, axis=axis, dtype=dtype, keepdims=keepdims, where=where)

    @hinted
    def max(self, axis: Axis = None, keepdims: bool = False, *, initial: Any = None, where: Any = True) -> Result:
        """Return the largest element; ties share the gradient equally.

        Over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Raises ValueError where there is no element.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).max(axis=1)
        Tensor([2., 8.])
        """
        return reductions.max(self, axis=axis, keepdims=keepdims, initial=initial, where=where)

    @hinted
    def min(self, axis: Axis = None, keepdims: bool = False, *, initial: Any = None, where: Any = True) -> Result:
        """Return the smallest element; ties share the gradient equally.

        Over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0. Raises ValueError where there is no element.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).min(axis=0)
        Tensor([1., 2.])
        """
        return reductions.min(self, axis=axis, keepdims=keepdims, initial=initial, where=where)

    @hinted
    def ptp(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """Compute max - min.

        Over ``axis``, or of all elements: (2, 3) -> (3,) for axis 0.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).ptp(axis=1)
        Tensor([1., 4.])
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
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).var(axis=1)
        Tensor([0.25, 4.  ])
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
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).std()
        Tensor(2.680951323690902)
        """
        return reductions.std(self, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean)

    @hinted
    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Result:
        """Compute running sums.

        yᵢ = Σ xⱼ for j <= i along ``axis``; without one of the flattened Tensor.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0, 4.0]).cumsum()
        Tensor([1., 3., 7.])
        """
        return running.cumsum(self, axis=axis, dtype=dtype)

    @hinted
    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Result:
        """Compute running products.

        yᵢ = Π xⱼ for j <= i along ``axis``; without one of the flattened Tensor.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0, 4.0]).cumprod()
        Tensor([1., 2., 8.])
        """
        return running.cumprod(self, axis=axis, dtype=dtype)

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

    @overload
    def argmax(self, axis: None = None, keepdims: Literal[False] = False) -> np.intp: ...
    @overload
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> "np.typing.NDArray[np.intp]": ...
    @hinted
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Return the index of the first maximum.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).argmax(axis=1)
        array([1, 1])
        """
        return _argmax(self, axis=axis, keepdims=keepdims)

    @overload
    def argmin(self, axis: None = None, keepdims: Literal[False] = False) -> np.intp: ...
    @overload
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> "np.typing.NDArray[np.intp]": ...
    @hinted
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """Return the index of the first minimum.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).argmin(axis=0)
        array([0, 0])
        """
        return _argmin(self, axis=axis, keepdims=keepdims)

    @hinted
    def argsort(self, axis: int | None = -1, kind: Any = None) -> "np.typing.NDArray[np.intp]":
        """Return the indices that would sort.

        >>> import autograd as ag
        >>> ag.Tensor([3.0, 1.0, 2.0]).argsort()
        array([1, 2, 0])
        """
        return _argsort(self, axis=axis, kind=kind)

    def nonzero(self) -> "tuple[np.typing.NDArray[np.intp], ...]":
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
