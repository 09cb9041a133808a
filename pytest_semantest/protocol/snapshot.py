"""What earlier runs tell of each test, for a pytest that chooses or orders tests: ``test-snapshot.json``.

::

    {"version": 1,
     "runs": how many closed runs it was made from,
     "untilMs": when the newest of them began, milliseconds since the epoch,
     "tests": {testId: [durationMs, fixturesMs, verdicts, fingerprint]}}

``durationMs`` is the median of the test's last five runs (of those in which it passed, where there are any),
``fixturesMs`` what of it setup and teardown took, ``null`` when unknown. ``verdicts`` has a letter for each run with a
verdict on it, newest first, at most 20. ``fingerprint`` is the newest one of its function, ``null`` without one.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
#: Where a recorder serves it.
SNAPSHOT_PATH: Final = "/api/v1/test-snapshot"
#: Bytes. 200,000 tests with long names need less.
SNAPSHOT_MAX: Final = 64 * 1024 * 1024
#: Verdicts of a test that are kept.
VERDICTS: Final = 20

PASSED, FAILED, FLAKY, SKIPPED = "p", "f", "y", "s"
#: Final states of a test to letters; one that is not here says nothing of the test.
LETTERS: Final = {
    "passed": PASSED,
    "xpassed": PASSED,
    "failed": FAILED,
    "error": FAILED,
    "crashed": FAILED,
    "timeout": FAILED,
    "flaky": FLAKY,
    "skipped": SKIPPED,
    "xfailed": SKIPPED,
}
