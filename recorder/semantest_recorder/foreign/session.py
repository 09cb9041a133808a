"""A foreign run as a session of ours: the events that pytest would have written, had it been recorded.

What a file does not say is not made up but for times: tests without one follow each other from the run's start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from pytest_semantest.protocol.events import (
    BAD_OUTCOMES,
    COLLECT_ERROR,
    IMPORTED,
    JOURNAL_GAP,
    RUN_CONTEXT,
    RUN_END,
    RUN_PLAN,
    RUN_START,
    TEST_END,
    TEST_START,
    WIRE_STATUS,
    WORKER_END,
    WORKER_START,
    Event,
)
from pytest_semantest.protocol.identity import MAIN_WORKER, name_of, source_name
from semantest_recorder.foreign.decoding import sayable
from semantest_recorder.foreign.run import (
    ForeignAttachment,
    ForeignAttempt,
    ForeignOutput,
    ForeignRun,
    ForeignTest,
)

#: What is said of a whole suite; it is kept in the log, and no more.
_NOTE = "custom/import/suite"
_PLAN_CHUNK = 500
_GREEN, _RED, _NO_TESTS = 0, 1, 5

#: What of one attempt or suite is kept, so that its event fits into what a recorder takes (12 MiB of JSON): characters
#: of its output and of its properties, and how many of each.
_CHARACTERS_MAX = 262_144
_OUTPUTS_MAX = 1000
_PAIRS_MAX = 100


class Texts(NamedTuple):
    """How texts may be stored.

    ``clip`` gives a text without secrets, and how many characters were left out; ``name`` an id without what surely is
    a secret; ``value`` the value of a name that does not say that it is one.
    """

    clip: Callable[[str], tuple[str, int]]
    name: Callable[[str], str]
    value: Callable[[str, str], str]


class ForeignFile(msgspec.Struct):
    """One file (or one folder of Allure): its name for people, the hash of its content, and what it tells."""

    name: str
    sha256: str
    run: ForeignRun


class Heading(msgspec.Struct):
    """What is said of the run as a whole. ``started_ms``: when it began, should no file say so.

    ``missing``: why files of the run could not be read at all; such a run is never green.
    """

    run_id: str
    session: str
    name: str | None
    labels: Mapping[str, str]
    started_ms: float
    branch: str | None = None
    commit: str | None = None
    missing: Sequence[str] = ()


class Session(msgspec.Struct):
    """The events by worker, and the attachments that they name by hash."""

    events: dict[str, list[Event]]
    artifacts: dict[str, bytes]


def foreign_session(files: Sequence[ForeignFile], workers: Sequence[str], heading: Heading, texts: Texts) -> Session:
    """The session that tells of ``files``, at least one; those of worker ``main`` are told by main itself."""
    return _Telling(files, heading, texts).tell(workers)


def overlaps(files: Sequence[ForeignFile]) -> bool:
    """Whether a test is in several files, as those of the jobs of a matrix: each file is a source of its own then."""
    seen: set[str] = set()
    for file in files:
        own = {test.test_id for test in file.run.tests}
        if not seen.isdisjoint(own):
            return True
        seen |= own
    return False


class _Telling:
    def __init__(self, files: Sequence[ForeignFile], heading: Heading, texts: Texts) -> None:
        self._files = files
        self._heading = heading
        self._texts = texts
        self._artifacts: dict[str, bytes] = {}
        starts = [file.run.started_ms for file in files if file.run.started_ms is not None]
        self._started = min(starts, default=heading.started_ms)

    def tell(self, workers: Sequence[str]) -> Session:
        events: dict[str, list[Event]] = {MAIN_WORKER: [self._run_start(), *self._context(), *self._plan()]}
        end = self._started
        for worker, file in zip(workers, self._files, strict=True):
            began = file.run.started_ms or self._started
            own = events.setdefault(worker, [])
            if worker != MAIN_WORKER:
                own.append(_event(WORKER_START, began, self._opening(worker)))
            own += self._of_file(file.run, began)
            last = max([began, file.run.ended_ms or 0.0, *(event["timestamp"] for event in own)])
            end = max(end, last)
            if worker != MAIN_WORKER:
                ended = {"runId": self._heading.run_id, "worker": worker, "exitCode": _exit_code(file.run)}
                own.append(_event(WORKER_END, last, ended))
        events[MAIN_WORKER] += [self._gap(end, reason) for reason in self._heading.missing]
        events[MAIN_WORKER].append(self._run_end(end))
        return Session(events, self._artifacts)

    def _opening(self, worker: str) -> dict[str, Any]:
        heading = self._heading
        return {
            "runId": heading.run_id,
            "session": heading.session,
            "source": source_name(heading.session, worker),
            "worker": worker,
            "pid": None,
        }

    def _run_start(self) -> Event:
        heading = self._heading
        files = [
            {
                "name": self._text(file.name),
                "sha256": file.sha256,
                "format": file.run.format,
                "tool": self._text(file.run.tool),
                "tests": len(file.run.tests),
            }
            for file in self._files
        ]
        name = heading.name or next((file.run.name for file in self._files if file.run.name), None)
        payload = self._opening(MAIN_WORKER) | {
            "origin": IMPORTED,
            "import": {"files": files},
            "name": self._text(name) if name else None,
            "labels": {self._text(key): self._text(value) for key, value in heading.labels.items()},
            "args": [],
        }
        return _event(RUN_START, self._started, payload)

    def _context(self) -> Iterator[Event]:
        runs = [file.run for file in self._files]
        branch = self._heading.branch or next((run.branch for run in runs if run.branch), None)
        commit = self._heading.commit or next((run.commit for run in runs if run.commit), None)
        build = next((run.build_url for run in runs if run.build_url), None)
        told = dict(self._pairs([pair for run in runs for pair in run.environment.items()]))
        git = {name: self._text(value) for name, value in (("branch", branch), ("commit", commit)) if value}
        context = {"git": git, "ci": {"buildUrl": self._text(build)} if build else {}, "environment": told}
        found = {name: value for name, value in context.items() if value}
        if found:
            yield _event(RUN_CONTEXT, self._started, found)

    def _plan(self) -> Iterator[Event]:
        """All tests of all files, each once; more than these where a tool says that more were to run."""
        names = [name for file in self._files for name in (*file.run.planned, *_own_ids(file.run))]
        tests = list(dict.fromkeys(map(self._id, names)))
        total = len(tests) + sum(map(_unnamed, self._files))
        for offset in range(0, len(tests) or min(total, 1), _PLAN_CHUNK):
            chunk = tests[offset : offset + _PLAN_CHUNK]
            payload = {"tests": chunk, "offset": offset, "total": total, "deselected": 0}
            yield _event(RUN_PLAN, self._started, payload)

    def _run_end(self, at: float) -> Event:
        runs = [file.run for file in self._files]
        payload: dict[str, Any] = {
            "runId": self._heading.run_id,
            "exitCode": _NO_TESTS if not any(run.tests for run in runs) else max(map(_exit_code, runs)),
            "stoppedEarly": any(run.stopped_early for run in runs),
        }
        unfinished = next((run.unfinished for run in runs if run.unfinished), None)
        if unfinished is not None:
            payload |= {"exitCode": None, "interrupted": True, "stopReason": self._text(unfinished)}
        return _event(RUN_END, at, payload)

    def _of_file(self, run: ForeignRun, began: float) -> Iterator[Event]:
        at = began
        for test in run.tests:
            for number, attempt in enumerate(test.attempts, 1):
                start = attempt.started_ms if attempt.started_ms is not None else at
                at = start + (attempt.duration_ms or 0.0)
                yield from self._of_attempt(test, number, attempt, start)
        for note in run.notes:
            output, pairs = self._output(note.output), self._pairs(note.properties)
            payload = {"suite": self._text(note.suite), "logs": output, "properties": pairs}
            yield _event(_NOTE, at, payload)
        if run.problem is not None:
            yield self._gap(at, str(run.problem))

    def _gap(self, at: float, reason: str) -> Event:
        """Something could not be read: what it hides nobody knows, so the run is not green."""
        return _event(JOURNAL_GAP, at, {"reason": self._text(reason)})

    def _of_attempt(self, test: ForeignTest, number: int, attempt: ForeignAttempt, start: float) -> Iterator[Event]:
        test_id = self._id(test.test_id)
        if not test.collected:
            skipped = attempt.outcome == "skipped"
            payload: dict[str, Any] = {"testId": test_id, "outcome": "skipped" if skipped else "failed"}
            yield _event(COLLECT_ERROR, start, payload | self._why(attempt))
            return
        file = self._text(test.file) if test.file else None
        begin = {"testId": test_id, "testName": name_of(test_id), "attempt": number, "file": file, "line": test.line}
        yield _event(TEST_START, start, begin | self._quarantine(test))
        for attachment in attempt.attachments:
            yield _event("test/attachment", start, self._attachment(test_id, number, attachment))
        if attempt.outcome is None:
            return
        payload = {
            "testId": test_id,
            "attempt": number,
            "status": WIRE_STATUS[attempt.outcome],
            "outcome": attempt.outcome,
            "duration": attempt.duration_ms or 0.0,
        }
        phases = {"setup": attempt.setup_ms, "call": attempt.call_ms, "teardown": attempt.teardown_ms}
        if any(took is not None for took in phases.values()):
            payload["phases"] = phases
        payload |= self._why(attempt)
        if attempt.output:
            payload["logs"] = self._output(attempt.output)
        if attempt.properties:
            payload["userProperties"] = self._pairs(attempt.properties)
        if number < len(test.attempts) and attempt.outcome in BAD_OUTCOMES:
            payload["willRetry"] = True
        if attempt.forgiven and attempt.outcome in BAD_OUTCOMES:
            payload["forgiven"] = True
        yield _event(TEST_END, start + (attempt.duration_ms or 0.0), payload)

    def _quarantine(self, test: ForeignTest) -> dict[str, Any]:
        if test.quarantine is None:
            return {}
        names = ("entry", "reason", "owner", "expires", "issue")
        told = {name: self._text(value) for name in names if (value := getattr(test.quarantine, name)) is not None}
        return {"quarantine": told}

    def _why(self, attempt: ForeignAttempt) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if attempt.reason is not None:
            told["reason"] = self._text(attempt.reason)
        failure = attempt.failure
        if failure is not None:
            texts = ("message", "type", "stack", "file", "phase")
            error: dict[str, Any] = {
                name: self._text(value) for name in texts if (value := getattr(failure, name)) is not None
            }
            if failure.line is not None:
                error["line"] = failure.line
            told["error"] = error
        return told

    def _attachment(self, test_id: str, number: int, found: ForeignAttachment) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "testId": test_id,
            "attempt": number,
            "name": self._text(found.name),
            "mediaType": self._text(found.media_type),
            "kind": "screenshot" if found.media_type.startswith("image/") else "attachment",
        }
        if found.data is None:
            return payload | {"omitted": found.omitted}
        name = hashlib.sha256(found.data).hexdigest()
        self._artifacts[name] = found.data
        return payload | {"size": len(found.data), "sha256": name}

    def _output(self, outputs: Sequence[ForeignOutput]) -> list[dict[str, Any]]:
        """Texts as they are kept; what is too much altogether is counted."""
        logs: list[dict[str, Any]] = []
        room = _CHARACTERS_MAX
        for output in outputs:
            text, dropped = self._texts.clip(sayable(output.text))
            if logs and (len(text) > room or len(logs) == _OUTPUTS_MAX):
                logs[-1]["dropped"] = logs[-1].get("dropped", 0) + len(text) + dropped
                continue
            room -= len(text)
            phase = {"phase": output.phase} if output.phase is not None else {}
            logs.append({"stream": output.stream, "text": text} | phase | ({"dropped": dropped} if dropped else {}))
        return logs

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Properties as they are kept: the first, as far as there is room."""
        kept: list[tuple[str, str]] = []
        room = _CHARACTERS_MAX
        for told_name, told_value in pairs[:_PAIRS_MAX]:
            name = self._text(told_name)
            value = self._text(self._texts.value(name, told_value))
            room -= len(name) + len(value)
            if room < 0:
                break
            kept.append((name, value))
        return kept

    def _text(self, text: str) -> str:
        return self._texts.clip(sayable(text))[0]

    def _id(self, test_id: str) -> str:
        return self._texts.name(sayable(test_id))


def _own_ids(run: ForeignRun) -> list[str]:
    """Tests proper: what could not be collected was in no plan."""
    return [test.test_id for test in run.tests if test.collected]


def _unnamed(file: ForeignFile) -> int:
    """How many more tests were to run, says the tool, than the file names."""
    return max(0, file.run.planned_total - len({*file.run.planned, *_own_ids(file.run)}))


def _exit_code(run: ForeignRun) -> int:
    if run.exit_code is not None:
        return run.exit_code
    return _RED if any(test.is_bad for test in run.tests) else _GREEN


def _event(kind: str, at: float, payload: dict[str, Any]) -> Event:
    return {"type": kind, "timestamp": round(at, 3), "payload": payload}
