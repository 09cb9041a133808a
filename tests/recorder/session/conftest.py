"""Sessions that share their sources."""

from __future__ import annotations

import pytest

from semantest_recorder.core.access import OWNER, Identity
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.measures import IngestMeasures
from semantest_recorder.core.ownership import SourceOwners
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.security import Security
from semantest_recorder.core.session import Client, Limits, ServerFacts, Session, Shared
from tests.recorder.session.talk import NOW, NewTalk, Talk


@pytest.fixture
def new_talk() -> NewTalk:
    """Makes sessions that share their sources."""
    owners = SourceOwners()
    runs, security = ActiveRuns(lambda _run_id: False), Security(Policy(require_authentication=False))
    made: list[Session] = []

    def make(identity: Identity = OWNER, instance: str | None = None, limits: Limits | None = None) -> Talk:
        number = len(made) + 1
        client = Client(f"c{number}", identity, instance or f"process {number}", "tests/1")
        server = ServerFacts("1.2.3", 1, 1, NOW - 5000, limits or Limits())
        made.append(Session(client, Shared(owners, runs, security, server, IngestMeasures()), NOW))
        return Talk(made[-1])

    return make


@pytest.fixture
def talk(new_talk: NewTalk) -> Talk:
    return new_talk()
