"""Where the events of a known source belong, and whose they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from pytest_semantest.protocol.identity import MAIN_WORKER, source_name
from semantest_recorder.core.access import OWNER
from semantest_recorder.core.batch import Batch, Refused
from semantest_recorder.core.ownership import may_continue
from semantest_recorder.store.queries import statements

_SQL = statements("writer.sql")


class RefusedBatchError(Exception):
    """Nothing of the batch may be stored; ``verdict`` says why."""

    def __init__(self, verdict: Refused) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


class Origin:
    """Where a known source's events belong. ``last_seq`` includes what the open transaction added.

    ``holder`` names the token that it belongs to; ``None``: it is the recorder's own, or nobody knows.
    """

    __slots__ = ("holder", "last_seq", "run_id", "source_key", "worker")

    def __init__(self, source_key: int, last_seq: int, worker: str, run_id: str, holder: str | None = None) -> None:
        self.source_key = source_key
        self.last_seq = last_seq
        self.worker = worker
        self.run_id = run_id
        self.holder = holder


def claim(connection: sqlite3.Connection, batch: Batch, origin: Origin, is_valid: Callable[[str], bool]) -> None:
    """Refuses a batch whose source belongs to another token, and notes whose it is from now on.

    Raises ``RefusedBatchError``.
    """
    sender, holder = batch.holder, origin.holder
    if sender in ("", holder):
        return
    if not may_continue(holder, sender, is_valid):
        raise _belongs_to_another(batch.source)
    if holder is None or sender != OWNER.name:
        connection.execute(_SQL["put_holder"], (origin.source_key, sender))
        origin.holder = sender


def claim_session(connection: sqlite3.Connection, batch: Batch, session: str, is_valid: Callable[[str], bool]) -> None:
    """Refuses a new process of a session whose main source belongs to another token. Raises ``RefusedBatchError``."""
    if not batch.holder:  # the recorder's own, or one that is taken once more
        return
    main = source_name(session, MAIN_WORKER)
    (holder,) = connection.execute(_SQL["holder_of"], (main,)).fetchone() or (None,)
    if not may_continue(holder, batch.holder, is_valid):
        raise _belongs_to_another(batch.source)


def _belongs_to_another(source: str) -> RefusedBatchError:
    text = f"{source} was begun with another token: send it with that one, or with any once it is revoked"
    return refuse(source, "SOURCE_IN_USE", text)


def gap(batch: Batch, expected: int) -> RefusedBatchError:
    """It begins behind what is next."""
    message = f"{batch.source} sent seq {batch.first_seq}, {expected} is next"
    return RefusedBatchError(Refused(batch.source, "SEQ_GAP", message, expected))


def refuse(source: str, code: str, message: str) -> RefusedBatchError:
    """It is refused for another reason."""
    return RefusedBatchError(Refused(source, code, message))
