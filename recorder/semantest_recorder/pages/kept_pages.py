"""Pages that took long to make, kept while what they are made of stays as it is. For several threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class KeptPages:
    """At most ``most_characters`` of pages, those that were asked for last; a larger one alone is not kept."""

    def __init__(self, most_characters: int) -> None:
        self._most = most_characters
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Hashable, str]] = OrderedDict()
        self._size = 0

    def get(self, question: Hashable, stamp: Hashable, make: Callable[[], str]) -> str:
        """The page that was made for ``question`` when the stamp was the same; else ``make`` makes it."""
        with self._lock:
            known = self._kept.get(question)
            if known is not None and known[0] == stamp:
                self._kept.move_to_end(question)
                return known[1]
        page = make()
        with self._lock:
            self._size += len(page) - len(self._kept.pop(question, (stamp, ""))[1])
            self._kept[question] = stamp, page
            while self._size > self._most:
                self._size -= len(self._kept.popitem(last=False)[1][1])
        return page
