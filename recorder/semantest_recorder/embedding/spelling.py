"""Keys as Python spells them and as the wire does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def camel_keys(given: Mapping[str, Any]) -> dict[str, Any]:
    """``max_event_size`` becomes ``maxEventSize``; keys that are camelCase already stay."""
    return {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): value for key, value in given.items()}
