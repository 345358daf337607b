"""Every public name of NumPy, with a sample call on Tensors and the verdict: what it does with a gradient.

A name that NumPy adds has no verdict and fails a test until it gets one here. ``docs/numpy.md`` is written from this
table by ``python -m tests.autograd.numpy_page``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

SPACES = {"": np, "linalg.": np.linalg, "fft.": np.fft}

DERIVATIVE, CONSTANT, PLAIN, REFUSED, CREATES, OTHER = VERDICTS = (
    "derivative",  # a Tensor that gives its gradient back
    "piecewise constant",  # a Tensor that needs none
    "plain",  # indices, truth values, descriptions, as plain arrays
    "refused",  # an error that names it and says what to use
    "creates",  # makes arrays from sizes: Tensors among its arguments are refused, too
    "not about numbers",  # settings, files, types, texts
)

NAMES = {
    DERIVATIVE: """
abs absolute acos acosh add amax amin angle append apply_along_axis apply_over_axes arccos arccosh arcsin arcsinh
arctan arctan2 arctanh array_split asin asinh astype atan atan2 atanh atleast_1d atleast_2d atleast_3d average
bincount block broadcast_arrays broadcast_to cbrt choose clip column_stack compress concat concatenate conj conjugate
convolve copy copysign corrcoef correlate cos cosh cov cross cumprod cumsum cumulative_prod cumulative_sum deg2rad
degrees delete diag diagflat diagonal diff divide divmod dot dsplit dstack ediff1d einsum exp exp2 expand_dims expm1
extract fabs flip fliplr flipud float_power fmax fmin fmod frexp fromfunction full_like geomspace gradient heaviside
hsplit hstack hypot i0 imag inner insert interp ix_ kron ldexp linspace log log10 log1p log2 logaddexp logaddexp2
logspace matmul matrix_transpose matvec max maximum mean median meshgrid min minimum mod modf moveaxis multiply
nan_to_num nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar
negative outer pad partition percentile permute_dims piecewise poly polyadd polyder polydiv polyfit polyint polymul
polysub polyval positive pow power prod ptp quantile rad2deg radians ravel real real_if_close reciprocal remainder
repeat reshape resize roll roots rollaxis rot90 row_stack select sin sinc sinh sort sort_complex split sqrt square
squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace transpose trapezoid tril
trim_zeros triu true_divide unstack unwrap vander var vdot vecdot vecmat vsplit vstack where fft.fft fft.fft2
fft.fftfreq fft.fftn fft.fftshift fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ifftshift fft.ihfft fft.irfft fft.irfft2
fft.irfftn fft.rfft fft.rfft2 fft.rfftfreq fft.rfftn linalg.cholesky linalg.cond linalg.cross linalg.det
linalg.diagonal linalg.eig linalg.eigh linalg.eigvals linalg.eigvalsh linalg.inv linalg.lstsq linalg.matmul
linalg.matrix_norm linalg.matrix_power linalg.matrix_transpose linalg.multi_dot linalg.norm linalg.outer linalg.pinv
linalg.qr linalg.slogdet linalg.solve linalg.svd linalg.svdvals linalg.tensordot linalg.tensorinv linalg.tensorsolve
linalg.trace linalg.vecdot linalg.vector_norm
""",
    CONSTANT: """
around ceil empty_like fix floor floor_divide ones_like rint round sign spacing trunc zeros_like
""",
    PLAIN: """
all allclose any argmax argmin argpartition argsort argwhere array2string array_equal array_equiv array_repr array_str
bitwise_and bitwise_invert bitwise_not bitwise_or can_cast common_type count_nonzero diag_indices_from digitize
einsum_path equal flatnonzero greater greater_equal invert isclose iscomplex iscomplexobj isfinite isin isinf
isnan isneginf isposinf isreal isrealobj isscalar iterable less less_equal lexsort logical_and logical_not logical_or
logical_xor may_share_memory min_scalar_type nanargmax nanargmin ndim nonzero not_equal result_type save savetxt savez
savez_compressed searchsorted shape shares_memory signbit size tril_indices_from triu_indices_from linalg.matrix_rank
""",
    REFUSED: """
array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bitwise_count bitwise_left_shift
bitwise_right_shift bitwise_xor bmat copyto fill_diagonal format_float_positional format_float_scientific from_dlpack
fromiter frompyfunc full gcd histogram histogram2d histogram_bin_edges histogramdd in1d intersect1d isfortran isnat
kaiser lcm left_shift nextafter packbits place put put_along_axis putmask ravel_multi_index require right_shift
setdiff1d setxor1d trapz union1d unique unique_all unique_counts unique_inverse unique_values unpackbits
unravel_index vectorize
""",
    CREATES: """
arange bartlett blackman diag_indices empty eye frombuffer hamming hanning identity indices mask_indices ones tri
tril_indices triu_indices zeros
""",
    OTHER: """
False_ ScalarType True_ __array_namespace_info__ __version__ base_repr binary_repr bool bool_ broadcast
broadcast_shapes busday_count busday_offset busdaycalendar byte bytes_ c_ cdouble char character clongdouble
complex128 complex192 complex256 complex64 complexfloating core csingle ctypeslib datetime64 datetime_as_string
datetime_data double dtype dtypes e emath errstate euler_gamma exceptions f2py fft finfo flatiter flexible float128
float16 float32 float64 float96 floating fromfile fromregex fromstring generic genfromtxt get_include get_printoptions
getbufsize geterr geterrcall half iinfo index_exp inexact inf info int16 int32 int64 int8 int_ intc integer intp
is_busday isdtype issubdtype lib linalg little_endian load loadtxt long longdouble longlong ma matrix memmap mgrid
mintypecode nan ndarray ndenumerate ndindex nditer nested_iters newaxis number object_ ogrid pi poly1d polynomial
printoptions promote_types r_ random rec recarray record s_ sctypeDict set_printoptions setbufsize seterr seterrcall
short show_config show_runtime signedinteger single str_ strings test testing timedelta64 typecodes typename typing
ubyte ufunc uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong unsignedinteger ushort void linalg.LinAlgError
linalg.linalg
""",
}
VERDICT = {name: verdict for verdict, names in NAMES.items() for name in names.split()}

# name: a call with a Tensor t of shape (3,), all between 0.2 and 0.9 (a matrix is t * EYE, a number t[0]). Names that
# are not here are called with t alone, or with the samples of their row in the registry.
EYE = np.eye(3)
MASK = np.array([True, False, True])
SAMPLES: dict[str, Callable[[Any], Any]] = {
    "astype": lambda t: t.astype(np.float32),
    "full_like": lambda t: np.full_like(t, t[0]),
    "heaviside": lambda t: np.heaviside(np.zeros(3), t),
    "fromfunction": lambda t: np.fromfunction(lambda i: i * t[0], (3,)),
    "fft.fftfreq": lambda t: np.fft.fftfreq(4, t[0]),
    "fft.rfftfreq": lambda t: np.fft.rfftfreq(4, t[0]),
    "row_stack": lambda t: np.vstack([t, t]),
    "floor_divide": lambda t: np.floor_divide(t, 0.3),
    **{
        name: lambda t, name=name: getattr(np, name)(t, t)
        for name in [
            "allclose",
            "array_equal",
            "array_equiv",
            "bitwise_and",
            "bitwise_or",
            "equal",
            "greater",
            "greater_equal",
            "isclose",
            "isin",
            "less",
            "less_equal",
            "logical_and",
            "logical_or",
            "logical_xor",
            "may_share_memory",
            "not_equal",
            "searchsorted",
            "shares_memory",
            "bitwise_left_shift",
            "bitwise_right_shift",
            "bitwise_xor",
            "left_shift",
            "right_shift",
            "gcd",
            "lcm",
            "nextafter",
            "histogram2d",
            "intersect1d",
            "setdiff1d",
            "setxor1d",
            "union1d",
            "polyadd",
            "polysub",
            "in1d",
        ]
    },
    "argpartition": lambda t: np.argpartition(t, 1),
    "can_cast": lambda t: np.can_cast(t, float),
    "digitize": lambda t: np.digitize(t, [0.0, 1.0]),
    "einsum_path": lambda t: np.einsum_path("i,i->", t, t),
    **{
        name: lambda t, name=name: getattr(np, name)(t * EYE)
        for name in ["diag_indices_from", "tril_indices_from", "triu_indices_from", "asmatrix"]
    },
    **{name: lambda t, name=name: getattr(np.linalg, name[7:])(t * EYE) for name in ["linalg.matrix_rank"]},
    "bmat": lambda t: np.bmat([[t * EYE]]),
    "copyto": lambda t: np.copyto(np.zeros(3), t),
    "fill_diagonal": lambda t: np.fill_diagonal(np.zeros((3, 3)), t),
    "place": lambda t: np.place(np.zeros(3), MASK, t),
    "put": lambda t: np.put(np.zeros(3), [0], t),
    "put_along_axis": lambda t: np.put_along_axis(np.zeros(3), np.array([0]), t[:1], 0),
    "putmask": lambda t: np.putmask(np.zeros(3), MASK, t),
    "frompyfunc": lambda t: np.frompyfunc(lambda x: x * x, 1, 1)(t),
    "vectorize": lambda t: np.vectorize(lambda x: x * x)(t),
    "fromiter": lambda t: np.fromiter(t, float),
    "array": lambda t: np.array([[t[0], t[1]], [0.0, 1.0]]),
    "asarray": lambda t: np.asarray([t[0], 1.0]),
    "full": lambda t: np.full((2,), t[0]),
    "kaiser": lambda t: np.kaiser(4, t[0]),
    "histogram_bin_edges": lambda t: np.histogram_bin_edges(t, 3),
    "histogram": lambda t: np.histogram(t, 3, density=True),
    "histogramdd": lambda t: np.histogramdd([t, t], 3),
    "ravel_multi_index": lambda t: np.ravel_multi_index((t,), (3,)),
    "unravel_index": lambda t: np.unravel_index(t, (3,)),
    **{
        name: lambda t, name=name: getattr(np, name)(t[0])
        for name in [
            "arange",
            "bartlett",
            "blackman",
            "hamming",
            "hanning",
            "diag_indices",
            "empty",
            "eye",
            "identity",
            "indices",
            "ones",
            "tri",
            "tril_indices",
            "triu_indices",
            "zeros",
            "format_float_positional",
            "format_float_scientific",
        ]
    },
    "mask_indices": lambda t: np.mask_indices(t[0], np.triu),
}
WRITE_FILES = ("save", "savetxt", "savez", "savez_compressed")  # a test of their own writes them


def public_names() -> list[str]:
    """List what this NumPy has."""
    return sorted({prefix + name for prefix, space in SPACES.items() for name in space.__all__})
