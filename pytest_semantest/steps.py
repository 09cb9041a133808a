"""Steps of a recorded test: nested by the code that runs, in threads and tasks too."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

import pytest

from pytest_semantest.fixtures import Step
from pytest_semantest.translate import Attempt

if TYPE_CHECKING:
    from typing import Self

F = TypeVar("F", bound=Callable[..., Any])


class OpenStep:
    """A step that was entered; ``began`` in milliseconds since the epoch."""

    __slots__ = ("attempt", "began", "name", "open", "owner", "parent", "step_id")

    def __init__(
        self, owner: Step, attempt: Attempt, step_id: str, name: str, parent: OpenStep | None, began: float
    ) -> None:
        self.owner = owner
        self.attempt = attempt
        self.step_id = step_id
        self.name = name
        self.parent = parent
        self.began = began
        self.open = True


class Left(NamedTuple):
    """How a step was left: ``status`` is passed, failed or skipped."""

    status: str
    error: BaseException | None


class Steps(Protocol):
    """Writes steps down. Neither method raises."""

    def enter(self, owner: Step, name: object) -> OpenStep | None:
        """A step begins; ``None`` when it is not recorded."""

    def leave(self, step: OpenStep, how: Left) -> None:
        """It is over."""


#: The innermost step of this thread or task.
_innermost: ContextVar[OpenStep | None] = ContextVar("semantest_step", default=None)


def innermost(attempt: Attempt) -> OpenStep | None:
    """The step of the attempt that runs here, ``None`` outside of every one."""
    step = _innermost.get()
    while step is not None and not (step.open and step.attempt is attempt):
        step = step.parent
    return step


class RecordedStep(Step):
    """A step that is written down; it may be entered several times, also at once in several threads."""

    def __init__(self, steps: Steps, name: object) -> None:
        self._steps = steps
        self._name = name
        self._entered: list[OpenStep | None] = []

    def __enter__(self) -> Self:
        step = self._steps.enter(self, self._name)
        self._entered.append(step)
        if step is not None:
            _innermost.set(step)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        step = self._take_own()
        if step is None:
            return
        step.open = False
        outer = step.parent
        while outer is not None and not outer.open:
            outer = outer.parent
        if _innermost.get() is step:  # a fixture's teardown may run in another task than its setup
            _innermost.set(outer)
        if kind is not None and issubclass(kind, GeneratorExit):  # closed by who runs through it: no failure
            kind, error = None, None
        status = "passed" if kind is None else "skipped" if issubclass(kind, _SKIPS) else "failed"
        self._steps.leave(step, Left(status, error))

    def __call__(self, function: F) -> F:
        """The function with each of its calls a step; of a generator function each run through it."""
        steps, name = self._steps, self._name
        if iscoroutinefunction(function):

            @wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                with RecordedStep(steps, name):
                    return await function(*args, **kwargs)

            return cast("F", call_async)
        if isgeneratorfunction(function):

            @wraps(function)
            def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                __tracebackhide__ = True
                with RecordedStep(steps, name):
                    return (yield from function(*args, **kwargs))

            return cast("F", generate)
        if isasyncgenfunction(function):
            return cast("F", _async_generator_function(function, lambda: RecordedStep(steps, name)))

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            with RecordedStep(steps, name):
                return function(*args, **kwargs)

        return cast("F", call)

    def _take_own(self) -> OpenStep | None:
        """The step that is left: the innermost one here if it is this one's, else the one entered last."""
        step = _innermost.get()
        if step is not None and step.owner is self and step in self._entered:
            self._entered.remove(step)
            return step
        return self._entered.pop() if self._entered else None


def _async_generator_function(
    function: Callable[..., AsyncGenerator[Any, Any]], step: Callable[[], RecordedStep]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The function with each run through it in a step; there is no ``yield from`` for async generators."""

    @wraps(function)
    async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        __tracebackhide__ = True
        with step():
            inner = function(*args, **kwargs)
            try:
                given = await anext(inner)
                while True:
                    try:
                        sent = yield given
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - the inner one's to handle
                        given = await inner.athrow(error)
                    else:
                        given = await inner.asend(sent)
            except StopAsyncIteration:
                return
            finally:
                await inner.aclose()

    return generate


_SKIPS = (pytest.skip.Exception, pytest.xfail.Exception)
