"""Sessions that share their sources."""

from __future__ import annotations

import pytest

from semantest_recorder.core.access import OWNER, Identity
from semantest_recorder.core.ownership import SourceOwners
from semantest_recorder.core.session import Client, Limits, ServerFacts, Session
from tests.recorder.session.talk import NOW, NewTalk, Talk


@pytest.fixture
def new_talk() -> NewTalk:
    """Makes sessions that share their sources."""
    owners = SourceOwners()
    made: list[Session] = []

    def make(identity: Identity = OWNER, instance: str | None = None, limits: Limits | None = None) -> Talk:
        number = len(made) + 1
        client = Client(f"c{number}", identity, instance or f"process {number}", "tests/1")
        made.append(Session(client, owners, ServerFacts("1.2.3", 1, 1, NOW - 5000, limits or Limits()), NOW))
        return Talk(made[-1])

    return make


@pytest.fixture
def talk(new_talk: NewTalk) -> Talk:
    return new_talk()
