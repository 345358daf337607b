"""How one step is spelled: as an operator, a method, a function of NumPy's, or the expression that declares an op."""

import ast
import builtins
import inspect
import math
import operator
from typing import Any

import numpy as np

from autograd.programs.definitions import expression_of, place_of, put
from autograd.programs.simplify import add_at
from autograd.programs.values import Step, Value, is_write, names_places, values_in
from autograd.rules import parameters_of

OPERATORS: dict[Any, str] = {
    operator.gt: ">", operator.lt: "<", operator.ge: ">=", operator.le: "<=", operator.eq: "==", operator.ne: "!=",
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.matmul: "@", np.greater: ">", np.less: "<",
    np.greater_equal: ">=", np.less_equal: "<=", np.equal: "==", np.not_equal: "!=", operator.and_: "&",
    operator.or_: "|", operator.xor: "^",
}  # fmt: skip
_COMMUTE = (np.add, np.multiply)
_IN_PLACE = (np.add, np.subtract, np.multiply, np.divide)
_SIGNS: dict[Any, str] = {np.negative: "-", operator.invert: "~", np.invert: "~"}
# What is called so in a formula. Any other result has the name of the function that gives it.
LETTERS = {
    "matmul": "z", "linear": "z", "multiply": "p", "subtract": "diff", "add": "s", "divide": "q", "getitem": "part",
    "gather": "part", "sum": "total", "max": "peak", "min": "least", "greater": "mask", "less": "mask", "gt": "mask",
    "lt": "mask", "ge": "mask", "le": "mask", "eq": "same", "equal": "same", "ne": "other", "not_equal": "other",
    "invert": "rest", "negative": "minus", "power": "square", "as_index": "places", "class_indices": "labels",
    "absolute": "size", "reshape": "reshaped", "select": "kept", "make_mask": "mask",
    "indices": "places", "ratio": "q", "astype": "cast",
}  # fmt: skip


class Spelling:
    """Write the expression of a step, given how its values and constants are called."""

    def name(self, value: Value, label: str = "") -> str:
        raise NotImplementedError

    def constant(self, x: Any, label: str) -> str:
        raise NotImplementedError

    def call(self, step: Step) -> str:
        """Write the expression of one step."""
        inputs, own = (
            [self.expression(x) for x in step.inputs],
            step.op is not None and step.op.forward is step.function,
        )
        if step.function is np.transpose:
            return f"{inputs[0]}.T"
        if step.function is np.expand_dims and (index := new_axis(step)):
            return f"{inputs[0]}[{index}]"
        sign = OPERATORS.get(step.function) if _is_hashable(step.function) else None
        if sign and len(inputs) == 2 and not step.kwargs:
            return f"{inputs[0]} {sign} {inputs[1]}"
        if not step.kwargs and _is_hashable(step.function) and (sign := _SIGNS.get(step.function, "")):
            return f"{sign}{inputs[0]}"
        keywords = {k: self.expression(v, k) for k, v in step.kwargs.items() if not self._is_default(step, k, v)}
        if own and step.op.name in ("getitem", "gather"):
            return f"{inputs[0]}[{self.index(step.kwargs['index'])}]"
        if own and step.op.name in _METHODS:
            written = _METHODS[step.op.name](inputs, keywords, step)
            if written:
                return str(written)
        return self._inlined(step, inputs) or self._called(step, inputs, keywords)

    def _called(self, step: Step, inputs: list[str], keywords: dict[str, str]) -> str:
        """Write a call; of the rules of an op constants are told by name."""
        function, f = self.function(step), step.function
        names = (
            [name for name, _, _ in parameters_of(f)] if step.label.endswith("_vjp") and hasattr(f, "__code__") else []
        )
        if len(names) >= len(inputs):
            while inputs and not any(values_in(step.inputs[len(inputs) - 1])):
                keywords = {names[len(inputs) - 1]: inputs.pop(), **keywords}
        return f"{function}({', '.join([*inputs, *[f'{k}={v}' for k, v in keywords.items()]])})"

    def _inlined(self, step: Step, inputs: list[str]) -> str:
        """Write the expression that a function consists of, if it is one."""
        tree = expression_of(step.function) if not place_of(step.function) and not step.packed else None
        if tree is None:
            return ""
        parameters = parameters_of(step.function)
        given = dict(zip([name for name, _, _ in parameters], step.inputs, strict=False)) | step.kwargs
        known = {name: given.get(name, default) for name, default, _ in parameters}
        if any(x is _MISSING for x in known.values()) or len(inputs) > len(parameters):
            return ""
        trees = {name: ast.parse(self.expression(x), mode="eval").body for name, x in known.items()}
        return ast.unparse(_briefly(put(tree, trees)))

    @staticmethod
    def changes(step: Step) -> bool:
        """Tell whether a step is one like ``z += b``."""
        at = [i for i, x in enumerate(step.inputs) if x is step.out]
        return step.function in _IN_PLACE and not step.turned and (0 in at or (bool(at) and step.function in _COMMUTE))

    def changed(self, step: Step, name: str) -> str:
        """Write such a step."""
        a, b = step.inputs
        return f"{name} {OPERATORS[step.function]}= {self.expression(b if a is step.out else a)}"

    def put_in(self, step: Step, name: str) -> list[str]:
        """Write on its lines what puts a part into an array; [] for any other step."""
        if step.function is add_at:
            a, b = map(self.expression, step.inputs)
            return [f"{a}[{self.index(step.kwargs['index'])}] += {b}"]
        if step.function is np.copyto:
            a, b = map(self.expression, step.inputs)
            return [f"{a}[...] = {b}"]
        if step.op is None or step.op.forward is not step.function or not step.outputs[0].shape:
            return []
        x, out = self.expression(step.inputs[0]), step.outputs[0]
        if step.op.name == "scatter" and (step.kwargs.get("unique") or not names_places(step.kwargs["index"])):
            return [
                f"{name} = np.zeros({out.shape}, np.{out.dtype.name})",
                f"{name}[{self.index(step.kwargs['index'])}] = {x}",
            ]
        if not is_write(step):
            return []
        own = x if step.out is not None else f"{x}.copy('K')"
        line = f"{name}[{self.index(step.kwargs['index'])}] = {self.expression(step.inputs[1])}"
        return [line] if own == name else [f"{name} = {own}", line]

    @staticmethod
    def _is_default(step: Step, key: str, value: Any) -> bool:
        if (step.op is None or step.op.forward is not step.function) and not place_of(step.function).startswith("np."):
            return False
        try:
            default = {name: default for name, default, _ in parameters_of(step.function)}.get(key, ...)
        except ValueError:  # it tells none
            return False
        return value is default or (
            isinstance(value, bool | int | str) and type(value) is type(default) and value == default
        )

    def function(self, step: Step) -> str:
        """Name the function of a step."""
        f = step.function
        place = place_of(f)
        if place.startswith("np."):
            return "np.abs" if f is np.absolute else place
        label = step.label
        if label in vars(builtins):  # max, which tells the places of the largest as well
            label = "_and_".join([label, *(step.op.cache if step.op is not None else ())]) + "_of" * (not step.packed)
        return self.constant(f, label)

    def expression(self, x: Any, label: str = "") -> str:
        """Write a value or a constant; an object that no text can hold is called by its label."""
        if isinstance(x, Value):
            return self.name(x)
        if isinstance(x, tuple) and not hasattr(x, "_fields"):
            return f"({', '.join(map(self.expression, x))}{',' if len(x) == 1 else ''})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.expression, x))}]"
        if isinstance(x, dict):
            return "{" + ", ".join([f"{k!r}: {self.expression(v)}" for k, v in x.items()]) + "}"
        if isinstance(x, slice):
            return f"slice({self.expression(x.start)}, {self.expression(x.stop)}, {self.expression(x.step)})"
        if x is None or x is Ellipsis or type(x) in (bool, int, str):
            return "..." if x is Ellipsis else repr(x)
        if type(x) is float and math.isfinite(x):
            return repr(x)
        if isinstance(x, type) and x in (bool, int, float):
            return x.__name__
        if isinstance(x, np.dtype) and x.isbuiltin == 1:
            return f"np.{x.name}" if x.name != "bool" else "bool"
        return self.constant(x, label if label and not isinstance(x, np.ndarray | np.generic) else called(x))

    def index(self, x: Any) -> str:
        """Write an index as between brackets."""
        if isinstance(x, tuple) and x:
            return ", ".join(map(self.index, x))
        if isinstance(x, slice):
            start, stop, step = ("" if part is None else self.expression(part) for part in (x.start, x.stop, x.step))
            return f"{start}:{stop}{':' if step else ''}{step}"
        return self.expression(x)


_MISSING: Any = inspect.Parameter.empty


def _briefly(tree: ast.expr) -> ast.expr:
    """Name the later arguments of a function of NumPy's, ``np.var(x, axis=0)``, but for those that are defaults."""
    if not isinstance(tree, ast.Call):
        return tree
    try:
        f = operator.attrgetter(ast.unparse(tree.func).removeprefix("np."))(np)
        parameters = list(inspect.signature(f).parameters.values())
    except (ValueError, TypeError, AttributeError):
        return tree
    pairs = list(zip(parameters, tree.args, strict=False))
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    if len(pairs) < len(tree.args) or any(each.kind not in plain for each, _ in pairs):
        return tree
    first = next((i for i, (each, _) in enumerate(pairs) if each.default is not each.empty), len(pairs))
    if any(each.kind != each.POSITIONAL_OR_KEYWORD for each, _ in pairs[first:]):
        return tree
    named = [*[ast.keyword(each.name, value) for each, value in pairs[first:]], *tree.keywords]
    told = {f"{each.name}={each.default!r}" for each in parameters} | {"keepdims=False"}
    tree.args = tree.args[:first]
    tree.keywords = [each for each in named if f"{each.arg}={ast.unparse(each.value)}" not in told]
    return tree


def _summed(inputs: list[str], keywords: dict[str, str], step: Step) -> str:
    """Write a sum, or a mean as the sum by the number of its terms, which has its bits and takes half its time."""
    x, y = step.inputs[0], step.outputs[0]
    mean = step.op.name == "mean"
    if not isinstance(x, Value) or (
        mean and (keywords.get("dtype") or x.dtype.char not in "fd" or not math.prod(y.shape) or not x.shape)
    ):
        return ""
    axis = step.kwargs.get("axis")
    if isinstance(axis, tuple) and len(axis) == 1:
        keywords["axis"] = repr(axis[0])
    total = f"{inputs[0]}.sum({', '.join([f'{k}={v}' for k, v in keywords.items()])})"
    count = math.prod(x.shape) // max(1, math.prod(y.shape))
    return f"{total} / {count}" if mean else total


def _joined(inputs: list[str], keywords: dict[str, str], step: Step) -> str:
    if step.op.name == "stack" and all(x.shape == () for x in step.inputs if isinstance(x, Value)):
        return "" if keywords or step.outputs[0].dtype != np.float64 else f"np.array([{', '.join(inputs)}])"
    more = "".join([f", {k}={v}" for k, v in keywords.items()])
    return f"np.{step.op.name}([{', '.join(inputs)}]{more})"


_METHODS: dict[str, Any] = {
    "select": lambda x, kw, step: f"select({kw['mask']}, {x[0]})",
    "transpose": lambda x, kw, step: f"{x[0]}.transpose({kw['axes']})" if "axes" in kw else f"{x[0]}.T",
    "reshape": lambda x, kw, step: f"{x[0]}.reshape({_listed(kw['shape'])})" if "order" not in kw else None,
    "matmul": lambda x, kw, step: f"{x[0]} @ {x[1]}",
    "where": lambda x, kw, step: f"np.where({kw['condition']}, {x[0]}, {x[1]})",
    "astype": lambda x, kw, step: f"{x[0]}.astype({kw['dtype']})",
    "broadcast_to": lambda x, kw, step: f"np.broadcast_to({x[0]}, {kw['shape']})",
    "einsum": lambda x, kw, step: f"np.einsum({', '.join([kw['subscripts'], *x])})" if len(x) < 2 else None,
    "sum": _summed,
    "mean": _summed,
    "stack": _joined,
    "concatenate": _joined,
}


def new_axis(step: Step) -> str:
    """Write the index that gives an array one more axis: NumPy's function for it takes ten times as long."""
    axis, x = step.kwargs.get("axis"), step.inputs[0]
    if type(axis) is not int or len(step.inputs) != 1 or not isinstance(x, Value) or not x.shape:
        return ""
    parts = [":" for _ in x.shape]
    parts.insert(axis % (len(parts) + 1), "None")
    return ", ".join(parts)


def is_plain(step: Step) -> bool:
    """Tell whether a step is one operator, or one call of NumPy's, on what it reads: each of it stands there once."""
    if step.packed or step.effect or step.dynamic or step.number or step.inner or len(step.outputs) != 1:
        return False
    if step.op is not None and step.op.forward is step.function and step.op.name in _PLAIN:
        return True
    if _is_hashable(step.function) and (step.function in OPERATORS or step.function in _SIGNS):
        return True
    return isinstance(step.function, np.ufunc) or place_of(step.function).startswith("np.")


_PLAIN = {*_METHODS, "getitem", "gather"}


def _listed(shape: str) -> str:
    return shape[1:-1].rstrip(",") if shape.startswith("(") and shape != "()" else shape


def is_even(x: Any) -> bool:
    """Tell whether an array holds one number throughout, which is not -0."""
    even = x.size > 0 and x.dtype.kind in "fiu" and (x == x.flat[0]).all()
    return bool(even) and not (x.flat[0] == 0 and bool(np.signbit(x).any()))


def written(x: Any) -> str:
    """Write a constant that one line can make; of others there is the name only."""
    if _is_eye(x):
        return f"np.eye({len(x)}, dtype=np.{x.dtype.name})"
    if _is_range(x):
        return f"np.arange({len(x)})"
    if not isinstance(x, np.ndarray | np.generic) or not is_even(x) or not np.isfinite(x.flat[0]):
        return ""
    number, dtype = short(x.flat[0]), f"np.{x.dtype.name}"
    if isinstance(x, np.generic):
        return f"{dtype}({number})"
    if not x.ndim:
        return f"np.array({number}, {dtype})"
    made = {0: f"np.zeros({x.shape}", 1: f"np.ones({x.shape}"}.get(x.flat[0], f"np.full({x.shape}, {number}")
    return f"{made}, {dtype})"


def _is_eye(x: Any) -> bool:
    """Tell whether an array is a unit matrix in C order."""
    square = isinstance(x, np.ndarray) and x.ndim == 2 and 1 < len(x) == len(x.T) <= 1000 and x.dtype.kind == "f"
    return square and x.flags.c_contiguous and x.tobytes() == np.eye(len(x), dtype=x.dtype).tobytes()


def _is_range(x: Any) -> bool:
    """Tell whether an array is 0, 1, 2, …, as an index for each row."""
    row = isinstance(x, np.ndarray) and x.ndim == 1 and len(x) > 2 and x.dtype == np.intp
    return row and bool((x == np.arange(len(x))).all())


def short(number: Any) -> str:
    """Write a number with as few digits as tell it from others of its dtype: 0.2 of float32."""
    text = str(number)
    return text if number.dtype.type(float(text)) == number and number.dtype.kind == "f" else repr(number.item())


def called(x: Any) -> str:
    """Name a constant by its number, where that is short: ``one``, ``c2``, ``minus0_5``."""
    if not isinstance(x, np.ndarray | np.generic) or not is_even(x):
        return "eye" if _is_eye(x) else "rows" if _is_range(x) else "c"
    number: Any = x.flat[0]
    if x.ndim:
        return {0: "zeros", 1: "ones"}.get(number, "c")
    if number in (0, 1, 0.5):
        return {0: "zero", 1: "one", 0.5: "half"}[number]
    text = short(abs(number)).removesuffix(".0")
    readable = len(text) < 7 and text.replace(".", "").isdigit()
    return f"{'minus' if number < 0 else 'c'}{text.replace('.', '_')}" if readable else "c"


def _is_hashable(x: Any) -> bool:
    return isinstance(x, np.ufunc) or type(x) is type(operator.gt)
