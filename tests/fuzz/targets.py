"""What is fuzzed, by name: each check takes choices made of any bytes and raises nothing while the product is right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.choices import Choices
from tests.fuzz import configuration, decoder, expressions, foreign, journal, projection, redaction, session

FINDINGS = Path(__file__).parent / "findings"


class Target(NamedTuple):
    """``size``: how many bytes make a whole case; ``examples``: how many the short form tries."""

    check: Callable[[Choices], None]
    size: int
    examples: int


TARGETS = {
    "configuration": Target(configuration.check, 400, 40),
    "decoder": Target(decoder.check, 200, 60),
    "expressions": Target(expressions.check, 200, 60),
    "foreign": Target(foreign.check, 400, 60),
    "journal": Target(journal.check, 150, 120),
    "projection": Target(projection.check, 2000, 40),
    "redaction": Target(redaction.check, 300, 60),
    "session": Target(session.check, 3000, 15),
}


def findings() -> list[Path]:
    """The bytes that once made a target fail, a file each in its folder."""
    return sorted(path for name in TARGETS for path in (FINDINGS / name).glob("*"))
