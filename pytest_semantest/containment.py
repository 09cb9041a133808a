"""No exception of the recording reaches pytest: the first one ends the recording with one line for the user."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from _pytest.outcomes import OutcomeException

if TYPE_CHECKING:
    from typing import Concatenate, ParamSpec, Protocol, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

    class Containing(Protocol):
        """An object whose hooks are contained: it is told what was raised."""

        def contain(self, error: BaseException) -> None:
            """Take note of an exception that a hook raised."""

    S = TypeVar("S", bound=Containing)


#: ``pytest.skip`` and ``pytest.fail`` raise what is no ``Exception``; code of users calls them where nobody expects it.
CONTAINED = (Exception, OutcomeException)


def contained(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R | None]:
    """The hook with its exceptions handed to ``contain``; ``KeyboardInterrupt`` and ``pytest.exit`` pass."""

    @wraps(method)
    def hook(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return method(self, *args, **kwargs)
        except CONTAINED as error:  # this is the wall
            self.contain(error)
            return None

    return hook
