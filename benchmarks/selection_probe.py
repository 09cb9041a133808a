"""A pytest plugin that writes down when the first test failed: ``benchmarks.selection`` loads it into real runs.

``SELECTION_PROBE`` names the file. Times are seconds from the start of the first test, which is when all is collected.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

_seen: dict[str, Any] = {
    "start": None,
    "firstFailure": None,
    "tests": 0,
    "failed": [],
    "collected": [],
    "durations": {},
}


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    from pytest_semantest.fingerprint import Fingerprints  # noqa: PLC0415
    from pytest_semantest.selection.places import Places  # noqa: PLC0415

    places, fingerprints = Places(), Fingerprints()
    _seen["collected"] = [[item.nodeid, repr(places.of(item)), fingerprints.of(item)] for item in session.items]


def pytest_runtest_logstart() -> None:
    if _seen["start"] is None:
        _seen["start"] = time.monotonic()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _seen["tests"] += 1
    durations = _seen["durations"]
    durations[report.nodeid] = durations.get(report.nodeid, 0.0) + report.duration
    if report.failed:
        _seen["failed"].append(report.nodeid)
        if _seen["firstFailure"] is None:
            _seen["firstFailure"] = time.monotonic() - _seen["start"]


def pytest_sessionfinish() -> None:
    _seen["total"] = time.monotonic() - _seen["start"] if _seen["start"] is not None else 0.0
    with open(os.environ["SELECTION_PROBE"], "w") as file:
        json.dump(_seen, file)
