"""What quarantine leaves on items and reports, for those who need to know what a test really came to.

A failed report of a quarantined test goes through pytest as an expected failure, so that nobody counts it: ``-x``,
``--lf``, JUnit XML and the exit code.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

#: On an item: the facts of the entry that protects it (``Entry.facts``).
QUARANTINED: Final = pytest.StashKey[dict[str, str]]()
#: On a report: the same facts; a failure that it tells of does not count.
PROTECTED: Final = "semantest_quarantine"
#: On a report whose failure was taken out of the count.
FORGIVEN: Final = "semantest_forgiven"


def is_protected(report: Any) -> bool:
    """Whether a failure of this report does not count."""
    return hasattr(report, PROTECTED)


def is_forgiven(report: Any) -> bool:
    """Whether this report is a failure that does not count any more."""
    return getattr(report, FORGIVEN, False) is True


def true_outcome(report: Any) -> str:
    """``passed``, ``failed`` or ``skipped``, as it was before anything was forgiven."""
    return "failed" if is_forgiven(report) else str(report.outcome)
