"""What exports of ours say of a run that passed so far: without some of its shards it is not green, here or elsewhere.

docs/reference/exports.md has the names; files of nobody else have them.
"""

from __future__ import annotations

from typing import Final

from semantest_recorder.foreign.json_values import text

#: The type of the run itself as a skipped ``testcase`` of JUnit XML.
SKIP_TYPE: Final = "semantest.shards_missing"
#: The category of a warning, in formats of pytest.
WARNING: Final = "semantest.ShardsMissing"


def why_unfinished(message: object) -> str:
    """Why such a run is not at its end; ``message`` says which shards are missing."""
    return text(message) or "shards are missing"
