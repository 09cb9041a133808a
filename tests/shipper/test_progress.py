"""What is said of a shipment that takes long, and what is not."""

from __future__ import annotations

from pytest_semantest.shipper.progress import EVERY_S, Progress


def test_a_short_shipment_is_not_commented() -> None:
    progress = Progress("s", 100.0)
    assert [progress.line(100.0 + EVERY_S * part, 1, 9) for part in (0.0, 0.5, 0.99)] == [None] * 3


def test_a_long_one_is_told_now_and_then() -> None:
    progress = Progress("s", 100.0)
    times = [100.0 + EVERY_S * part for part in (1.0, 1.5, 1.9, 2.0, 4.0, 4.1)]
    told = [progress.line(now, number, 9) for number, now in enumerate(times)]
    assert [line is not None for line in told] == [True, False, False, True, True, False]
    assert told[3] == "s: 3 of 9 events are acknowledged, going on"


def test_a_missing_recorder_is_told_at_once_and_once() -> None:
    progress = Progress("s", 100.0)
    assert progress.line(100.0, 0, 9, "nobody there") == "s: no recorder yet (nobody there), trying on"
    assert progress.line(100.1, 0, 9, "nobody there") is None
    assert progress.line(300.0, 0, 9, "nobody there") is None
    assert progress.line(301.0, 0, 9, "HTTP 500") == "s: no recorder yet (HTTP 500), trying on"
    assert progress.line(302.0, 0, 9) == "s: 0 of 9 events are acknowledged, going on"
    assert progress.line(303.0, 0, 9, "HTTP 500") == "s: no recorder yet (HTTP 500), trying on"
