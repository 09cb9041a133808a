"""Answers that took long to find, kept while what they are made of stays as it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")


def _one(_answer: object) -> int:
    return 1


class _Found(NamedTuple, Generic[V]):
    answer: V
    stamp: Hashable
    size: int


class Kept(Generic[V]):
    """Answers of ``most`` in all, as ``size`` measures them, those that were asked for last. For several threads.

    There are no more than ``number`` of them; one that is too large alone is not kept. Nobody may change an answer.
    """

    def __init__(self, most: int, size: Callable[[V], int] = _one, number: int = 1000) -> None:
        self._most = most
        self._number = number
        self._size_of = size
        self._size = 0
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, _Found[V]] = OrderedDict()
        self._finding: dict[Hashable, Lock] = {}

    def known(self, question: Hashable, stamp: Hashable) -> V | None:
        """The answer that was found when the stamp was the same."""
        with self._lock:
            found = self._kept.get(question)
            if found is None or found.stamp != stamp:
                return None
            self._kept.move_to_end(question)
            return found.answer

    def get(self, question: Hashable, stamp: Hashable, find: Callable[[], V]) -> V:
        """The same; else ``find`` finds it.

        Who asks while it is found waits for it. Raises what ``find`` raises.
        """
        with self._lock:
            finding = self._finding.setdefault(question, Lock())
        with finding:
            try:
                known = self.known(question, stamp)
                if known is not None:
                    return known
                answer = find()
                self._keep(question, _Found(answer, stamp, self._size_of(answer)))
            finally:
                with self._lock:
                    self._finding.pop(question, None)
        return answer

    def _keep(self, question: Hashable, found: _Found[V]) -> None:
        with self._lock:
            before = self._kept.pop(question, None)
            self._size -= before.size if before is not None else 0
            if found.size > self._most:
                return
            self._size += found.size
            self._kept[question] = found
            while self._size > self._most or len(self._kept) > self._number:
                self._size -= self._kept.popitem(last=False)[1].size
