"""Verdicts in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from semantest_recorder.core.batch import Committed, Verdict
from semantest_recorder.server.delivery import Delivery
from semantest_recorder.server.peer import Peer

_MESSAGE = 256 * 1024
_MESSAGES = 40


async def _delivered_by_turn(sizes: dict[str, list[int]], *, at_once: bool = False) -> list[list[str]]:
    """Which verdicts' messages were published in each turn of the loop."""
    published, turns = list[str](), list[list[str]]()

    def deliver(_peer: Peer | None, verdict: Verdict, _came_s: float) -> Iterator[int]:
        for size in sizes[verdict.source]:
            published.append(verdict.source)
            yield size
        if verdict.source == "broken":
            raise ValueError(verdict.source)

    delivery = Delivery(deliver)
    for source in sizes:
        delivery.add(None, Committed(source, 1), 0.0)
    if at_once:
        delivery.finish()
    while sum(map(len, turns)) < sum(map(len, sizes.values())):
        if not at_once:
            await asyncio.sleep(0)
        turns.append(published.copy())
        published.clear()
    return turns


def test_a_large_verdict_is_published_in_steps_and_the_next_one_behind_it() -> None:
    turns = asyncio.run(_delivered_by_turn({"large": [_MESSAGE] * _MESSAGES, "small": [100]}))
    assert [len(turn) for turn in turns if "large" in turn] == [4] * 10
    assert turns[-1] == ["small"]


def test_many_small_messages_are_steps_too() -> None:
    turns = asyncio.run(_delivered_by_turn({"many": [1] * 2000}))
    assert max(map(len, turns)) == 500


def test_a_verdict_that_breaks_holds_up_no_other() -> None:
    turns = asyncio.run(_delivered_by_turn({"broken": [1], "next": [1]}))
    assert [source for turn in turns for source in turn] == ["broken", "next"]


def test_in_the_end_all_is_delivered_at_once() -> None:
    (turn,) = asyncio.run(_delivered_by_turn({"large": [_MESSAGE] * _MESSAGES, "next": [1]}, at_once=True))
    assert turn == ["large"] * _MESSAGES + ["next"]
