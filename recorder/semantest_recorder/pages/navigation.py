"""What the dashboard consists of: the groups and entries of its menu."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One entry of the menu; ``name`` is what a page calls its section."""

    name: str
    title: str
    address: str


class Group(NamedTuple):
    """Entries that belong together."""

    title: str
    entries: tuple[Entry, ...]


#: In the order of the menu. A page that is not in it belongs to the section of one that is.
NAVIGATION = (
    Group(
        "Runs",
        (
            Entry("runs", "All runs", "/runs"),
            Entry("live", "Live", "/live"),
            Entry("compare", "Compare two", "/compare"),
        ),
    ),
    Group(
        "Tests",
        (
            Entry("tests", "Find a test", "/tests"),
            Entry("flaky", "Flaky", "/flaky"),
            Entry("slowest", "Slowest", "/slowest"),
            Entry("slower", "Became slower", "/slower"),
            Entry("trends", "Trends", "/trends"),
        ),
    ),
    Group(
        "Recorder",
        (
            Entry("alerts", "Alerts", "/alerts"),
            Entry("api", "REST API", "/api"),
            Entry("settings", "Settings", "/settings"),
        ),
    ),
)
