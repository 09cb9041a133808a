"""The outcome of a soak, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

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


def markdown_lines(outcome: Outcome) -> Iterator[str]:
    """A table for a page, and what was found."""
    yield f"{_title(outcome)}."
    yield ""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"|{' ---: |' * len(_COLUMNS)}"
    for row in _rows(outcome):
        yield f"| {' | '.join(row)} |"
    yield ""
    yield "| behind the warm-up | found | at most |"
    yield "| --- | ---: | ---: |"
    for finding in outcome.findings:
        unit = f" {finding.unit}" if finding.unit else ""
        yield f"| {finding.name} | {finding.found:.1f}{unit} | {finding.most:g}{unit} |"
    for line in outcome.broken:
        yield f"\nBroken: {line}"


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
