"""What repetition leaves on items, for the recording, which few sessions need to know more of."""

from __future__ import annotations

from typing import Final

import pytest

#: On an item: how often it is to run.
TIMES: Final = pytest.StashKey[int]()
#: On the same item while it runs: which time it is, from 1.
NUMBER: Final = pytest.StashKey[int]()
#: On pytest's configuration: there are such items.
REPEATS: Final = pytest.StashKey[bool]()
