"""no_grad and enable_grad: as contexts, and as decorators of functions, generators, coroutines and async generators."""

import asyncio
import inspect
import threading

import pytest

import autograd as ag
from autograd.modes import current

MODES = [(ag.no_grad, False), (ag.enable_grad, True)]
both = pytest.mark.parametrize(("mode", "inside"), MODES)


def recording():
    x = ag.Tensor(1.0, requires_grad=True)
    assert (x * 2).requires_grad == ag.is_grad_enabled()
    return ag.is_grad_enabled()


@both
def test_context(mode, inside):
    assert recording()
    with mode():
        assert recording() is inside
        with ag.enable_grad():
            assert recording()
            with ag.no_grad():
                assert not recording()
            assert recording()
        assert recording() is inside
    assert recording()


@both
def test_one_object_may_be_entered_again(mode, inside):
    again = mode()
    for _ in range(2):
        with again, again:
            assert recording() is inside
    assert recording()


@both
def test_one_object_in_two_threads(mode, inside):
    """Whoever leaves last, each thread goes back to its own state."""
    shared, entered, seen = mode(), threading.Barrier(2, timeout=30), []

    def run():
        with shared:
            entered.wait()
            seen.append(recording())
        seen.append(recording())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted([inside, inside, True, True])


@pytest.mark.parametrize("closed_inside", [True, False])
def test_generator_suspended_inside_a_context(closed_inside):
    """Its body leaks while it is suspended; leaving the contexts, in whatever order, ends that."""

    def numbers():
        with ag.no_grad():
            yield 1

    generator = numbers()
    next(generator)
    with ag.enable_grad():
        if closed_inside:
            generator.close()
    generator.close()
    assert recording()
    with ag.enable_grad():
        other = numbers()
        next(other)
    assert recording()


@both
def test_left_by_an_error(mode, inside):
    with pytest.raises(ZeroDivisionError), mode():
        raise ZeroDivisionError
    assert recording()


@both
def test_function(mode, inside):
    @mode()
    def f(a, *, b=2):
        """Say something."""
        return recording(), a + b

    assert f(1, b=5) == (inside, 6)
    assert recording()
    assert f.__name__ == "f"
    assert f.__doc__ == "Say something."


@both
def test_recursive_function(mode, inside):
    @mode()
    def f(n):
        return [recording(), *(f(n - 1) if n else [])]

    assert f(3) == [inside] * 4
    assert recording()


@both
def test_method_and_lambda(mode, inside):
    class Model:
        @mode()
        def run(self):
            return recording()

    assert Model().run() is inside
    assert mode()(lambda: recording())() is inside


@both
def test_generator(mode, inside):
    """The body is resumed inside the mode, the consumer runs outside of it."""

    @mode()
    def numbers():
        got = yield recording()
        assert got == "sent"
        try:
            yield recording()
        except KeyError:
            yield recording()
        return recording()

    steps = numbers()
    assert inspect.isgenerator(steps)
    assert next(steps) is inside
    assert recording()
    assert steps.send("sent") is inside
    assert recording()
    assert steps.throw(KeyError()) is inside
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value is inside
    assert recording()


@both
def test_generator_closed_early(mode, inside):
    seen = []

    @mode()
    def numbers():
        try:
            yield 1
        finally:
            seen.append(recording())

    steps = numbers()
    assert next(steps) == 1
    steps.close()
    assert seen == [inside]
    assert recording()


@both
def test_generator_delegated_to(mode, inside):
    @mode()
    def inner():
        yield recording()
        return "done"

    def outer():
        yield recording()
        result = yield from inner()
        yield result

    assert list(outer()) == [True, inside, "done"]


@both
def test_generator_raises(mode, inside):
    @mode()
    def numbers():
        yield 1
        raise LookupError("from inside")

    steps = numbers()
    next(steps)
    with pytest.raises(LookupError, match="from inside"):
        next(steps)
    assert recording()


@both
def test_coroutine(mode, inside):
    @mode()
    async def work(delay):
        await asyncio.sleep(delay)
        return recording()

    async def main():
        found = await asyncio.gather(work(0.002), work(0.001))
        return [*found, recording()]

    assert asyncio.iscoroutinefunction(work)
    assert asyncio.run(main()) == [inside, inside, True]


@both
def test_async_generator(mode, inside):
    seen = []

    @mode()
    async def numbers():
        try:
            got = yield recording()
            assert got == "sent"
            try:
                yield recording()
            except KeyError:
                yield recording()
        finally:
            seen.append(recording())

    async def main():
        steps = numbers()
        found = [await steps.asend(None), await steps.asend("sent"), await steps.athrow(KeyError())]
        assert recording()
        with pytest.raises(StopAsyncIteration):
            await steps.asend(None)
        early = numbers()
        await early.asend(None)
        await early.aclose()
        assert [x async for x in one()] == [inside]
        return found

    @mode()
    async def one():
        yield recording()

    assert asyncio.run(main()) == [inside] * 3
    assert seen == [inside] * 2
    assert recording()


@both
def test_async_generator_raises(mode, inside):
    @mode()
    async def numbers():
        yield 1
        raise LookupError("from inside")

    async def main():
        async for _ in numbers():
            assert recording()

    with pytest.raises(LookupError, match="from inside"):
        asyncio.run(main())


def test_without_parentheses():
    """``@no_grad`` without parentheses is refused; it never records in silence."""
    with pytest.raises(TypeError):
        ag.no_grad(recording)


def test_scope_builds_paths():
    assert current().scope is None
    with ag.scope("model", "MLP", size=3):
        outer = current().scope
        assert (outer.path, outer.kind, outer.info, outer.parent) == ("model", "MLP", {"size": 3}, None)
        assert "model" in repr(outer)
        with ag.scope("layers.0", "Linear"):
            assert current().scope.path == "layers.0"  # relative to the outermost
            with ag.scope("act", "ReLU"), ag.no_grad():
                assert current().scope.path == "layers.0.act"
                assert not current().recording
    assert current().scope is None


def test_scope_is_kept_on_nodes_and_decorates():
    x = ag.Tensor(1.0, requires_grad=True)

    @ag.scope("f", "Function")
    def f(x):
        return x * 2

    (inside,) = ag.record(f, x).steps
    (outside,) = ag.record(lambda x: x * 2, x).steps
    assert inside.scope.path == "f"
    assert outside.scope is None


def test_decorated_generator_left_running_by_an_error_in_its_consumer():
    @ag.no_grad()
    def numbers():
        yield 1
        yield 2

    def consume():
        for _ in numbers():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    assert recording()


def test_decorated_async_generator_that_ends_at_once():
    @ag.no_grad()
    async def nothing():
        return
        yield

    async def main():
        return [x async for x in nothing()]

    assert asyncio.run(main()) == []


def test_abstract_mode():
    base = ag.no_grad.__mro__[1]
    with pytest.raises(TypeError, match="use no_grad, enable_grad or scope"), base():
        pass


def test_modes_hold_during_backward_of_other_functions():
    """Transforms record inside no_grad, and their results are arrays."""
    with ag.no_grad():
        assert ag.grad(lambda x: x * x)(3.0) == 6.0
        assert not ag.is_grad_enabled()


def test_modes_hold_per_thread():
    inside, leave = threading.Event(), threading.Event()

    def silent(k):
        with ag.no_grad():
            inside.set()
            assert leave.wait(10)
            assert not ag.is_grad_enabled()

    thread = threading.Thread(target=silent, args=(0,))
    thread.start()
    assert inside.wait(10)
    assert ag.is_grad_enabled()
    assert (ag.Tensor(1.0, requires_grad=True) * 2).requires_grad
    leave.set()
    thread.join()


def test_modes_hold_per_task():
    async def silent(entered, go):
        with ag.no_grad():
            entered.set()
            await go.wait()
            return ag.is_grad_enabled()

    async def loud(entered, go):
        await entered.wait()
        recording = ag.is_grad_enabled()
        go.set()
        return recording

    async def both():
        entered, go = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(silent(entered, go), loud(entered, go))

    assert asyncio.run(both()) == [False, True]
