"""A run before its quality gate: what it is judged by, and the public shape of the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from semantest_recorder.core.gate import Check, Compared, Facts, is_passed
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Public, Report, RunHead, is_forgiven
from semantest_recorder.reports.run_reasons import DECIDED_ELSEWHERE, run_reasons
from semantest_recorder.reports.wording import duration, plural, shortened

if TYPE_CHECKING:
    from rich.text import Text

GATE_SCHEMA: Final = 1
_SHOWN = 5
_LINE_MAX = 300
_STYLES = {"ok": "green", "failed": "red", "unknown": "yellow"}


class CheckInfo(Public):
    """One condition. ``verdict``: ok, failed or unknown; ``value`` is what it was judged by, ``bound`` what was asked.

    Rates are per cent, durations milliseconds. ``tests``: those that the value counts.
    """

    condition: str
    verdict: str
    value: float | int | bool | None
    bound: float | int | bool | str
    why: str
    tests: list[str]


class GateResult(Public, kw_only=True):
    """What ``semantest gate --json`` prints. ``base``: the run that this one was compared with, if it was."""

    schema: int = GATE_SCHEMA
    run: RunHead
    base: str | None
    passed: bool
    allow_unknown: bool
    checks: list[CheckInfo]


def gate_facts(report: Report, compared: Compared | str) -> Facts:
    """What a gate is told of a run."""
    run = report.run
    reasons = [reason for reason in run_reasons(report) if reason != DECIDED_ELSEWHERE]  # all of it ran nevertheless
    if run.gaps:
        reasons.append(f"{plural(run.gaps, 'record')} missing")
    return Facts(
        states={test.id: test.state for test in report.tests},
        forgiven=frozenset(test.id for test in report.tests if is_forgiven(test)),
        over=run.state in CLOSED_RUN_STATES,
        duration_ms=run.duration_ms,
        left_out=run.left_out,
        warnings=sum(warning.count for warning in report.warnings),
        incomplete=reasons,
        compared=compared,
    )


def gate_result(report: Report, facts: Facts, checks: Sequence[Check], *, allow_unknown: bool) -> GateResult:
    """The verdict on a run."""
    run = report.run
    return GateResult(
        run=RunHead(**{name: getattr(run, name) for name in RunHead.__struct_fields__}),
        base=facts.compared.base if isinstance(facts.compared, Compared) else None,
        passed=is_passed(checks, allow_unknown=allow_unknown),
        allow_unknown=allow_unknown,
        checks=[
            CheckInfo(one.condition, one.verdict, one.value, one.bound, one.why, list(one.tests)) for one in checks
        ],
    )


def gate_lines(result: GateResult) -> Iterator[Text]:
    """The verdict, then each condition, and the tests of those that failed."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    word = "passed" if result.passed else "failed"
    yield Text(f"Gate {word}: run {inert_line(result.run.id)}", "bold green" if result.passed else "bold red")
    for check in result.checks:
        told = f"  {inert_line(check.why)}" if check.why else ""
        yield Text.assemble("  ", (f"{check.verdict:8}", _STYLES[check.verdict]), f"{check_words(check)}{told}")
        if check.verdict == "failed":
            for test_id in check.tests[:_SHOWN]:
                yield Text(f"            {shortened(inert_line(test_id), _LINE_MAX)}")
            if len(check.tests) > _SHOWN:
                yield Text(f"            ... and {len(check.tests) - _SHOWN} more; --json lists all")


def check_words(check: CheckInfo) -> str:
    """``max-flaky: 3, at most 0``."""
    name, bound = check.condition, check.bound
    if name == "critical":
        return f"{name}: {shortened(inert_line(str(bound)), _LINE_MAX)}"
    if isinstance(check.value, bool):
        return f"{name}: {'yes' if check.value else 'no'}"
    value = _amount(name, check.value)
    if isinstance(bound, bool):
        return f"{name}: {value}"
    return f"{name}: {value}, {'at least' if name.startswith('min') else 'at most'} {_amount(name, bound)}"


def _amount(condition: str, value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or "?"
    if condition == "max-duration":
        return duration(value)
    if condition.endswith("-rate"):
        return f"{int(value * 100) / 100:g} %"  # never rounded up: 99.999 is not 100
    return str(value)
