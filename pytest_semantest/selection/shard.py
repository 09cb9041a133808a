"""Which tests of a suite are whose, when several machines share it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from pytest_semantest.selection.candidate import Suite
from pytest_semantest.selection.sharing import components

#: A file that takes more than this part of a shard's share is split.
LARGE = 0.05


class Shard(NamedTuple):
    """Shard ``number`` (from 1) of ``of``."""

    number: int
    of: int


def shards(suite: Suite, number: int) -> list[list[int]]:
    """The positions of the tests of each shard, in their collected order.

    Longest processing time first: the largest piece goes to the shard that has the least. A piece is a file; of a
    file that is large, what shares fixtures; of such a group that is larger than a shard's share, each test.
    It depends on the ids of the tests and what is known of them, not on the order in which they were collected.
    """
    in_order = sorted(range(len(suite.candidates)), key=lambda at: (suite.candidates[at].test.id, at))
    times = [candidate.own_ms for candidate in suite.candidates]
    share = (sum(times) + sum(suite.shared_ms.values())) / number
    pieces = [(sum(times[at] for at in piece), piece) for piece in _pieces(suite, in_order, share, times)]
    pieces.sort(key=lambda found: -found[0])  # stable: of equal ones the first by id
    loads = [0.0] * number
    found: list[list[int]] = [[] for _ in range(number)]
    has_file: list[set[str]] = [set() for _ in range(number)]
    for time, piece in pieces:
        file = suite.candidates[piece[0]].test.file
        least = min(range(number), key=lambda at: loads[at])
        loads[least] += time
        if file not in has_file[least]:
            has_file[least].add(file)
            loads[least] += suite.shared_ms.get(file, 0.0)
        found[least] += piece
    return [sorted(members) for members in found]


def _pieces(suite: Suite, in_order: Sequence[int], share: float, times: Sequence[float]) -> Iterator[list[int]]:
    tests = [candidate.test for candidate in suite.candidates]
    files: dict[str, list[int]] = {}
    for at in in_order:
        files.setdefault(suite.candidates[at].test.file, []).append(at)
    for file, members in files.items():
        if sum(times[at] for at in members) + suite.shared_ms.get(file, 0.0) <= LARGE * share:
            yield members
            continue
        for group in components(tests, members):
            if sum(times[at] for at in group) <= share:
                yield group
            else:
                yield from ([at] for at in group)


def checksum_of(ids: Sequence[str]) -> str:
    """A checksum of all tests that were collected, in whatever order: shards that have the same share one list."""
    return sha256("\n".join(sorted(ids)).encode(errors="surrogatepass")).hexdigest()[:16]
