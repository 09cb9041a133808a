"""What the user is told at the end of a recorded session: what was recorded, where to look, what is missing and why."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pytest_semantest.attempts import TestHooks
from pytest_semantest.launch import Shipper, is_done
from pytest_semantest.place import Place
from pytest_semantest.protocol.printable import printable_line


class Standing(NamedTuple):
    """How the recording of one process stands. ``tests`` is ``None`` when nothing could be recorded.

    ``final`` is what the shipper said last, ``broken`` whether a hook of the recording raised, ``stopped`` whether
    pytest ended before the end of its tests; ``problems`` are lines of what went wrong besides.
    """

    tests: TestHooks | None
    shipper: Shipper | None
    final: dict[str, Any] | None
    broken: bool
    stopped: bool
    problems: Sequence[str]
    place: Place
    run_id: str

    def all_problems(self) -> list[str]:
        """What went wrong in this process and, as they told it, in its workers."""
        problems = list(dict.fromkeys(self.problems))
        if self.tests is not None:
            problems += [line for line in (self.tests.problem, self.tests.journal.problem) if line]
            problems += self.tests.worker_problems
        return problems

    def missing(self) -> int:
        """How many planned tests have no result although nothing stopped the session."""
        if self.tests is None or self.stopped:
            return 0
        return max(0, self.tests.planned - self.tests.finished)

    def shortfall(self) -> str:
        """What is missing for a complete, shipped recording; empty when nothing is."""
        tests = self.tests
        if tests is None:
            return "nothing was recorded"
        if tests.journal.dropped:
            return f"{tests.journal.dropped} events are lost: {tests.journal.problem}"
        if self.broken or tests.problem or tests.worker_problems:
            return "the recording is not complete"
        if self.final is not None and is_done(self.final, tests.journal.seq, self.place.worker):
            return ""
        if not os.path.exists(self.place.journal):
            return f"the journal is gone: somebody deleted {self.place.journal}"
        detail = (self.final or {}).get("detail")
        why = f"not all shipped yet ({detail})" if detail else "not all shipped yet"
        kept, sync = self.place.shown_folder(), self.place.command("sync")
        return f"{why}; everything is kept in {kept}: the shipper goes on, or run: {sync}"

    def lines(self, *, is_worker: bool, verbosity: int) -> Iterator[tuple[str, str]]:
        """``(line, colour)`` of the terminal summary; the colour may be empty."""
        for problem in [*self.all_problems(), *(self.tests.notices if self.tests is not None else ())]:
            yield printable_line(problem), "yellow"
        note = self._final_note()
        if note:
            yield printable_line(note), "yellow"
        if self.tests is None or is_worker:
            return
        shortfall = self.shortfall()
        missing = self.missing()
        if missing:
            lost = f"{missing} planned test{' has' if missing == 1 else 's have'} no result"
            yield f"LOST: {lost}; {self._where_to_look(shortfall)}", "red"
        if shortfall:
            yield printable_line(shortfall), "yellow"
        elif verbosity >= -1:
            planned, finished = self.tests.planned, self.tests.finished
            count = f"{planned} test{'' if planned == 1 else 's'}"
            ran = count if planned <= finished else f"{finished} of {count}"
            yield f"{ran} recorded, run {self.run_id}; {self._where_to_look('')}", ""

    def _where_to_look(self, shortfall: str) -> str:
        """How the run is read: here, from its journals at least, unless a recorder elsewhere has all of it."""
        url = self.shipper.elsewhere(self.final) if self.shipper is not None and not shortfall else None
        if url is None or self.tests is None:
            return f"see: {self.place.command('report')}"
        url = printable_line(self.tests.translator.text(url, 300))
        return f"sent to {url}; see where that recorder runs: semantest report {self.run_id}"

    def _final_note(self) -> str:
        """What the shipper has to say although it has shipped all."""
        if self.tests is None or self.final is None or not is_done(self.final, 0, self.place.worker):
            return ""
        return str(self.final.get("detail") or "")
