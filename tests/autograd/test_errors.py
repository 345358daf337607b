"""Every message a user can see says what happened, where, and what to do; and each error is a standard Python type."""

import ast
import builtins
import inspect
import pickle
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, errors

STANDARD = {
    "ShapeError": ValueError,
    "DTypeError": TypeError,
    "ConversionError": TypeError,
    "MissingRule": TypeError,
    "RuleError": TypeError,
    "GraphError": RuntimeError,
    "InPlaceError": RuntimeError,
    "ArgumentError": ValueError,
    "GradientError": AssertionError,
    "MissingExtra": ImportError,
    "NameClash": ImportError,
    "FileError": ValueError,
    "MissingFile": FileNotFoundError,
}
FAMILY = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}


def leaf(data=(1.0, 2.0), **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def test_one_family():
    assert ag.AutogradError is errors.AutogradError
    for name, standard in STANDARD.items():
        assert issubclass(FAMILY[name], standard)
    for name, kind in FAMILY.items():
        assert issubclass(kind, errors.AutogradError)
        assert name == "AutogradError" or len(kind.__bases__) == 2, f"{name} is no standard Python type"
        assert str(pickle.loads(pickle.dumps(kind("said")))) == "said"


def test_control_characters_in_a_message_are_written_out():
    for name, kind in FAMILY.items():
        text = str(kind("a\x1b[2Jb\r\u202e\x9b\nmeant é 日"))
        assert text == "a\\x1b[2Jb\\r\\u202e\\x9b\nmeant é 日", name


def no_grad_result():
    with ag.no_grad():
        return (leaf() * 2).sum()


def twice():
    y = (leaf() ** 2).sum()
    y.backward()
    y.backward()


def changed():
    w = leaf(name="weight")
    y = (w * w).sum()
    w.data -= 1
    y.backward()


def under_no_grad(change):
    y = leaf() * 2
    with ag.no_grad():
        change(y)


def plus(y):
    y += 1


def assign(t, value=5.0):
    t[0] = value


# what happened: (how, kind, where it was, what to do)
MESSAGES = {
    "backward without a graph": (
        lambda: Tensor(1.0).backward(),
        "GraphError",
        "needs no gradient",
        "requires_grad=True",
    ),
    "backward under no_grad": (lambda: no_grad_result().backward(), "GraphError", "backward", r"no_grad\(\)"),
    "backward of a vector": (lambda: leaf().backward(), "GraphError", r"shape \(2,\)", r"\.sum\(\).*gradient="),
    "gradient of another shape": (
        lambda: leaf().backward(np.ones(3)),
        "ShapeError",
        r"backward\(gradient=\)",
        r"\(2,\), got \(3,\)",
    ),
    "backward twice": (twice, "GraphError", "'sum'|'power'|'square'", "retain_graph=True"),
    "changed in place": (
        changed,
        "InPlaceError",
        r"'a' 'weight' of 'multiply', shape \(2,\)",
        "Change it after backward",
    ),
    "in-place on a leaf": (lambda: plus(leaf()), "InPlaceError", "in-place add on a leaf", r"no_grad\(\)"),
    "in-place on a result": (
        lambda: under_no_grad(plus),
        "InPlaceError",
        "result of 'multiply'",
        r"\.detach\(\) or a copy",
    ),
    "assigning into a leaf": (lambda: assign(leaf()), "InPlaceError", "assigning into a leaf", r"y = x \* 1"),
    "assigning into a result": (
        lambda: under_no_grad(assign),
        "InPlaceError",
        "the result of 'multiply'",
        r"\.detach\(\) or a copy",
    ),
    "data of a result": (lambda: setattr(leaf() * 2, "data", 1.0), "InPlaceError", "'multiply'", r"\.detach\(\)"),
    "retain_grad of a constant": (
        lambda: Tensor(1.0).retain_grad(),
        "GraphError",
        r"retain_grad\(\)",
        "needs no gradient",
    ),
    "requires_grad off": (
        lambda: setattr(leaf() * 2, "requires_grad", False),
        "GraphError",
        "'multiply'",
        r"\.detach\(\)",
    ),
    "integers": (lambda: leaf(np.arange(2)), "DTypeError", "int64", r"\.astype\(float\)"),
    "integers later": (lambda: setattr(Tensor([1]), "requires_grad", True), "DTypeError", "int64", "dtype=float"),
    "complex to real": (lambda: (leaf() * 1j).astype(float), "DTypeError", r"astype\(float64\)", r"x\.real"),
    "complex in a real op": (lambda: np.maximum(leaf() * 1j, 0), "DTypeError", "maximum is for real", r"x\.real"),
    "text": (lambda: Tensor("a"), "DTypeError", "from str", "holds numbers"),
    "text operand": (lambda: leaf() + "a", "DTypeError", "add got dtype", "only numbers"),
    "ragged": (lambda: Tensor([[1.0], [1.0, 2.0]]), "ShapeError", "nested lists", "form an array"),
    "item of a vector": (lambda: leaf().item(), "ShapeError", r"item\(\)", r"shape \(2,\)"),
    "grad of another shape": (lambda: setattr(leaf(), "grad", np.ones(3)), "ShapeError", r"\(2,\)", r"got \(3,\)"),
    "to an array": (lambda: np.asarray(leaf()), "ConversionError", "plain array", r"np\.stack.*\.detach\(\)"),
    "list of Tensors": (lambda: Tensor([leaf(), leaf()]), "ConversionError", "list of Tensors", r"ag\.array"),
    "Tensor of a Tensor": (lambda: Tensor(leaf()), "ConversionError", r"Tensor\(tensor\)", r"\.detach\(\)"),
    "array += tensor": (
        lambda: np.add(np.ones(2), leaf(), out=np.ones(2)),
        "ConversionError",
        r"np\.add",
        r"a = a \+ t",
    ),
    "out=tensor": (lambda: np.exp(np.ones(2), out=leaf()), "ConversionError", r"np\.exp", r"t = np\.exp"),
    "out= of a function": (lambda: np.sum(leaf(), out=np.zeros(())), "ConversionError", r"np\.sum", "without out="),
    "no rule": (
        lambda: np.datetime_as_string(leaf()),
        "MissingRule",
        r"np\.datetime_as",
        r"x\.detach\(\).*autograd\.op",
    ),
    "no rule, alternative": (lambda: np.unique(leaf()), "MissingRule", r"np\.unique", r"np\.sort"),
    "ufunc option": (
        lambda: np.exp(leaf(), where=np.array([True, False])),
        "MissingRule",
        r"np\.exp\(…, where=…\)",
        r"np\.where",
    ),
    "ufunc method": (lambda: np.nextafter.reduce(leaf()), "MissingRule", r"np\.nextafter\.reduce", "use that"),
    "pickling a result": (lambda: pickle.dumps(leaf() * 2), "GraphError", "'multiply'", r"t\.detach\(\) or"),
    "argnums": (lambda: ag.grad(np.sin, 1)(1.0), "ArgumentError", "grad: argnums 1", "1 arguments"),
    "grad of a vector": (lambda: ag.grad(np.sin)(np.ones(2)), "ShapeError", r"grad: .*\(2,\)", r"jacobian.*\.sum\(\)"),
    "grad of integers": (lambda: ag.grad(np.sin)(np.arange(2)), "DTypeError", "grad: .*int64", r"\.astype\(float\)"),
    "tangents": (lambda: ag.jvp(np.sin, (1.0,), ()), "ShapeError", "jvp", "1 tangents, one per argument, got 0"),
    "cotangents": (
        lambda: ag.vjp(np.sin, 1.0)[1]((1.0, 2.0)),
        "ShapeError",
        "pullback",
        "1 gradients, one per output, got 2",
    ),
    "shapes that do not fit": (lambda: leaf(np.ones((2, 3))) + np.ones(4), "ValueError", r"\(2,3\)", r"\(4,\)"),
    "matmul shapes": (lambda: leaf(np.ones((2, 3))) @ np.ones(4), "ValueError", "matmul", ""),
    "reshape": (lambda: leaf(np.ones(6)).reshape(4), "ValueError", "size 6", r"\(4,\)"),
    "index": (lambda: leaf()[5], "IndexError", "index 5", "size 2"),
    "checkpoint": (
        lambda: ag.checkpoint(lambda x: (x, 3.0))(leaf()),
        "AutogradError",
        r"checkpoint\(<lambda>\)",
        "must return",
    ),
    "gelu": (lambda: ag.gelu(1.0, approximate="yes"), "ArgumentError", "gelu", "'none' or 'tanh', got 'yes'"),
    "order": (lambda: ag.check_grads(np.sin, 1.0, order=-1), "ArgumentError", "check_grads", "at least 1"),
    "nothing to vary": (lambda: ag.check_grads(np.sin, 1), "ArgumentError", "check_grads", "floating-point"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    how, kind, where, advice = MESSAGES[name]
    with pytest.raises(FAMILY.get(kind) or getattr(builtins, kind)) as caught:
        how()
    text = str(caught.value)
    assert re.search(where, text), text
    assert re.search(advice, text), text
    assert "  " not in text
    assert "\n" not in text or kind not in FAMILY


@pytest.mark.parametrize("name", [name for name, (_, kind, *_) in MESSAGES.items() if kind in FAMILY])
def test_errors_leave_recording_on(name):
    with pytest.raises(errors.AutogradError):
        MESSAGES[name][0]()
    assert ag.is_grad_enabled()


ENGINE = Path(ag.__file__).parent
WORD = re.compile(r"[\w().=']+")


def raised_messages():
    """Read from the source where our errors are raised, and the longest constant part of what they say."""
    for path in sorted(ENGINE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            call = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in FAMILY and call.args:
                parts = [part.value for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)]
                yield (
                    f"{path.name}:{node.lineno}",
                    max((part for part in parts if isinstance(part, str)), key=len, default=""),
                )


def test_every_message_of_the_engine_is_read_by_a_test():
    """The longest constant part of each message shares two words in a row with a test: none goes unread."""
    sources = [
        path.read_text(encoding="utf-8").replace("\\", "") for path in Path(__file__).parent.parent.rglob("test_*.py")
    ]
    read = " ".join(WORD.findall(" ".join(sources)))
    unread = []
    for place, text in raised_messages():
        words = WORD.findall(text)
        if len(words) > 1 and not any(f"{a} {b}" in read for a, b in pairwise(words)):
            unread.append((place, text))
    assert not unread
