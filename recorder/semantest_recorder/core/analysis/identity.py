"""One test through its renames and moves: which ids are names of the same test, and which is the present one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

#: Ids of one life that are followed: aliases that lengthen a name would go on for ever.
_NAMES_MAX = 100
_ORDINAL = re.compile(r"#\d+$")


class Alias(msgspec.Struct, frozen=True):
    """``old`` is an earlier name of ``new``: of a test, or of a function, class or file and of all tests in it.

    ``state``: ``detected`` (by the recorder), ``added`` (by a user) or ``removed`` (by a user: it is not in force, and
    not detected again). ``since_ms``: when that was. Of a detected one: ``evidence`` in words, ``confidence`` from 0 to
    1, and ``run``, the first that had the new name.
    """

    old: str
    new: str
    state: str
    since_ms: float
    evidence: str = ""
    confidence: float | None = None
    run: str | None = None


class Identity:
    """The names of every test, by the aliases that are in force. Without aliases each id is a test of its own."""

    def __init__(self, aliases: Iterable[Alias] = ()) -> None:
        self._later: dict[str, list[Alias]] = defaultdict(list)
        self._earlier: dict[str, list[Alias]] = defaultdict(list)
        for alias in aliases:
            if alias.state != "removed" and alias.old != alias.new:
                self._later[alias.old].append(alias)
                self._earlier[alias.new].append(alias)

    @property
    def is_plain(self) -> bool:
        """Whether no alias is in force."""
        return not self._later

    def ids_of(self, test_id: str) -> list[str]:
        """All ids of the test's life, ``test_id`` first: what it was called before, and what it was called later."""
        if not self._later:
            return [test_id]
        found = [test_id]
        for name in found:  # it grows meanwhile
            for aliases, to in ((self._later, "new"), (self._earlier, "old")):
                for _alias, other in _renamed(name, aliases, to):
                    if other not in found and len(found) < _NAMES_MAX:
                        found.append(other)
        return found

    def current(self, test_id: str) -> str:
        """The present id of the test: one later alias is followed after the other, the newest where there are several.

        A test that got its first name back has that one: an alias is older than those that follow it.
        """
        since = float("-inf")
        name = test_id
        for _ in range(_NAMES_MAX):
            later = [step for step in _renamed(name, self._later, "new") if step[0].since_ms > since]
            if not later:
                break
            alias, name = max(later, key=lambda step: (step[0].since_ms, step[1]))
            since = alias.since_ms
        return name

    def groups(self, test_ids: Iterable[str]) -> dict[str, list[str]]:
        """``{present id: ids among test_ids}`` for tests whose results are to be taken together."""
        groups: dict[str, list[str]] = defaultdict(list)
        for test_id in test_ids:
            groups[self.current(test_id) if self._later else test_id].append(test_id)
        return dict(groups)


def function_of(test_id: str) -> str:
    """``a.py::TestX::test_y`` of ``a.py::TestX::test_y[1-2]#2``, also of its other cases."""
    if "[" not in test_id and "#" not in test_id:
        return test_id
    path, separator, rest = test_id.partition("::")
    return path + separator + (rest.partition("[")[0] if "[" in rest else _ORDINAL.sub("", rest))


def places(test_id: str) -> Iterator[tuple[str, str]]:
    """``(name, rest)`` for all that a test is in, from itself to its file: an alias may be about any of them."""
    yield test_id, ""
    head = function_of(test_id)
    while True:
        if head != test_id:
            yield head, test_id[len(head) :]
        head, separator, _name = head.rpartition("::")
        if not separator:
            return


def _renamed(test_id: str, aliases: Mapping[str, list[Alias]], to: str) -> Iterator[tuple[Alias, str]]:
    for name, rest in places(test_id):
        for alias in aliases.get(name, ()):
            yield alias, getattr(alias, to) + rest
