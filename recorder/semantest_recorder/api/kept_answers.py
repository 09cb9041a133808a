"""Answers that were dear, kept while they hold. For several threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from semantest_recorder.api.encoded import Encoded


class KeptAnswers:
    """At most ``most_bytes`` in ``most`` answers, those asked for last; one that is larger alone is not kept."""

    def __init__(self, most_bytes: int, most: int = 1000) -> None:
        self._most_bytes = most_bytes
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[object, Encoded]] = OrderedDict()

    def get(self, question: Hashable, stamp: object) -> Encoded | None:
        """The answer that was given to ``question`` when the stamp was the same."""
        with self._lock:
            stamped = self._kept.get(question)
            if stamped is None or stamped[0] != stamp:
                return None
            self._kept.move_to_end(question)
            return stamped[1]

    def put(self, question: Hashable, stamp: object, answer: Encoded) -> None:
        """Keeps an answer in the place of the one before."""
        with self._lock:
            self._kept[question] = stamp, answer
            self._kept.move_to_end(question)
            size = sum(len(kept) for _stamp, kept in self._kept.values())
            while size > self._most_bytes or len(self._kept) > self._most:
                size -= len(self._kept.popitem(last=False)[1][1])
