"""Badges: a small picture that says how a run went, as SVG or as what an endpoint of shields.io answers."""

from __future__ import annotations

from typing import Final

import msgspec

from semantest_recorder.core.gate import FAILED
from semantest_recorder.reports.exporters.xml_text import opening, text
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Counts, Report
from semantest_recorder.reports.wording import (
    duration,
    is_green,
    is_open,
    is_so_far,
    nonzero,
    plural,
    run_state_words,
    shortened,
)

KINDS: Final = ("status", "pass-rate", "flaky", "tests", "duration")

#: White text has a contrast of at least 4.5 (WCAG 2, AA) on each of them.
_GREEN, _RED, _YELLOW, _BLUE, _GREY = "#1a7f37", "#c62828", "#8a5a00", "#1f5fa8", "#555"
_NAMES = {_GREEN: "green", _RED: "red", _YELLOW: "yellow", _BLUE: "blue", _GREY: "lightgrey"}
_LABEL_BACK = "#3c3c3c"
_TEXT_MAX = 60
#: Widths in tenths of a pixel of characters in Verdana at 11 px; of others that of a wide one.
_WIDTHS = {
    **dict.fromkeys("ijlI|.,:;'!", 40),
    **dict.fromkeys("frt()[]/- ", 48),
    **dict.fromkeys("acegknopqsuvxyzhbdJL_0123456789", 70),
    **dict.fromkeys("ABCDEFGHKNOPQRSTUVXYZw", 80),
    **dict.fromkeys("mMW%@", 112),
}
_WIDEST = 112
_PADDING = 60

_SVG = """\
{opening}
<title>{title}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="20" fill="{label_back}"/>
<rect x="{left}" width="{right}" height="20" fill="{color}"/>
</g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-anchor="middle">
<text x="{label_x}" y="14" textLength="{label_length}">{label}</text>
<text x="{message_x}" y="14" textLength="{message_length}">{message}</text>
</g>
</svg>
"""


class Badge(msgspec.Struct, frozen=True):
    """What a badge says; ``color`` as CSS has it."""

    label: str
    message: str
    color: str


class Shield(msgspec.Struct, rename="camel", kw_only=True):
    """What https://shields.io/badges/endpoint-badge reads."""

    schema_version: int = 1
    label: str
    message: str
    color: str


def badge_of(report: Report, kind: str, label: str | None = None) -> Badge:
    """The badge of a run; ``kind`` is one of ``KINDS``, ``label`` stands in the place of its own."""
    found = _BADGES[kind](report)
    if kind != "status" and is_so_far(report.run.state, report.run.shards_missing):
        color = _BLUE if found.color == _GREEN else found.color
        found = msgspec.structs.replace(found, message=f"{found.message} so far", color=color)
    return found if label is None else msgspec.structs.replace(found, label=label)


def unknown_badge(kind: str, label: str | None = None) -> Badge:
    """The badge where there is no run."""
    return Badge(label or _LABELS[kind], "unknown", _GREY)


def svg(badge: Badge) -> bytes:
    """The picture; names in it are text and nothing else."""
    label, message = (shortened(inert_line(one), _TEXT_MAX) or " " for one in (badge.label, badge.message))
    lengths = _width(label) / 10, _width(message) / 10
    left, right = (round(length + 2 * _PADDING / 10) for length in lengths)
    attributes = {"xmlns": "http://www.w3.org/2000/svg", "width": str(left + right), "height": "20", "role": "img"}
    return _SVG.format(
        opening=opening("svg", attributes | {"aria-label": f"{label}: {message}"}),
        width=left + right,
        left=left,
        right=right,
        label_x=left / 2,
        message_x=left + right / 2,
        label_length=f"{lengths[0]:g}",
        message_length=f"{lengths[1]:g}",
        label_back=_LABEL_BACK,
        color=badge.color,
        label=text(label),
        message=text(message),
        title=text(f"{label}: {message}"),
    ).encode()


def shield(badge: Badge) -> Shield:
    """The same for shields.io."""
    label, message = (shortened(inert_line(one), _TEXT_MAX) for one in (badge.label, badge.message))
    return Shield(label=label, message=message or " ", color=_NAMES[badge.color])


def _width(words: str) -> int:
    return sum(_WIDTHS.get(character, _WIDEST) for character in words)


def _status(report: Report) -> Badge:
    run = report.run
    shards = (run.shard_count, run.shards_missing)
    words = run_state_words(run.state, run.gaps, report.counts.total, run.quarantined, run.left_out, shards)
    if is_green(run.state, run.shards_missing):
        color = _GREEN
    else:
        color = _BLUE if is_open(run.state, run.shards_missing) else _RED
    return Badge(_LABELS["status"], words, color)


def _pass_rate(report: Report) -> Badge:
    counts = report.counts
    ran = counts.total - counts.skipped - report.run.quarantined
    if not ran:
        return unknown_badge("pass-rate")
    good = counts.passed + counts.xpassed + counts.xfailed + counts.flaky
    share = int(1000 * good / ran) / 10  # never rounded up
    return Badge(_LABELS["pass-rate"], f"{share:g} %", _GREEN if good == ran else _YELLOW if share >= 95 else _RED)


def _flaky(report: Report) -> Badge:
    number = report.counts.flaky
    return Badge(_LABELS["flaky"], str(number) if number else "none", _YELLOW if number else _GREEN)


def _tests(report: Report) -> Badge:
    failed = _failed(report.counts) - report.run.quarantined
    total = plural(report.counts.total, "test")
    return Badge(_LABELS["tests"], f"{total}, {failed} failed" if failed else total, _RED if failed else _BLUE)


def _failed(counts: Counts) -> int:
    """Tests that are bad, in quarantine or not."""
    return sum(number for state, number in nonzero(counts) if state in FAILED or state == "lost")


def _duration(report: Report) -> Badge:
    return Badge(_LABELS["duration"], duration(report.run.duration_ms), _BLUE)


_LABELS = {"status": "tests", "pass-rate": "pass rate", "flaky": "flaky", "tests": "tests", "duration": "test time"}
_BADGES = {"status": _status, "pass-rate": _pass_rate, "flaky": _flaky, "tests": _tests, "duration": _duration}
