"""Badges: what they say, that anybody can read them, and that no name in them is more than text."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.badge import KINDS, Badge, badge_of, shield, svg
from semantest_recorder.reports.json_text import json_text
from semantest_recorder.reports.report import Report
from tests.recorder.reports.rows_of import result_row, run_rows

_SVG = "{http://www.w3.org/2000/svg}"


def report_of(*states: str, state: str = "failed") -> Report:
    return aggregate(run_rows([result_row(f"a.py::t{at}", one, at) for at, one in enumerate(states)], state=state))


#: One test passed, and one failed in quarantine.
FORGIVEN = aggregate(
    run_rows([result_row("a", "passed"), result_row("b", "failed", 1, forgiven=True)], state="passed", quarantined=1)
)
GOOD = report_of("passed", "passed", "skipped", state="passed")
BAD = report_of("passed", "failed", "flaky")
EMPTY = report_of(state="passed")


@pytest.mark.parametrize(
    ("report", "kind", "message", "color"),
    [
        (GOOD, "status", "passed", "green"),
        (BAD, "status", "failed", "red"),
        (EMPTY, "status", "passed, no tests", "green"),
        (report_of(state="running"), "status", "still running", "blue"),
        (GOOD, "pass-rate", "100 %", "green"),
        (BAD, "pass-rate", "66.6 %", "red"),
        (EMPTY, "pass-rate", "unknown", "lightgrey"),
        (report_of(*["passed"] * 999, "failed"), "pass-rate", "99.9 %", "yellow"),
        (FORGIVEN, "status", "passed, 1 test failed in quarantine", "green"),
        (FORGIVEN, "pass-rate", "100 %", "green"),
        (FORGIVEN, "tests", "2 tests", "blue"),
        (GOOD, "flaky", "none", "green"),
        (BAD, "flaky", "1", "yellow"),
        (GOOD, "tests", "3 tests", "blue"),
        (BAD, "tests", "3 tests, 1 failed", "red"),
        (GOOD, "duration", "1.50 s", "blue"),
    ],
)
def test_each_kind_says_its_number(report: Report, kind: str, message: str, color: str) -> None:
    told = shield(badge_of(report, kind))
    assert (told.message, told.color) == (message, color)
    assert json.loads(json_text(told))["schemaVersion"] == 1


@given(st.text(), st.text())
@example("\ufffe<&>", '"\x1b[31m]]>')
def test_a_badge_is_well_formed_and_says_its_words_to_all(label: str, message: str) -> None:
    root = ET.fromstring(svg(Badge(label, message, "#1a7f37")))
    words = [text.text or "" for text in root.iter(f"{_SVG}text")]
    assert len(words) == 2
    title = root.findtext(f"{_SVG}title")
    assert title == root.attrib["aria-label"] == f"{words[0]}: {words[1]}"
    assert {element.tag.removeprefix(_SVG) for element in root.iter()} <= {
        "svg",
        "title",
        "clipPath",
        "rect",
        "g",
        "text",
    }


def test_words_are_readable_on_every_color() -> None:
    reports = (GOOD, BAD, EMPTY, report_of(state="running"))
    colors = {
        rect.attrib["fill"]
        for report in reports
        for kind in KINDS
        for rect in ET.fromstring(svg(badge_of(report, kind))).iter(f"{_SVG}rect")
        if "fill" in rect.attrib
    }
    assert len(colors) >= 5
    assert [color for color in colors if _contrast_with_white(color) < 4.5] == []


def _contrast_with_white(color: str) -> float:
    """By WCAG 2.1, relative luminance."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
