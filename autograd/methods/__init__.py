"""NumPy's operators and methods for Tensors: each is a line that names its op, so editors and type checkers see it.

Floor 10: used by :mod:`autograd.tensor`.
"""

from typing import Generic

from autograd.box import Result
from autograd.methods.arithmetic import Arithmetic
from autograd.methods.arrangement import Arrangement
from autograd.methods.reductions import Reductions


class Methods(Arithmetic[Result], Reductions[Result], Arrangement[Result], Generic[Result]):
    """Provide what ndarrays offer; a Tensor in, a Tensor out.

    ``Result`` is the type of the results, Tensor, which is defined above this floor.
    """

    __slots__ = ()
