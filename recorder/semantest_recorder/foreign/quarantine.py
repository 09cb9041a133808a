"""What exports of ours, and pytest-reportlog beside our plugin, say of a test in quarantine.

docs/reference/exports.md has the names; files of nobody else have them.
"""

from __future__ import annotations

from typing import Final

from semantest_recorder.foreign.json_values import mapping, text
from semantest_recorder.foreign.run import ForeignQuarantine, ForeignTest

#: How properties of a test in JUnit XML begin, and the type of a failure that does not count.
PROPERTY: Final = "semantest.quarantine."
FORGIVEN_TYPE: Final = "semantest.quarantine"
#: In reports of pytest: the entry, of a failure only when it does not count, and whether it was taken out of the count.
ENTRY: Final = "semantest_quarantine"
FORGIVEN: Final = "semantest_forgiven"


def read_quarantine(told: object) -> ForeignQuarantine | None:
    """The entry that ``told`` is, ``None`` when it is none."""
    facts = mapping(told)
    entry, reason, owner, expires = (text(facts.get(name)) for name in ("entry", "reason", "owner", "expires"))
    if entry is None or reason is None or owner is None or expires is None:
        return None
    return ForeignQuarantine(entry, reason, owner, expires, text(facts.get("issue")))


def put_into_quarantine(test: ForeignTest, told: object, *, forgiven: bool) -> None:
    """Note on a test the entry that ``told`` is, and on its attempts whether their failures count."""
    test.quarantine = read_quarantine(told)
    for attempt in test.attempts:
        attempt.forgiven = forgiven and test.quarantine is not None
