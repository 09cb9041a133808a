"""Answers that took long to find, kept while what they are made of stays as it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


def _one(_answer: object) -> int:
    return 1


class Kept(Generic[V]):
    """Answers of ``most`` in all, as ``size`` measures them, those that were asked for last. For several threads.

    Nobody may change an answer. One that is too large alone is not kept.
    """

    def __init__(self, most: int, size: Callable[[V], int] = _one) -> None:
        self._most = most
        self._size_of = size
        self._size = 0
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Hashable, V]] = OrderedDict()
        self._finding: dict[Hashable, Lock] = {}

    def get(self, question: Hashable, stamp: Hashable, find: Callable[[], V]) -> V:
        """The answer that was found when the stamp was the same; else ``find`` finds it.

        Who asks while it is found waits for it. Raises what ``find`` raises.
        """
        with self._lock:
            finding = self._finding.setdefault(question, Lock())
        with finding:
            try:
                with self._lock:
                    known = self._kept.get(question)
                    if known is not None and known[0] == stamp:
                        self._kept.move_to_end(question)
                        return known[1]
                answer = find()
                self._keep(question, stamp, answer)
            finally:
                with self._lock:
                    self._finding.pop(question, None)
        return answer

    def _keep(self, question: Hashable, stamp: Hashable, answer: V) -> None:
        with self._lock:
            before = self._kept.pop(question, None)
            self._size += self._size_of(answer) - (self._size_of(before[1]) if before is not None else 0)
            self._kept[question] = stamp, answer
            while self._size > self._most:
                self._size -= self._size_of(self._kept.popitem(last=False)[1][1])
