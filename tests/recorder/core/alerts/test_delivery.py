"""Which delivery is tried next, and when again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.alerts.delivery import MOST_TRIES, Answer, Delivery, after_try, next_in_turn, wait_ms

FAILED = Answer(is_delivered=False, text="503")


def delivery(key: int, channel: str = "c", rule: str = "r", next_ms: float = 0.0, tries: int = 0) -> Delivery:
    return Delivery(
        key=key,
        id=f"msg_{key}",
        channel=channel,
        rule=rule,
        state="queued",
        body=b"{}",
        made_ms=0.0,
        tries=tries,
        next_ms=next_ms,
    )


QUEUES = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from((0.0, 50.0))), max_size=12)


@given(QUEUES)
def test_each_channel_gets_one_at_a_time_and_no_rule_is_overtaken(made: list[tuple[str, str, float]]) -> None:
    queue = [delivery(key, channel, rule, next_ms) for key, (channel, rule, next_ms) in enumerate(made)]
    chosen = list(next_in_turn(reversed(queue), now_ms=10.0))
    assert len({one.channel for one in chosen}) == len(chosen)
    for one in chosen:
        assert one.next_ms <= 10.0
        assert not [other for other in queue[: one.key] if (other.channel, other.rule) == (one.channel, one.rule)]
    ready = {
        one.channel
        for one in queue
        if one.next_ms <= 10.0
        and not [other for other in queue[: one.key] if (other.channel, other.rule) == (one.channel, one.rule)]
    }
    assert {one.channel for one in chosen} == ready, "and no channel waits without need"


@given(st.integers(1, 40), st.one_of(st.none(), st.floats(0, 1e9)), st.floats(0, 1))
def test_waits_grow_are_bounded_and_heed_the_receiver(tries: int, asked_s: float | None, chance: float) -> None:
    wait = wait_ms(tries, asked_s, chance)
    assert min(2500.0 * 2 ** (tries - 1), 1_800_000.0) <= wait <= 86_400_000.0
    assert wait >= min((asked_s or 0.0) * 1000.0, 86_400_000.0)
    assert wait_ms(tries + 1, asked_s, chance) >= wait


def test_a_delivery_ends_delivered_or_dead() -> None:
    one, tries = delivery(1), 0
    while one.state == "queued":
        one, tries = after_try(one, FAILED, now_ms=1000.0, chance=0.5), tries + 1
    assert (one.state, tries, one.ended_ms, one.answer) == ("dead", MOST_TRIES, 1000.0, "503")
    final = after_try(delivery(2), Answer(is_delivered=False, text="404", is_final=True), 1000.0, 0.5)
    assert (final.state, final.tries) == ("dead", 1)
    good = after_try(delivery(3), Answer(is_delivered=True, text="200"), 1000.0, 0.5)
    assert (good.state, good.ended_ms) == ("delivered", 1000.0)
