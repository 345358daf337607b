"""One node after the other, as files of other programs hold them: dtypes, shapes, attributes, inputs left out."""

import itertools

import numpy as np

RNG = np.random.default_rng(0)
ALL = ("f4", "f8", "i4", "i8", "u1", "b1")


def draw(dtype, *shape):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return RNG.uniform(-2, 2, shape).astype(dtype)
    return RNG.integers({"b": 0, "u": 0}.get(dtype.kind, -9), 2 if dtype.kind == "b" else 9, shape).astype(dtype)


def ints(*values):
    return np.array(values, np.int64)


def case(op, *inputs, opset=17, outputs=1, **attributes):
    """Describe one node; its first input is the file's, the others are constants where they are integers."""
    return op, inputs, opset, outputs, attributes


def unary():
    names = (
        "Neg Abs Reciprocal Sqrt Exp Log Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh Sign Floor "
        "Ceil Round Not ArgMax ArgMin IsNaN "
        "Relu Sigmoid Softplus LeakyRelu Elu Softmax LogSoftmax Identity Transpose Squeeze Shape Trilu"
    )
    for op, dtype, shape in itertools.product(names.split(), ALL, ((2, 3), (), (0, 3), (2, 1, 3))):
        yield case(op, draw(dtype, *shape))


COMPARED = ("Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Equal")


def binary():
    for op, dtype in itertools.product(
        ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mod", *COMPARED), (*ALL, "i1", "u4")
    ):
        for first, second in (((2, 3), (3,)), ((), (2,)), ((0, 3), (3,)), ((), ())):
            b = draw(dtype, *second)
            if op in ("Div", "Mod") and dtype != "b1":
                b = np.where(b == 0, np.array(3, dtype), b).astype(dtype)
            for attributes in ({}, {"fmod": 1}) if op == "Mod" else ({},):
                yield case(op, draw(dtype, *first), b, **attributes)


def powers():
    for one, other in itertools.product(("f4", "f8", "i4", "i8"), ("f4", "f8", "i4", "i8", "u1")):
        yield case("Pow", np.abs(draw(one, 2, 3)) + np.array(1, one), draw(other, 3))
        yield case("Pow", draw(one, 2, 3), np.abs(draw(other, 3)))


def reductions():
    for op in ("ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceLogSumExp", "ReduceL2"):
        for dtype, opset, axes in itertools.product(ALL, (17, 18), (None, (), (0,), (0, -1))):
            for keepdims, noop in itertools.product((0, 1), (0, 1)):
                as_input = op == "ReduceSum" or opset >= 18
                x = draw(dtype, 2, 1, 3)
                if as_input:
                    given = () if axes is None else (ints(*axes),)
                    yield case(op, x, *given, opset=opset, keepdims=keepdims, noop_with_empty_axes=noop)
                elif axes != () and not noop:
                    yield case(op, x, opset=opset, keepdims=keepdims, **({} if axes is None else {"axes": axes}))
        yield case(op, draw("f4", 0, 3), ints(0), opset=18)


def slices():
    x = draw("f4", 4, 5)
    for start, end, axis, step in itertools.product((0, -2, -9, 9), (1, -1, -9, 2**62, -(2**62)), (0, -1), (1, -1, -2)):
        yield case("Slice", x, ints(start), ints(end), ints(axis), ints(step))
    yield case("Slice", x, ints(1, 0), ints(3, 2))
    yield case("Slice", x, ints(1, 0), ints(3, 2), None, ints(2, 1))
    yield case("Slice", draw("i8", 0, 2), ints(-1), ints(-9), ints(0), ints(-1))


def shapes():
    for dtype in ("f4", "i8", "b1"):
        x, number = draw(dtype, 4, 5, 6), draw(dtype)
        for sizes, options in (((), {}), ((1, 3), {}), ((0, 4), {}), ((), {"axis": 2}), ((), {"axis": 1})):
            yield case("Split", x, *[ints(*sizes)] * bool(sizes), outputs=2, **options)
        yield case("Split", x, opset=18, outputs=4, axis=1, num_outputs=4)
        yield case("Pad", x, ints(0, 1, 0, 0, 0, 2))
        yield case("Pad", x, ints(0, 1, 0, 0, 0, 2), number)
        yield case("Pad", x, ints(0, -1, 0, 0, 0, 2))
        yield case("Pad", x, ints(1, 2), None, ints(-2), opset=18)
        yield case("Pad", x, ints(0, 1, 0, 0, 0, 2), mode="reflect")
        yield case("Squeeze", draw(dtype, 1, 2, 1), ints())
        yield case("Squeeze", draw(dtype, 1, 2, 1), ints(-1))
        yield case("Unsqueeze", x, ints(2, 0, -1))
        for shape in ((0, -1), (0, 0, 0), (-1,), (7, 7)):
            yield case("Reshape", x, ints(*shape))
        yield case("Reshape", draw(dtype, 0, 3), ints(3, 0), allowzero=1)
        yield case("Reshape", number, ints())
        yield case("Expand", draw(dtype, 3, 1), ints(2, 1, 4))
        yield case("Tile", draw(dtype, 2, 3), ints(2, 0))
        yield case("Concat", x, axis=-1)
        yield case("Gather", x, ints(-1, 0))
        yield case("Gather", x, np.array(-1), axis=-1)
        yield case("Gather", x, ints(9))
        yield case("GatherND", x, np.array([[0, 1], [-1, 2]]))
        yield case("GatherND", x, np.array([[0], [1], [2], [0]]), batch_dims=1)
        yield case("Transpose", x, perm=(2, 0, 1))
        yield case("Trilu", x, np.array(-1), upper=0)
        for options in ({"start": 1}, {"start": -2, "end": -1}, {"start": -9, "end": 9}, {"start": 2, "end": 1}):
            yield case("Shape", x, **options)
        yield case("Where", draw("b1", 3, 1), draw(dtype, 3, 2), number)
        yield case("Einsum", draw(dtype, 2, 3), draw(dtype, 3, 2), equation="ij , jk")
        for kind in (1, 11, 6, 7, 2, 9, 10):
            yield case("Cast", draw(dtype, 2, 3), to=kind)
    for dtype, options in itertools.product(ALL, ({}, {"reverse": 1}, {"exclusive": 1})):
        yield case("CumSum", draw(dtype, 2, 3), np.array(-1), **options)
        yield case("CumSum", draw(dtype, 2, 3), ints(0), **options)


def products():
    for dtype in ("f4", "f8", "i4", "i8", "u4"):
        for a, b in (((2, 3), (3, 4)), ((3,), (3,)), ((5, 2, 3), (3, 4)), ((3,), (5, 3, 2)), ((2, 0), (0, 2))):
            yield case("MatMul", draw(dtype, *a), draw(dtype, *b))
        for options in ({}, {"transA": 1}, {"transB": 1}, {"alpha": 0.5, "beta": 2.0}, {"beta": 0.0}):
            a, b = (3, 2) if "transA" in options else (2, 3), (4, 3) if "transB" in options else (3, 4)
            for c in ([], [(4,)], [(2, 1)], [()]):
                yield case("Gemm", draw(dtype, *a), draw(dtype, *b), *[draw(dtype, *shape) for shape in c], **options)


def windows():
    image, row, cube = draw("f4", 2, 4, 7, 6), draw("f4", 2, 4, 9), draw("f4", 1, 2, 3, 4, 5)
    ways = ({}, {"strides": (2, 1)}, {"pads": (1, 0, 2, 1)}, {"dilations": (2, 1)}, {"auto_pad": "SAME_UPPER"})
    for options in (*ways, {"auto_pad": "NOTSET"}, {"kernel_shape": (3, 2)}):
        yield case("Conv", image, draw("f4", 4, 2, 3, 2), draw("f4", 4), group=2, **options)
    yield case("Conv", row, draw("f4", 3, 4, 2), pads=(1, 2), strides=(2,))
    for options in (
        {},
        {"strides": (2, 3)},
        {"pads": (1, 0, 1, 1)},
        {"dilations": (2, 1)},
        {"strides": (2, 2), "output_padding": (1, 1)},
        {"auto_pad": "SAME_UPPER"},
    ):
        yield case("ConvTranspose", image, draw("f4", 4, 3, 3, 2), draw("f4", 6), group=2, **options)
    yield case("ConvTranspose", row, draw("f4", 4, 3, 2), strides=(2,), pads=(1, 0))
    for slope in (draw("f4", 1), draw("f4", 4, 1, 1), draw("f4", *image.shape)):
        yield case("PRelu", image, slope)
    yield case("Conv", cube, draw("f4", 3, 2, 2, 2, 2))
    for op in ("MaxPool", "AveragePool"):
        for options in (
            *(
                {},
                {"strides": (2, 2)},
                {"pads": (1, 1, 1, 1)},
                {"pads": (1, 0, 0, 1)},
                {"ceil_mode": 1, "strides": (2, 2)},
            ),
            *({"auto_pad": "SAME_LOWER"}, {"dilations": (2, 2)} if op == "MaxPool" else {"count_include_pad": 1}),
        ):
            yield case(op, image, kernel_shape=(2, 2), **options)
        yield case(op, row, kernel_shape=(3,), strides=(2,), pads=(1, 1))
        yield case(op, cube, kernel_shape=(2, 2, 2))
    yield case("MaxPool", image, outputs=2, kernel_shape=(2, 2))
    yield case("MaxPool", draw("i1", 2, 4, 7, 6), kernel_shape=(2, 2))


def normalizations():
    for options in ({}, {"axis": 1}, {"axis": -2}, {"epsilon": 0.1}):
        shape = (2, 3, 4)[options.get("axis", -1) :]
        for count in (1, 2):
            weights = [draw("f4", *shape) for _ in range(count)]
            yield case("LayerNormalization", draw("f4", 2, 3, 4), *weights, **options)
    yield case("LayerNormalization", draw("f4", 2, 4), draw("f4", 4), draw("f4", 4), outputs=3)
    for options in ({}, {"momentum": 0.1}, {"epsilon": 0.1}):
        given = [draw("f4", 3) for _ in range(3)], np.abs(draw("f4", 3)) + np.float32(1)
        yield case("BatchNormalization", draw("f4", 2, 3, 4), *given[0], given[1], **options)


def recurrent():
    for (op, gates), direction in itertools.product(
        (("RNN", 1), ("GRU", 3), ("LSTM", 4)), ("forward", "reverse", "bidirectional")
    ):
        ways = 1 + (direction == "bidirectional")
        x, h, peep = draw("f4", 4, 2, 3), draw("f4", ways, 2, 5), draw("f4", ways, 15)
        w, r, b = draw("f4", ways, gates * 5, 3), draw("f4", ways, gates * 5, 5), draw("f4", ways, 2 * gates * 5)
        base = {"outputs": 3 if op == "LSTM" else 2, "hidden_size": 5, "direction": direction}
        base |= {"linear_before_reset": 1} if op == "GRU" else {}
        for inputs in ([], [b], [b, np.array([4, 2], np.int32)], [b, None, h]):
            yield case(op, x, w, r, *inputs, **base)
        for options in (
            {"clip": 0.5},
            {"layout": 1},
            {"activations": ["Relu"] * ways} if op == "RNN" else {"outputs": 1},
        ):
            yield case(op, x, w, r, b, **base | options)
        yield case(op, x, w, r, **{name: value for name, value in base.items() if name != "hidden_size"})
        if op == "GRU":
            yield case(op, x, w, r, **base | {"linear_before_reset": 0})
        if op == "LSTM":
            for inputs in ([b, None, h, h], [b, None, h, h, peep], [b, None, None, h]):
                yield case(op, x, w, r, *inputs, **base)
            yield case(op, x, w, r, b, **base, input_forget=1)


GROUPS = [unary, binary, powers, reductions, slices, shapes, products, windows, normalizations, recurrent]
