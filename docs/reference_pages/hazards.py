"""The section of docs/reliability.md on what is done to it on purpose."""

from __future__ import annotations

import re
from pathlib import Path

from docs.reference_pages.markdown import cell, table
from tests.hazards import HAZARDS

TESTS = Path(__file__).resolve().parents[2] / "tests"


def hazards_section() -> str:
    """What is done to it on purpose, and the test files that do it."""
    found: dict[int, set[str]] = {number: set() for number in HAZARDS}
    for file in sorted(TESTS.rglob("test_*.py")):
        for number in re.findall(r"mark\.hazard\((\d+)\)", file.read_text(encoding="utf-8")):
            found[int(number)].add(f"`{file.relative_to(TESTS).with_suffix('')}`")
    rows = [(str(number), cell(text), ", ".join(sorted(found[number]))) for number, text in HAZARDS.items()]
    text = table(("", "hazard", "tests"), rows)
    return f"## Hazards\n\nEach is done for real, by tests that `make test` runs.\n\n{text}"
