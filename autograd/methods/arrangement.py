"""How the elements of a Tensor are arranged: its attributes, shapes, parts, picked elements, and copies."""

from typing import Any, Generic

import numpy as np

from autograd.box import Box, Result
from autograd.errors import DTypeError
from autograd.hints import hinted
from autograd.ops import casting, parts, picking, shapes
from autograd.ops.axes import Axis


class Arrangement(Box, Generic[Result]):
    """Provide ndarray's attributes, and its methods that move or convert elements."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """Return the number of axes.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).ndim
        2
        """
        return self._array.ndim

    @property
    def size(self) -> int:
        """Return the number of elements.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).size
        4
        """
        return self._array.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of the elements.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).dtype
        dtype('float64')
        """
        return self._array.dtype

    @property
    def nbytes(self) -> int:
        """Return the memory of the elements in bytes.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).nbytes
        32
        """
        return self._array.nbytes

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d Tensor, which is one number; .size counts elements, .item() gives it.")
        return len(self._array)

    @property
    def T(self) -> Result:
        """Reverse the axes.

        y[j, i] = x[i, j]: (2, 3) -> (3, 2).

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).T
        Tensor([[1., 4.],
                [2., 8.]])
        """
        return shapes.transpose(self)

    @property
    def mT(self) -> Result:
        """Transpose the last two axes.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).mT
        Tensor([[1., 4.],
                [2., 8.]])
        """
        return shapes.swapaxes(self, -1, -2)

    @property
    def real(self) -> Result:
        """Return the real part, which for real numbers is this Tensor itself.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0 + 3.0j]).real
        Tensor([1., 2.])
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
        >>> ag.Tensor([1.0, 2.0 + 3.0j]).imag
        Tensor([0., 3.])
        """
        return parts.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise DTypeError(f"imag of a Tensor of dtype {self.dtype} cannot be set. Use x.astype(complex) first.")
        tensor: Any = self
        tensor[...] = tensor.real + 1j * value

    def reshape(self, *shape: Any, order: str = "C") -> Result:
        """Return the elements in another shape: ``reshape(2, 3)`` or ``reshape((2, 3))``; -1 is worked out.

        The gradient comes back in the old shape. Raises ShapeError where the number of elements differs.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).reshape(4)
        Tensor([1., 2., 4., 8.])
        """
        return shapes.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)

    def transpose(self, *axes: Any) -> Result:
        """Permute the axes; without arguments reverse them.

        y[j, i] = x[i, j]: (2, 3) -> (3, 2).

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).transpose(1, 0)
        Tensor([[1., 4.],
                [2., 8.]])
        """
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return shapes.transpose(self, order)

    def ravel(self, order: str = "C") -> Result:
        """Flatten to one axis.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).ravel()
        Tensor([1., 2., 4., 8.])
        """
        return shapes.ravel(self, order=order)

    def flatten(self, order: str = "C") -> Result:
        """Flatten to one axis, in memory of its own (``ravel`` looks at this one's where it can).

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).flatten()
        Tensor([1., 2., 4., 8.])
        """
        return casting.copy(shapes.ravel(self, order=order))

    def swapaxes(self, axis1: int, axis2: int) -> Result:
        """Swap two axes.

        (2, 3, 4) -> (4, 3, 2) for the axes 0 and 2.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).swapaxes(0, 1)
        Tensor([[1., 4.],
                [2., 8.]])
        """
        return shapes.swapaxes(self, axis1, axis2)

    @hinted
    def squeeze(self, axis: Axis = None) -> Result:
        """Drop axes of length 1.

        (1, 3, 1) -> (3,), or only of ``axis``, which must have length 1.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0]]).squeeze()
        Tensor([1., 2.])
        """
        return shapes.squeeze(self, axis)

    @hinted
    def repeat(self, repeats: Any, axis: int | None = None) -> Result:
        """Repeat each element.

        (2, 3) -> (2, 6) for 2 along axis 1; an element gets the sum of the gradients of its copies.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0]).repeat(2)
        Tensor([1., 1., 2., 2.])
        """
        return shapes.repeat(self, repeats, axis=axis)

    @hinted
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Result:
        """Return a diagonal.

        yᵢ = x[i, i]: (3, 3) -> (3,).

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).diagonal()
        Tensor([1., 8.])
        """
        return shapes.diagonal(self, offset=offset, axis1=axis1, axis2=axis2)

    @hinted
    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Result:
        """Sum a diagonal.

        Σᵢ x[i, i]: (3, 3) -> ().

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).trace()
        Tensor(9.0)
        """
        return shapes.trace(self, offset=offset, axis1=axis1, axis2=axis2, dtype=dtype)

    @hinted
    def take(self, indices: Any, axis: int | None = None, **kwargs: Any) -> Result:
        """Pick elements along an axis.

        Indices may repeat: their gradients add up. Raises IndexError for one that is not there.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).take([1, 1], axis=1)
        Tensor([[2., 2.],
                [8., 8.]])
        """
        return picking.take(self, indices, axis=axis, **kwargs)

    @hinted
    def compress(self, condition: Any, axis: int | None = None) -> Result:
        """Pick slices where a condition holds.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).compress([False, True], axis=1)
        Tensor([[2.],
                [8.]])
        """
        return picking.compress(condition, self, axis=axis)

    @hinted
    def choose(self, choices: Any, **kwargs: Any) -> Result:
        """Build an array from an index array and choices.

        >>> import autograd as ag
        >>> ag.Tensor([0, 1]).choose([ag.Tensor([1.0, 2.0]), ag.Tensor([4.0, 8.0])])
        Tensor([1., 8.])
        """
        return picking.choose(self, choices, **kwargs)

    def astype(self, dtype: Any, **kwargs: Any) -> Result:
        """Convert the elements; gradients come back in the dtype of this Tensor.

        >>> import numpy as np, autograd as ag
        >>> ag.Tensor([1.0, 2.0]).astype(np.float32)
        Tensor([1., 2.], dtype=float32)
        """
        return casting.astype(self, dtype, **kwargs)

    def copy(self, order: str = "C") -> Result:
        """Return a Tensor with its own memory; gradients flow through.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0]).copy()
        Tensor([1., 2.])
        """
        return casting.copy(self, order)
