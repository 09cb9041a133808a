"""What conftest files and other plugins may decide of a recording. Described in docs/reference/hooks.md."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookspec(firstresult=True)
def pytest_semantest_event(event: dict[str, Any]) -> dict[str, Any] | bool | None:
    """Change or drop an event before it is written into the journal.

    ``event`` is ``{type, timestamp, payload}``. Return a dict to write that instead, ``False`` to drop the event,
    ``None`` to leave the decision to the next implementation, at last to write the event as it is. Starts and ends of
    runs, workers and tests, plans, selections and collection errors cannot be dropped; an event's type and what tells
    its test, run and outcome cannot be changed.
    """


@pytest.hookspec(firstresult=True)
def pytest_semantest_should_retry(item: pytest.Item, report: pytest.TestReport, attempt: int) -> bool | None:
    """Say whether a failed test is to run again, up to ``--semantest-retries`` times.

    ``report`` is that of the failed phase, ``attempt`` counts from 1. Return ``None`` to leave the decision to the next
    implementation, at last to ``--semantest-retry`` and ``--semantest-retry-match``.
    """
