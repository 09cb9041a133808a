"""Where ``semantest watch`` shows a run: a live display, plain lines, or JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import msgspec

from pytest_semantest.protocol.events import BAD_STATES, WORKER_STACK
from pytest_semantest.protocol.github_step import as_json_text, as_text
from semantest_recorder.cli.live_feed import LiveEvent
from semantest_recorder.core.rows import ResultRow
from semantest_recorder.core.stack_dump import stack_dump
from semantest_recorder.reports.inert import inert, inert_json, inert_line
from semantest_recorder.reports.live import LiveView
from semantest_recorder.reports.wording import count_words, duration, state_word

if TYPE_CHECKING:
    from rich.live import Live

#: Without a terminal: how often what runs is said again.
_SAY_EVERY_SECONDS = 10.0


class Screen(Protocol):
    """Shows looks at a run; a context manager for as long as it is shown."""

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, view: LiveView, events: Sequence[LiveEvent], finished: Sequence[ResultRow]) -> None:
        """One more look; ``events`` and ``finished`` are new since the one before."""

    def end(self, view: LiveView) -> None:
        """The last look."""


class LiveScreen:
    """A display that repaints itself."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, view: LiveView, events: Sequence[LiveEvent], finished: Sequence[ResultRow]) -> None:  # noqa: ARG002
        """Repaint; what a process does, if somebody asked it, stays above."""
        from semantest_recorder.reports.live_lines import live_display  # noqa: PLC0415

        if self._live is None:
            self._live = _started()
        for line in _stack_lines(events):
            self._live.console.print(line, markup=False, highlight=False)
        self._live.update(live_display(view), refresh=True)

    def end(self, view: LiveView) -> None:
        """Leave the last look on the terminal."""
        self.show(view, [], [])


def _started() -> Live:
    """A display, begun when there is something to show: it leaves an empty line behind otherwise."""
    from rich.live import Live  # noqa: PLC0415 - only this screen needs it

    from semantest_recorder.cli.console import stdout_console  # noqa: PLC0415

    live = Live(console=stdout_console(), auto_refresh=False, vertical_overflow="crop")
    live.start()
    return live


class PlainScreen:
    """Lines: each test that is not green, and now and then what runs."""

    def __init__(self) -> None:
        self._said_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, view: LiveView, events: Sequence[LiveEvent], finished: Sequence[ResultRow]) -> None:
        """Print what is new."""
        from semantest_recorder.reports.live_lines import plain_lines, progress_words  # noqa: PLC0415

        messages = {failure.test_id: failure.message for failure in view.failures}
        for row in finished:
            if row.state in BAD_STATES:
                first = inert_line((messages.get(row.test_id) or row.reason or "").strip().split("\n", 1)[0])
                _say(f"{state_word(row.state).upper()} {inert_line(row.test_id)}" + (f" - {first}" if first else ""))
        for line in _stack_lines(events):
            _say(line)
        now = monotonic()
        if self._said_at is None or now - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = now
            _say(f"{inert_line(view.run)}: {progress_words(view)}")
            for line in plain_lines(view):
                _say(f"  {line}")

    def end(self, view: LiveView) -> None:
        """Say how it ended."""
        from semantest_recorder.reports.live_lines import live_state_words  # noqa: PLC0415

        took = duration(view.elapsed_ms)
        _say(f"{inert_line(view.run)}: {inert_line(live_state_words(view))} in {took}, {count_words(view.counts)}")


class JsonScreen:
    """JSON lines: a snapshot, then events as they come, and a snapshot at the end."""

    def __init__(self) -> None:
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, view: LiveView, events: Sequence[LiveEvent], finished: Sequence[ResultRow]) -> None:  # noqa: ARG002
        """Print the events, before them the first snapshot."""
        if not self._begun:
            self._begun = True
            self.end(view)
        for event in events:
            sys.stdout.buffer.write(as_json_text(inert_json(bytes(event.frame))) + b"\n")
        sys.stdout.buffer.flush()

    def end(self, view: LiveView) -> None:
        """Print a snapshot."""
        sys.stdout.buffer.write(as_json_text(inert_json(msgspec.json.encode(view))) + b"\n")
        sys.stdout.buffer.flush()


def _stack_lines(events: Sequence[LiveEvent]) -> Iterator[str]:
    """What processes do that somebody asked."""
    for event in events:
        dump = stack_dump(event.event) if event.event.type == WORKER_STACK else None
        if dump is not None:
            yield f"{inert_line(dump.worker)}: {inert_line(dump.problem) or 'its stacks'}"
            yield from (f"  {line}" for line in inert(dump.text).splitlines())


def _say(line: str) -> None:
    sys.stdout.write(as_text(line) + "\n")
    sys.stdout.flush()
