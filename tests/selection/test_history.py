"""What is known of tests, and what the user asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_semantest.selection.candidate import OVERHEAD_MS
from pytest_semantest.selection.chances import FAILED_LAST, UNTRIED, chance
from pytest_semantest.selection.request import Request, parse_request
from pytest_semantest.selection.shard import Shard
from pytest_semantest.selection.snapshot import Known, parse_snapshot
from tests.selection.suites import known, suite


def test_an_unknown_test_takes_the_median_of_its_file_else_of_all() -> None:
    found = suite({"a.py::1": known(10), "a.py::2": known(30), "a.py::3": None, "b.py::4": None, "c.py::5": known(90)})
    times = {candidate.test.id: candidate.own_ms - OVERHEAD_MS for candidate in found.candidates}
    assert (times["a.py::3"], times["b.py::4"]) == (20.0, 30.0)


def test_chances() -> None:
    rows = {
        "a.py::good": known(verdicts="p" * 20),
        "a.py::long_ago": known(verdicts="p" * 15 + "f"),
        "a.py::lately": known(verdicts="pf"),
        "a.py::last": known(verdicts="fp"),
        "a.py::new": None,
        "a.py::changed": known(verdicts="pp", code="then"),
        "a.py::skipped": known(verdicts="sss"),
        "a.py::skipped_since": known(verdicts="ssf"),
    }
    found = {one.test.id.partition("::")[2]: chance(one) for one in suite(rows).candidates}
    assert 0 < found["good"] < found["long_ago"] < found["lately"] < found["last"] <= 1
    assert found["last"] == FAILED_LAST
    assert found["new"] == found["changed"] == UNTRIED
    assert found["skipped"] == pytest.approx(0.01)
    assert found["skipped_since"] > found["skipped"]


def test_a_snapshot() -> None:
    content = json.dumps(
        {"version": 1, "runs": 2, "untilMs": 5.0, "tests": {"a.py::t": [1.5, None, "pf", "x", "later"]}}
    )
    found = parse_snapshot(content.encode())
    assert found.tests == {"a.py::t": Known(1.5, None, "pf", "x")}
    assert (found.runs, found.until_ms) == (2, 5.0)
    assert parse_snapshot(content.encode() + b" ").checksum != found.checksum


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"version": 2, "runs": 1, "untilMs": 1, "tests": {}}',
        b'{"version": 1, "runs": "1", "untilMs": 1, "tests": {}}',
        *(b'{"version": 1, "runs": 1, "untilMs": %b, "tests": {}}' % until for until in (b"9" * 400, b"1e300", b"NaN")),
        b'{"version": 1, "runs": 1, "untilMs": 1, "tests": {"a": [1, 1]}}',
        b'{"version": 1, "runs": 1, "untilMs": 1, "tests": {"a": ["1", 1, "p", "x"]}}',
        b'{"version": 1, "runs": 1, "untilMs": 1, "tests": {"a": [-1, 1, "p", "x"]}}',
        b'{"version": 1, "runs": 1, "untilMs": 1, "tests": {"a": [NaN, 1, "p", "x"]}}',
    ],
)
def test_a_snapshot_that_cannot_be_used(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"it is |a test in it"):
        parse_snapshot(content)


@pytest.mark.parametrize(
    ("texts", "request_"),
    [
        (("", "", ""), Request()),
        (("collected", "", ""), Request()),
        (("failed-first", "2/4", "90s"), Request("failed-first", Shard(2, 4), 90_000.0)),
        (("", "", "1.5 h"), Request("", None, 5_400_000.0)),
        (("", "", "", (), "5"), Request(times=5)),
    ],
)
def test_what_is_asked_for(texts: tuple[Any, ...], request_: Request) -> None:
    assert parse_request(*texts) == request_


@pytest.mark.parametrize(
    "texts",
    [
        ("random", "", ""),
        ("", "0/4", ""),
        ("", "5/4", ""),
        ("", "2", ""),
        ("", "1/0", ""),
        ("", "-1/4", ""),
        ("", "\u0661/\u0664", ""),
    ]
    + [("", "", "", (), text) for text in ("0", "-1", "1001", "two", "3.5", "\u0663")]
    + [("", "", text) for text in ("90", "0s", "-1s", "soon", "1e3s", "nan s")],
)
def test_what_cannot_be_understood(texts: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="--semantest-"):
        parse_request(*texts)
