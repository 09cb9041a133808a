"""Which tests must stay together for the sake of the fixtures that they share. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from pytest_semantest.selection.candidate import Collected


def components(tests: Sequence[Collected], members: Iterable[int]) -> list[list[int]]:
    """The members (positions of ``tests``), put together where they share something, be it by way of others.

    Members stand in the order in which they are given, components in that of their first member.
    """
    parents: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while (parent := parents.setdefault(key, key)) != key:
            parents[key] = parents[parent]
            key = parent
        return key

    ordered = list(members)
    for at in ordered:
        first, *others = tests[at].shares or (at,)
        for other in others:
            parents[root(other)] = root(first)
    found: dict[Hashable, list[int]] = {}
    for at in ordered:
        found.setdefault(root(tests[at].shares[0] if tests[at].shares else at), []).append(at)
    return list(found.values())
