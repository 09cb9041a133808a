"""The report in one file and the dashboard look alike: the report carries its own colours, and they are the same."""

from __future__ import annotations

import re
from importlib.resources import files

DASHBOARD = files("semantest_recorder").joinpath("pages/static/dashboard.css").read_text("utf-8")
REPORT = files("semantest_recorder").joinpath("reports/exporters/html/report.css").read_text("utf-8")


def palette(sheet: str) -> dict[str, str]:
    """Value by name of what the first rule sets."""
    return dict(re.findall(r"^  (--[a-z]+): (.*);$", sheet.partition("}")[0], re.MULTILINE))


def state_colours(sheet: str) -> dict[str, str]:
    """The name of its colour by state."""
    rules = re.findall(r"^((?:\.is-\w+(?:, )?)+) \{ --state: var\(--(\w+)\)", sheet, re.MULTILINE)
    return {state: colour for states, colour in rules for state in re.findall(r"\.is-(\w+)", states)}


def test_the_colours_of_a_report_are_those_of_the_dashboard() -> None:
    own = palette(REPORT)
    assert {"--page", "--text", "--red", "--mono"} <= set(own)
    assert {name: palette(DASHBOARD).get(name) for name in own} == own


def test_a_state_has_one_colour_wherever_it_is_shown() -> None:
    own = state_colours(REPORT)
    assert own["failed"] == "red"
    assert {state: state_colours(DASHBOARD).get(state) for state in own} == own
    colours = {f"--{colour}" for colour in state_colours(DASHBOARD).values()}
    assert colours <= set(palette(DASHBOARD))
