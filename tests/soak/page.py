"""The outcome of a soak, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata

from tests.page_sections import machine, table
from tests.soak.campaign import Outcome
from tests.soak.judging import MIB
from tests.soak.sampling import Sample

_ROWS = 12
_COLUMNS = ("hour", "steps", "RSS MiB", "PSS MiB", "descriptors", "threads", "log MiB", "database MiB")


def text_lines(outcome: Outcome) -> Iterator[str]:
    """For the terminal."""
    yield _title(outcome)
    yield "".join(f"{name:>14}" for name in _COLUMNS)
    for row in _rows(outcome):
        yield "".join(f"{cell:>14}" for cell in row)
    for finding in outcome.findings:
        verdict = "ok" if finding.is_good else "TOO MUCH"
        yield f"  {finding.name:<26}{finding.found:>8.1f} {finding.unit:<4} at most {finding.most:g}: {verdict}"
    for line in outcome.broken:
        yield f"  broken: {line}"
    if outcome.is_good:
        yield "all stayed flat, and what was acknowledged is stored once"
    else:
        wrong = [finding.name for finding in outcome.findings if not finding.is_good]
        yield f"NOT GOOD: {', '.join(wrong + ([f'{len(outcome.broken)} things broke'] if outcome.broken else []))}"


def page_section(outcome: Outcome) -> str:
    """The outcome as a section of docs/reliability.md."""
    found = [
        (finding.name, f"{finding.found:.1f} {finding.unit}".strip(), f"{finding.most:g} {finding.unit}".strip())
        for finding in outcome.findings
    ]
    said = (
        f"`python -m tests.soak --seconds {outcome.seconds:.0f} --hours {outcome.hours:.0f} --seed {outcome.seed}`: "
        f"{_title(outcome)}. Now and then everybody leaves, and what the recorder uses is noted; a third of that is "
        "warm-up. What was acknowledged is stored once, or was deleted by retention."
    )
    return "\n\n".join(
        [
            "## Nothing grows",
            machine([f"pytest-semantest {metadata.version('pytest-semantest')}"]),
            said,
            table(_COLUMNS, _rows(outcome)),
            table(("behind the warm-up", "found", "at most"), found),
            *(f"Broken: {line}" for line in outcome.broken),
        ]
    )


def as_json(outcome: Outcome) -> dict[str, object]:
    """For programs: every sample at rest, sizes in bytes."""
    return asdict(outcome) | {"good": outcome.is_good}


def _title(outcome: Outcome) -> str:
    return (
        f"{outcome.hours:.1f} hours in {outcome.seconds:.0f} s, seed {outcome.seed}: {outcome.runs:,} runs, "
        f"{outcome.events:,} events, {sum(outcome.steps.values()):,} steps"
    )


def _rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    found = outcome.at_rest
    count = min(_ROWS, len(found))
    for number in range(count):
        yield _row(found[round(number * (len(found) - 1) / max(1, count - 1))], outcome)


def _row(sample: Sample, outcome: Outcome) -> tuple[str, ...]:
    return (
        f"{sample.at_s / outcome.seconds * outcome.hours:.1f}",
        f"{sample.steps}",
        f"{sample.rss / MIB:.1f}",
        f"{sample.pss / MIB:.1f}",
        f"{sample.descriptors}",
        f"{sample.threads}",
        f"{sample.wal / MIB:.1f}",
        f"{sample.database / MIB:.1f}",
    )
