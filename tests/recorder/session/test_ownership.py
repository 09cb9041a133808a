"""A source belongs to the connection that first sent it until that closes."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from semantest_recorder.core.ownership import HOLDER_SOURCES_MAX, Granted, InUse, Owner, SourceOwners, TooMany


def test_the_first_one_gets_it_another_process_does_not() -> None:
    owners = SourceOwners()
    assert owners.claim("s.main", Owner("c1", "p1")) == Granted()
    assert owners.claim("s.main", Owner("c1", "p1")) == Granted()
    assert owners.claim("s.main", Owner("c2", "p2")) == InUse(Owner("c1", "p1"))
    owners.release("c1")
    assert owners.claim("s.main", Owner("c2", "p2")) == Granted()


@pytest.mark.hazard(20)
def test_the_same_process_takes_over_and_the_late_end_of_its_old_connection_changes_nothing() -> None:
    owners = SourceOwners()
    owners.claim("s.main", Owner("c1", "p1"))
    assert owners.claim("s.main", Owner("c2", "p1")) == Granted(superseded="c1")
    owners.release("c1")
    assert owners.sources() == {"s.main": "c2"}


def test_one_token_sends_so_many_sources_and_another_one_all_the_same() -> None:
    owners = SourceOwners()
    greedy, again, other = Owner("c1", "p1", "t1"), Owner("c2", "p2", "t1"), Owner("c3", "p3", "t2")
    for number in range(HOLDER_SOURCES_MAX):
        assert owners.claim(f"s{number}", greedy) == Granted()
    assert owners.claim("more", greedy) == owners.claim("more", again) == TooMany()
    assert owners.claim("s0", greedy) == Granted()
    assert owners.claim("more", other) == Granted()
    assert (len(owners), owners.sources(2)) == (HOLDER_SOURCES_MAX + 1, {"s0": "c1", "s1": "c1"})
    owners.release("c1")
    assert owners.claim("more and more", again) == Granted()


class Ownership(RuleBasedStateMachine):
    """Against the plainest model: who claimed what, without the index by connection."""

    def __init__(self) -> None:
        super().__init__()
        self.owners = SourceOwners()
        self.model: dict[str, Owner] = {}

    @rule(source=st.sampled_from("ab"), connection=st.integers(1, 4))
    def claim(self, source: str, connection: int) -> None:
        owner = Owner(f"c{connection}", f"p{connection % 2}")
        present = self.model.get(source)
        granted = self.owners.claim(source, owner)
        if present is None or present.instance == owner.instance:
            self.model[source] = owner
            superseded = present.connection if present is not None and present != owner else None
            assert granted == Granted(superseded)
        else:
            assert granted == InUse(present)

    @rule(connection=st.integers(1, 4))
    def release(self, connection: int) -> None:
        self.owners.release(f"c{connection}")
        self.model = {s: o for s, o in self.model.items() if o.connection != f"c{connection}"}

    @invariant()
    def same(self) -> None:
        assert self.owners.sources() == {s: o.connection for s, o in self.model.items()}


TestOwnership = Ownership.TestCase
TestOwnership.settings = settings(max_examples=25, deadline=None)
