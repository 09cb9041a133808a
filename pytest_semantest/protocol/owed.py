"""What runs still owe, for a pytest that runs only that: what ``semantest owed --json`` prints and a recorder serves.

::

    {"schema": 1,
     "runs": [ids of the runs that were asked for],
     "chain": [ids of these and of those that reran what they owe, the oldest first],
     "missing": [ids of runs that belong to the chain and are not there any more],
     "running": [ids of those that are not over],
     "complete": whether the chain names every test that it was to run,
     "state": "passed", "failed" or "running": of all of them together,
     "outstanding": how many tests are owed,
     "tests": {testId: [state, owed, fingerprint]},
     "aliases": {testId: [the other names of its life]}, of owed tests that have some}

``state`` is the last word of the chain on the test, ``fingerprint`` that of its function then, ``null`` without one.
"""

from __future__ import annotations

from typing import Final

OWED_SCHEMA: Final = 1
#: Where a recorder serves it; ``?run=ID``, once for each run.
OWED_PATH: Final = "/api/v1/owed"
#: Bytes. 200,000 tests with long names need less.
OWED_MAX: Final = 64 * 1024 * 1024
#: So many runs may be asked for at once.
OWED_RUNS: Final = 1000
