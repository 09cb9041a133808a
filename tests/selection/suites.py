"""Suites and histories of all kinds, for the properties of policies."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from pytest_semantest.selection.candidate import Collected, Suite, with_history
from pytest_semantest.selection.snapshot import Known, Snapshot
from tests.choices import Choices, choices


def snapshot(tests: dict[str, Known]) -> Snapshot:
    return Snapshot(tests, 3, 1.0, "c")


def known(duration: float = 10.0, verdicts: str = "ppp", fixtures: float | None = 0.5, code: str | None = "x") -> Known:
    return Known(duration, fixtures, verdicts, code)


def suite(tests: Mapping[str, Known | None], shares: Mapping[str, tuple[Hashable, ...]] | None = None) -> Suite:
    """Of tests by id; ``None`` for one that is new. The fingerprint of each is ``x`` now."""
    collected = [Collected(name, name.partition("::")[0], (shares or {}).get(name, ()), (), "x") for name in tests]
    return with_history(collected, snapshot({name: row for name, row in tests.items() if row is not None}))


def _made(choose: Choices) -> Suite:
    """Files of tests, some unknown, some changed, some that share fixtures of a module or a class."""
    tests: dict[str, Known | None] = {}
    shares: dict[str, tuple[Hashable, ...]] = {}
    for file in range(choose.number(0, 5)):
        for number in range(choose.number(1, 8)):
            name = f"test_{file}.py::test_{number}"
            verdicts = "".join(choose.of("ppppfys") for _ in range(choose.number(0, 4)))
            time = choose.of((0.0, 1.0, 10.0, choose.number(0, 5_000_000) / 1000))
            row = Known(time, choose.of((None, 0.0, 500.0)), verdicts, choose.of((None, "x", "x", "y")))
            tests[name] = None if choose.yes(5) else row
            shares[name] = choose.of(
                (
                    (),
                    (("module", file),),
                    (("class", file, number % 2),),
                    (("module", file), ("class", file, number % 2)),
                )
            )
    return suite(tests, shares)


suites = choices(400).map(_made)
