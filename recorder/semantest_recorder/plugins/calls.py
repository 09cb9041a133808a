"""One implementation of a hook, and what is counted of its calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pytest_semantest.protocol.redaction import Redactor
from semantest_recorder.core.batch import RawEvent

_REDACTOR = Redactor()
#: How much of what an exception says is read, in characters.
_READ = 10_000


class CallCounts:
    """Of one plugin and hook. ``busy_s`` is the time in which it held the thread or was awaited."""

    __slots__ = (
        *("busy_s", "calls", "failures", "timeouts", "timeouts_in_a_row"),
        *("is_off", "last_error", "last_error_ms"),
    )

    def __init__(self) -> None:
        self.calls = 0
        #: Whether its plugin is disabled, or gone.
        self.is_off = False
        self.failures = 0
        self.timeouts = 0
        self.timeouts_in_a_row = 0
        self.busy_s = 0.0
        self.last_error: str | None = None
        self.last_error_ms: float | None = None

    def succeeded(self, seconds: float) -> None:
        """A call came back."""
        self.calls += 1
        self.busy_s += seconds
        self.timeouts_in_a_row = 0

    def failed(self, message: str, seconds: float, *, timed_out: bool) -> None:
        """A call raised, took too long or gave what cannot be used."""
        self.calls += 1
        self.busy_s += seconds
        self.failures += 1
        self.timeouts += timed_out
        self.timeouts_in_a_row = self.timeouts_in_a_row + 1 if timed_out else 0
        self.last_error = message[:1000]
        self.last_error_ms = time.time() * 1000.0

    def is_worth_a_line(self) -> bool:
        """Whether this failure is said in the log: the first, the tenth, the hundredth, ..."""
        return str(self.failures).strip("0") == "1"

    def to_wire(self) -> dict[str, Any]:
        """As ``semantest plugins --json`` shows it."""
        return {
            "calls": self.calls,
            "failures": self.failures,
            "timeouts": self.timeouts,
            "totalMs": round(self.busy_s * 1000.0, 3),
            "lastError": self.last_error,
            "lastErrorMs": self.last_error_ms,
        }


class Implementation(NamedTuple):
    """What a plugin does for a hook; ``rank``: -1 first, 1 last.

    ``concerns`` tells of a whole batch whether ``on_event`` could do anything to any event of it: a look at all of them
    costs a fraction of a call for each. One that ``guards`` keeps secrets out of the log: it comes behind all others,
    where it fails, what it has not looked at is not stored, and it is never disabled.
    """

    plugin: str
    hook: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    rank: int
    counts: CallCounts
    concerns: Callable[[Sequence[RawEvent]], bool] | None = None
    guards: bool = False

    def call(self, argument: object) -> Any:
        """Calls it with the hook's one argument if it takes it; gives what it gives, an awaitable perhaps."""
        return self.function(argument) if self.arguments else self.function()


def described(error: BaseException) -> str:
    """An exception as one line without secrets: it may quote the event, and is stored beside it."""
    text = _REDACTOR.redact(" ".join(str(error)[:_READ].split()))
    return f"{type(error).__name__}: {text}"[:1000] if text else type(error).__name__
