"""What the cells came to, as a table that people read and as JSON (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.matrix.cells import Cell
from tests.matrix.running import Outcome

#: Whose versions the table shows; the others stand in the JSON file.
_SHOWN = ("pytest", "pytest-xdist", "pytest-rerunfailures", "aiohttp", "msgspec", "filelock")


@dataclass(frozen=True)
class Row:
    """One cell: its Python, what was installed, what its tests came to."""

    cell: Cell
    python: str
    versions: Mapping[str, str]
    outcome: Outcome


def line_of(row: Row) -> str:
    """What is printed when a cell is through, with what failed below it."""
    outcome = row.outcome
    head = (
        f"{row.cell.name}: {'passed' if outcome.good else 'FAILED'}: {outcome.passed} passed, "
        f"{len(outcome.failed)} failed, {sum(outcome.skipped.values())} skipped in {outcome.seconds:.0f} s"
    )
    details = [f"    FAILED {name}" for name in outcome.failed]
    details += [f"    skipped {count}: {reason}" for reason, count in outcome.skipped.items()]
    details += [f"    {line}" for line in (outcome.problem or "").splitlines()]
    return "\n".join((head, *details))


def markdown_of(rows: Sequence[Row], missing: Sequence[str]) -> str:
    """The table of all cells, what could not be seen, and the reasons of skips with how many cells had them."""
    titles = ["cell", "Python", *_SHOWN, "tests", "result"]
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    lines += [f"| {' | '.join(_columns(row))} |" for row in rows]
    lines += ["", *(f"Not seen: {what}." for what in missing)]
    cells_by_reason = Counter(reason for row in rows for reason in row.outcome.skipped)
    lines += [f"Skipped in {cells} of {len(rows)} cells: {reason}" for reason, cells in cells_by_reason.most_common()]
    return "\n".join(lines).rstrip() + "\n"


def json_of(rows: Sequence[Row], missing: Sequence[str]) -> dict[str, Any]:
    """All that is known, for programs."""
    cells = [
        {
            "cell": row.cell.name,
            "python": row.python,
            "versions": dict(row.versions),
            "good": row.outcome.good,
            "passed": row.outcome.passed,
            "failed": list(row.outcome.failed),
            "skipped": row.outcome.skipped,
            "seconds": round(row.outcome.seconds, 1),
            "problem": row.outcome.problem,
        }
        for row in rows
    ]
    return {"cells": cells, "missing": list(missing)}


def _columns(row: Row) -> list[str]:
    outcome = row.outcome
    tests = f"{outcome.passed} passed"
    if outcome.skipped:
        tests += f", {sum(outcome.skipped.values())} skipped"
    result = "passed" if outcome.good else f"**{len(outcome.failed)} failed**" if outcome.failed else "**not run**"
    return [row.cell.name, row.python, *(row.versions.get(name, "-") for name in _SHOWN), tests, result]
