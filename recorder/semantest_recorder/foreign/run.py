"""What every reader gives: a run as another tool told it, in this project's words.

Times are milliseconds since the epoch, durations milliseconds; ``None`` where the file does not say.
"""

from __future__ import annotations

import msgspec

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.foreign.errors import Problem


class ForeignFailure(msgspec.Struct):
    """Why an attempt was bad. ``phase`` is ``setup``, ``call`` or ``teardown`` where it is known."""

    message: str | None = None
    type: str | None = None
    stack: str | None = None
    file: str | None = None
    line: int | None = None
    phase: str | None = None


class ForeignOutput(msgspec.Struct):
    """A captured text; ``stream`` is ``stdout``, ``stderr`` or ``log``."""

    stream: str
    text: str
    phase: str | None = None


class ForeignAttachment(msgspec.Struct):
    """A file that belongs to an attempt. ``data`` is ``None`` where it is not there, and ``omitted`` says why."""

    name: str
    media_type: str
    data: bytes | None = None
    omitted: str = ""


class ForeignAttempt(msgspec.Struct):
    """One attempt at a test.

    ``outcome`` is one of those of ``test/end`` (docs/design/events.md), ``None`` when the file ends before the attempt.
    ``forgiven``: a failure of it did not count, for its test was in quarantine.
    """

    outcome: str | None
    duration_ms: float | None = None
    started_ms: float | None = None
    setup_ms: float | None = None
    call_ms: float | None = None
    teardown_ms: float | None = None
    failure: ForeignFailure | None = None
    reason: str | None = None
    output: list[ForeignOutput] = msgspec.field(default_factory=list)
    properties: list[tuple[str, str]] = msgspec.field(default_factory=list)
    attachments: list[ForeignAttachment] = msgspec.field(default_factory=list)
    forgiven: bool = False


class ForeignQuarantine(msgspec.Struct):
    """The entry by which a test was in quarantine."""

    entry: str
    reason: str
    owner: str
    expires: str
    issue: str | None


class ForeignTest(msgspec.Struct):
    """One test with its attempts in order.

    ``ids``: what it may be called, the likeliest first; which of them is chosen depends on what the history knows
    (``naming.py``). ``collected``: whether it is a test at all; else a file that could not be collected.
    """

    ids: tuple[str, ...]
    attempts: list[ForeignAttempt]
    file: str | None = None
    line: int | None = None
    collected: bool = True
    quarantine: ForeignQuarantine | None = None

    @property
    def is_bad(self) -> bool:
        """Whether it makes the run fail: its last attempt is bad, and not all such attempts are forgiven."""
        bad = [attempt for attempt in self.attempts if attempt.outcome in BAD_OUTCOMES]
        return bad[-1:] == self.attempts[-1:] != [] and not all(attempt.forgiven for attempt in bad)

    @property
    def test_id(self) -> str:
        """Its id, as far as it is known."""
        return self.ids[0]


class SuiteNote(msgspec.Struct):
    """What a file says of a whole suite: its output and its properties. It is kept in the log, and no more."""

    suite: str
    output: list[ForeignOutput] = msgspec.field(default_factory=list)
    properties: list[tuple[str, str]] = msgspec.field(default_factory=list)


class ForeignRun(msgspec.Struct):
    """What one file (or one folder of Allure) tells.

    ``planned`` are ids of tests in the order of the tool's plan, where it tells one; ``planned_total``: how many tests
    it says were to run. ``exit_code`` is that of the tool, ``None`` where only its results can tell. ``unfinished``:
    why the tool did not come to its end. ``problem``: why not all of the file could be read; such a run is never green.
    """

    format: str
    tool: str
    tests: list[ForeignTest] = msgspec.field(default_factory=list)
    name: str | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    planned: list[str] = msgspec.field(default_factory=list)
    planned_total: int = 0
    exit_code: int | None = None
    stopped_early: bool = False
    unfinished: str | None = None
    branch: str | None = None
    commit: str | None = None
    build_url: str | None = None
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    notes: list[SuiteNote] = msgspec.field(default_factory=list)
    problem: Problem | None = None
