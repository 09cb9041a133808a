"""Two processes that say different things as one source: the log tells it once of each."""

from __future__ import annotations

import logging
from typing import Final

from semantest_recorder.core.batch import Refused

#: Of so many sources; those beyond are counted only, as every refused batch is (``refusedBatches``).
TOLD_MAX: Final = 1000

_log = logging.getLogger(__name__)


class Conflicts:
    """A source that was refused is sent again, by some clients for ever: that must not fill the log."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def note(self, verdict: Refused) -> None:
        """A batch was refused with ``SEQ_CONFLICT``."""
        if verdict.source in self._told or len(self._told) >= TOLD_MAX:
            return
        self._told.add(verdict.source)
        fields = {"source": verdict.source, "code": verdict.code}
        _log.warning("refused a batch: %s: %s", verdict.code, verdict.message, extra={"fields": fields})
        if len(self._told) == TOLD_MAX:
            _log.warning("no more of these are told: %d sources had one", TOLD_MAX)
