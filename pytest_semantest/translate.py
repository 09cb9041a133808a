"""pytest's reports to event bodies: pure, and fast where every test passes through.

Bodies of tests without news are put together from strings: ``json.dumps`` of the same dict takes four times as long.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quote
from typing import Any

import pytest
from _pytest._io import TerminalWriter
from _pytest.fixtures import FixtureLookupErrorRepr

from pytest_semantest.containment import CONTAINED
from pytest_semantest.forgiveness import is_protected, true_outcome
from pytest_semantest.protocol.events import BAD_OUTCOMES, WIRE_STATUS
from pytest_semantest.protocol.identity import name_of
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.values import cut_down, parameter, properties

# Patterns are compiled at their first use, by a failure: an import must not cost every recorded pytest a millisecond.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_LONE_SURROGATE = "[\ud800-\udfff]"
_CAPTURED = r"Captured (stdout|stderr|log) (setup|call|teardown)"
_TYPE = r"([A-Za-z_][\w.]*)(?::|$)"
#: How pytest marks the lines of an error in what it prints.
_MARKED = r"^E\s{3}"
_PYTEST_TIMEOUT = r"Failed: Timeout \(?>\s?[\d.]+s"
_ITEMS = 100
#: Bytes. Far below what a shipper sends: a larger body, which caps for single texts cannot exclude, is cut down.
_BODY_MAX = 4 * 1024 * 1024
_SMALLER = (16384, 2048, 128)


#: As pytest gives it: file, line counted from 0, name.
Location = tuple[str, int | None, str]


class Attempt:
    """What is known of one attempt at a test while it runs.

    ``started`` is milliseconds since the epoch, ``phases`` are durations in whole microseconds.
    """

    __slots__ = (
        *("call", "error", "forgiven", "head", "location", "number", "old_sections", "outcome", "phases", "reason"),
        *("seq", "started", "test_id"),
    )

    def __init__(self, test_id: str, number: int, started: float, location: Location) -> None:
        self.test_id = test_id
        self.number = number
        self.started = started
        self.location = location
        #: The part that every body of this attempt begins with.
        self.head = f'{{"testId":{quote(test_id)},"attempt":{number}'
        self.seq = 0
        self.outcome = "passed"
        self.phases: dict[str, int] = {}
        self.error: dict[str, Any] | None = None
        #: Of a bad outcome: whether quarantine takes all of it out of the count.
        self.forgiven: bool | None = None
        self.reason: str | None = None
        #: The last report of the call phase, which subtests may have preceded with reports of their own.
        self.call: pytest.TestReport | None = None
        #: How many of its reports' sections are those of earlier attempts.
        self.old_sections = 0


class Remains:
    """What an interrupted test left on its item: output and user properties that no report will bring."""

    __slots__ = ("sections", "user_properties")

    def __init__(self, item: pytest.Item | None) -> None:
        captured: list[tuple[str, str, str]] = getattr(item, "_report_sections", [])
        self.sections = [(f"Captured {key} {when}", content) for when, key, content in captured]
        self.user_properties: list[tuple[str, object]] = getattr(item, "user_properties", [])


class Translator:
    """Makes event bodies. ``rootdir`` shortens paths, ``limit`` caps texts (characters), ``capture`` is the policy."""

    def __init__(self, redactor: Redactor, *, rootdir: str, limit: int, capture: str) -> None:
        self._redactor = redactor
        self._rootdir = rootdir.rstrip("/") + "/"
        self._limit = limit
        self._capture = capture
        #: The file that the last test was in, and how it goes into an event.
        self._file = ("", "")

    def start(
        self,
        attempt: Attempt,
        markers: list[str],
        params: Mapping[str, object] | None,
        timeout_ms: float | None,
        fingerprint: str,
    ) -> bytes:
        """The body of ``test/start``."""
        file, line, _ = attempt.location
        if file != self._file[0]:
            self._file = (file, f',"file":{quote(spell_surrogates(file))},"line":')
        extra = self._start_extra(markers, params, timeout_ms) if markers or params or timeout_ms else ""
        if fingerprint:
            extra += f',"fingerprint":"{fingerprint}"'
        test_id = attempt.test_id
        # The fast half of name_of: parameters may hold "::" too.
        name = test_id[test_id.rfind("::") + 2 :] if "[" not in test_id and "::" in test_id else name_of(test_id)
        return (
            f'{{"type":"test/start","timestamp":{int(attempt.started)},"payload":{attempt.head},"testName":{quote(name)}'
            f"{self._file[1]}{'null' if line is None else line + 1}{extra}}}}}"
        ).encode("ascii")

    def with_quarantine(self, body: bytes, facts: Mapping[str, str]) -> bytes:
        """The body of a ``test/start`` that also says why, by whom and until when its test is in quarantine."""
        told = {name: self.text(value, 2000) for name, value in facts.items()}
        return b'%b,"quarantine":%b}}' % (body[:-2], self._json(told).encode("ascii"))

    @staticmethod
    def with_repetitions(body: bytes, times: int) -> bytes:
        """The body of a ``test/start`` that also says how often its test is to run."""
        return b'%b,"repetitions":%d}}' % (body[:-2], times)

    def end(self, attempt: Attempt, now: float, report: pytest.TestReport | Remains) -> bytes:
        """The body of ``test/end``; ``report`` is the last one and holds output and user properties."""
        outcome = attempt.outcome
        phases = attempt.phases
        elapsed = int((now - attempt.started) * 1000)
        # Microseconds written as milliseconds: "duration":1234e-3 is cheaper to make than 1.234.
        if len(phases) == 3:
            setup, call, teardown = phases.values()
            duration = setup + call + teardown
            parts = f'"setup":{setup}e-3,"call":{call}e-3,"teardown":{teardown}e-3'
            credible = setup > 0 and call > 0 and teardown > 0 and duration <= elapsed
        else:
            # What was interrupted has no report of the phase it was in.
            duration = elapsed if outcome == "interrupted" else sum(phases.values())
            parts = ",".join([f'"{name}":{value}e-3' for name, value in phases.items()])
            credible = duration <= elapsed and all(value > 0 for value in phases.values())
        if not credible:  # a test moved or froze the clock by which pytest measures
            duration = elapsed
            parts = ",".join([f'"{name}":{min(max(value, 0), elapsed)}e-3' for name, value in phases.items()])
        extra = ""
        if outcome != "passed" or report.user_properties or report.sections:
            extra = self._extra(attempt, report)
        return (
            f'{{"type":"test/end","timestamp":{int(now)},"payload":{attempt.head},"status":"{WIRE_STATUS[outcome]}",'
            f'"outcome":"{outcome}","duration":{duration}e-3,"phases":{{{parts}}}{extra}}}}}'
        ).encode("ascii")

    def phase(self, attempt: Attempt, now: float, phase: str, outcome: str) -> bytes:
        """The body of ``test/phase`` for a phase that failed: enough of it in case the rest is never written."""
        payload = {
            "testId": attempt.test_id,
            "attempt": attempt.number,
            "phase": phase,
            "outcome": outcome,
            "duration": _within(attempt.phases.get(phase, 0) / 1000, now - attempt.started),
        }
        if attempt.error is not None:
            payload["error"] = {**attempt.error, "stack": attempt.error.get("stack", "")[-4096:]}
        return self.body("test/phase", now, payload)

    def subtest(self, attempt: Attempt, now: float, report: pytest.TestReport) -> bytes:
        """The body of ``test/subtest``; raises nothing for the report of another subtests plugin."""
        context = getattr(report, "context", None)
        message = getattr(context, "msg", None)
        kwargs = dict(getattr(context, "kwargs", None) or {})
        described = [f"[{message}]"] if message is not None else []
        described += [f"({', '.join(f'{name}={value}' for name, value in kwargs.items())})"] if kwargs else []
        outcome = true_outcome(report)
        if outcome != "failed" and hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "xpassed"
        payload: dict[str, Any] = {
            "testId": attempt.test_id,
            "attempt": attempt.number,
            "description": self.text(" ".join(described) or "(<subtest>)", 1000),
            "outcome": outcome,
            "duration": round(_within(report.duration * 1000, now - attempt.started), 3),
        }
        if outcome == "failed":
            payload["error"] = self.error(report.longrepr, "call")
        return self.body("test/subtest", now, payload)

    def error(self, longrepr: object, phase: str | None) -> dict[str, Any]:
        """``{message, type?, stack, file?, line?, phase?}`` of what pytest says of a failure."""
        rendered = _rendered(longrepr)
        stack = self.text(rendered, self._limit)
        crash = getattr(longrepr, "reprcrash", None)
        if crash is not None:
            message = str(crash.message)
            found: dict[str, Any] = {"file": self.relative(str(crash.path)), "line": crash.lineno}
        elif isinstance(longrepr, FixtureLookupErrorRepr):  # its last line is the place, not what is wrong
            message = longrepr.errorstring.strip().partition("\n")[0]
            found = {"file": self.relative(str(longrepr.filename)), "line": longrepr.firstlineno + 1}
        else:
            lines = [line for line in rendered[-self._limit :].splitlines() if line.strip()]
            message = re.sub(_MARKED, "", lines[-1]).strip() if lines else ""
            found = {}
        kind = re.match(_TYPE, message)
        if kind:
            found["type"] = self.text(kind[1], 200)
        elif message.startswith("assert "):
            found["type"] = "AssertionError"
        if phase:
            found["phase"] = phase
        return {"message": self.text(message, 4000), "stack": stack, **found}

    def relative(self, path: str) -> str:
        """The path below the rootdir, else as it is; redacted."""
        return self._redactor.redact(path.removeprefix(self._rootdir))

    def text(self, text: str, limit: int) -> str:
        """Redacted and cut to ``limit`` characters."""
        return self._redactor.clip(text, limit)[0]

    def body(self, kind: str, now: float, payload: Mapping[str, object]) -> bytes:
        """The body of any event; values that JSON cannot hold become text."""
        return f'{{"type":"{kind}","timestamp":{int(now)},"payload":{self._json(payload)}}}'.encode("ascii")

    def _start_extra(self, markers: list[str], params: Mapping[str, object] | None, timeout_ms: float | None) -> str:
        """What only some starts have: markers, parameters, a time limit."""
        extra = f',"markers":[{",".join(map(quote, markers))}]' if markers else ""
        if params:
            shown = {str(name): parameter(value, self.text) for name, value in params.items()}
            extra += f',"params":{self._json(shown)}'
        if timeout_ms is not None:
            extra += f',"timeout":{timeout_ms:.0f}'
        return extra

    def _extra(self, attempt: Attempt, report: pytest.TestReport | Remains) -> str:
        """What only some ends have: error, reason, output, user properties."""
        found: dict[str, object] = {}
        if attempt.error is not None:
            found["error"] = attempt.error
        if attempt.reason:
            found["reason"] = self.text(attempt.reason, 2000)
        if attempt.forgiven:
            found["forgiven"] = True
        if report.user_properties:
            found["userProperties"] = properties(report.user_properties, self.text)
        bad = attempt.outcome in BAD_OUTCOMES
        sections = report.sections[attempt.old_sections :]
        if sections and (self._capture == "all" or (bad and self._capture == "failed")):
            found["logs"] = [self._log(title, text) for title, text in sections[:_ITEMS]]
        return f",{self._json(found)[1:-1]}" if found else ""

    def _log(self, title: str, text: str) -> dict[str, object]:
        captured = re.fullmatch(_CAPTURED, title)
        clipped, dropped = self._redactor.clip(text, self._limit)
        log: dict[str, object] = {"text": clipped}
        if captured:
            log.update(stream=captured[1], phase=captured[2])
        else:
            log.update(stream="log", title=self.text(title, 200))
        if dropped:
            log["dropped"] = dropped
        return log

    @staticmethod
    def _json(value: object) -> str:
        """Compact ASCII JSON; surrogates that no UTF-8 can hold are written out as text."""
        text = _encode(value)
        if "\\ud" in text and re.search(_LONE_SURROGATE, json.dumps(value, ensure_ascii=False)):
            text = _encode(_spell_all(value))
        for limit in _SMALLER:
            if len(text) <= _BODY_MAX:
                break
            text = _encode(cut_down(_spell_all(value), limit))
        return text


def judge(attempt: Attempt, report: pytest.TestReport, translator: Translator) -> str | None:
    """Take one phase's report into the attempt; the outcome of the phase when it is worth a record at once.

    Setup or teardown errors make the attempt an error; a failed call stays failed when teardown errors too.
    """
    phase = report.when or "call"
    attempt.phases[phase] = int(report.duration * 1e6)
    outcome = true_outcome(report)
    if outcome == "passed":
        if phase == "call" and hasattr(report, "wasxfail"):
            attempt.outcome, attempt.reason = "xpassed", str(report.wasxfail)
        return None
    if outcome == "skipped":
        if hasattr(report, "wasxfail"):
            attempt.outcome, attempt.reason = "xfailed", str(report.wasxfail)
        else:
            attempt.outcome, attempt.reason = "skipped", skip_reason(report.longrepr)
        return None
    attempt.forgiven = is_protected(report) and attempt.forgiven is not False
    if phase == "call" or attempt.outcome not in ("failed", "timeout"):
        attempt.outcome = "failed" if phase == "call" else "error"
        attempt.reason = None
        attempt.error = translator.error(report.longrepr, phase)
        if re.match(_PYTEST_TIMEOUT, attempt.error["message"]):
            attempt.outcome = "timeout"
    else:
        attempt.error = {**(attempt.error or {}), "teardown": translator.error(report.longrepr, phase)}
    return attempt.outcome


def _within(duration: float, elapsed: float) -> float:
    """A duration that pytest measured by a clock that a test may have moved meanwhile; both in milliseconds."""
    return min(max(duration, 0.0), elapsed)


def _rendered(longrepr: object) -> str:
    """What pytest would print. Its own ``str`` strips the indent of the first line of code."""
    try:
        if not hasattr(longrepr, "toterminal"):
            return str(longrepr)
        stream = io.StringIO()
        longrepr.toterminal(TerminalWriter(stream))
        return stream.getvalue().strip("\n")
    except CONTAINED as error:  # another plugin's object
        return f"{type(error).__name__} while {type(longrepr).__name__} was printed"


def skip_reason(longrepr: object) -> str:
    """The reason of a skip: pytest gives ``(path, line, "Skipped: reason")``, other tools what they like."""
    text = str(longrepr[2]) if isinstance(longrepr, tuple) and len(longrepr) == 3 else str(longrepr)
    return text.removeprefix("Skipped: ")


def spell_surrogates(text: str) -> str:
    r"""The text with lone surrogates, which no UTF-8 can hold, written out as ``\udc80``."""
    return re.sub(_LONE_SURROGATE, lambda found: f"\\u{ord(found[0]):04x}", text)


def _spell_all(value: Any) -> Any:
    if isinstance(value, str):
        return spell_surrogates(value)
    if isinstance(value, Mapping):
        return {_spell_all(key): _spell_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spell_all(item) for item in value]
    return value
