from __future__ import annotations

from semantest_recorder.core.commit_wait import CommitWait


def test_nothing_waits_at_first_and_when_all_is_answered() -> None:
    wait = CommitWait()
    assert (wait.oldest_ms(5.0), wait.stalled_ms(5.0)) == (0.0, 0.0)
    wait.came(5.0)
    wait.answered(6.0)
    assert (wait.oldest_ms(9.0), wait.stalled_ms(9.0)) == (0.0, 0.0)


def test_a_long_queue_is_no_stall_while_something_is_answered() -> None:
    wait = CommitWait()
    for now_ms in (0.0, 1.0, 2.0):
        wait.came(now_ms)
    assert (wait.oldest_ms(100.0), wait.stalled_ms(100.0)) == (100.0, 100.0)
    wait.answered(100.0)
    assert (wait.oldest_ms(103.0), wait.stalled_ms(103.0)) == (102.0, 3.0)


def test_what_came_late_has_not_waited_since_the_last_answer() -> None:
    wait = CommitWait()
    wait.came(0.0)
    wait.answered(1.0)
    wait.came(1000.0)
    assert wait.stalled_ms(1002.0) == 2.0
