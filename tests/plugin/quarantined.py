"""Lists of tests in quarantine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

TODAY = datetime.now(UTC).date()
ON = "--semantest-quarantine"
Write = Callable[..., None]


def entries(*tests: str, days: int = 10) -> str:
    """The list with an entry for each of these tests, which expire in so many days."""
    expires = TODAY + timedelta(days)
    return "\n".join(
        f'[[quarantine]]\ntest = "{test}"\nreason = "the clock jumps"\nowner = "ann"\nexpires = {expires}'
        for test in tests
    )
