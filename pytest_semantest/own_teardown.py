"""Which failures of a teardown are a test's own: those that the finalizers of its item raise.

pytest undoes the item first, and behind the last test in them class, module, package and session; what fails in all of
that it raises as one. Finalizers of the item are those of its fixtures of function scope, ``teardown_method``,
``teardown_function``, and what was put on the item itself; not those that somebody put on a wider node, nor hooks.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


class OwnTeardown:
    """Watches the teardown of one item at a time."""

    def __init__(self) -> None:
        self._raised: list[BaseException] = []

    def watch(self, item: pytest.Item) -> None:
        """Take note of what the item's finalizers will raise. Nothing is its own where pytest keeps them otherwise."""
        self._raised = []
        # An item whose class or module could not be set up is not there.
        finalizers, _ = item.session._setupstate.stack.get(item, ([], None))  # noqa: SLF001 - nobody else knows
        finalizers[:] = [_Noting(finalizer, self._raised) for finalizer in finalizers]

    def raised(self, error: BaseException | None) -> bool:
        """Whether the item's finalizers raised all of ``error``, which may be a group."""
        return _are_among(error, list(self._raised))

    def forget(self) -> None:
        """Let go of exceptions, and of all that their tracebacks hold."""
        self._raised = []


def _are_among(error: BaseException | None, left: list[BaseException]) -> bool:
    """Whether the exception, or every part of it, is one of ``left``, each of which counts once."""
    for number, one in enumerate(left):
        if one is error:
            del left[number]
            return True
    return isinstance(error, BaseExceptionGroup) and all(_are_among(part, left) for part in error.exceptions)


class _Noting:
    """A finalizer, and where what it raises is noted."""

    def __init__(self, finalizer: Callable[[], object], raised: list[BaseException]) -> None:
        self._finalizer = finalizer
        self._raised = raised

    def __call__(self) -> None:
        __tracebackhide__ = True
        try:
            self._finalizer()
        except BaseException as error:
            self._raised.append(error)
            raise
