"""Deliveries: which one is tried next, when it is tried again, and when it is given up (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

#: After so many failed tries, some three hours, a delivery is a dead letter.
MOST_TRIES: Final = 12
_FIRST_MS = 5_000.0
_LONGEST_MS = 3_600_000.0
#: A receiver that asks for more patience than a day gets a day.
_LONGEST_ASKED_MS = 86_400_000.0
#: Of one channel at most so many wait; so many dead letters and delivered messages of all channels are kept.
MOST_QUEUED: Final = 1000
MOST_DEAD: Final = 1000
MOST_DELIVERED: Final = 10_000


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message for one channel. ``state``: ``queued``, ``delivered`` or ``dead``; ``answer``: how it ended last.

    ``key`` orders them; ``body`` is the JSON of a ``Message``; ``next_ms``: not to be tried before.
    """

    key: int
    id: str
    channel: str
    rule: str
    state: str
    body: bytes
    made_ms: float
    tries: int
    next_ms: float
    ended_ms: float | None = None
    answer: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What came of a try. ``is_final``: trying again would not help; ``retry_after_s``: what the receiver asks for."""

    is_delivered: bool
    text: str
    is_final: bool = False
    retry_after_s: float | None = None


def next_in_turn(queued: Iterable[Delivery], now_ms: float) -> Iterator[Delivery]:
    """Those to be tried now, at most one of each channel, in the order in which they were made.

    One that has to wait holds up later ones of its channel and rule only, so that nobody reads that something is over
    before reading that it began.
    """
    busy: set[str] = set()
    waiting: set[tuple[str, str]] = set()
    for one in sorted(queued, key=lambda delivery: delivery.key):
        if one.channel in busy or (one.channel, one.rule) in waiting:
            continue
        if one.next_ms > now_ms:
            waiting.add((one.channel, one.rule))
        else:
            busy.add(one.channel)
            yield one


def after_try(delivery: Delivery, answer: Answer, now_ms: float, chance: float) -> Delivery:
    """The delivery after a try; ``chance``, from 0 to 1, spreads what failed together."""
    tries = delivery.tries + 1
    if answer.is_delivered:
        state, next_ms = "delivered", 0.0
    elif answer.is_final or tries >= MOST_TRIES:
        state, next_ms = "dead", 0.0
    else:
        state, next_ms = "queued", now_ms + wait_ms(tries, answer.retry_after_s, chance)
    ended_ms = None if state == "queued" else now_ms
    return msgspec.structs.replace(
        delivery, state=state, tries=tries, next_ms=next_ms, ended_ms=ended_ms, answer=answer.text[:500]
    )


def wait_ms(tries: int, retry_after_s: float | None, chance: float) -> float:
    """How long to wait after so many failed tries: twice as long each time, half of it by chance.

    Not less than the receiver asks for.
    """
    usual = min(_FIRST_MS * 2.0 ** (tries - 1), _LONGEST_MS)
    asked = min((retry_after_s or 0.0) * 1000.0, _LONGEST_ASKED_MS)
    return max(usual * (0.5 + 0.5 * chance), asked)
