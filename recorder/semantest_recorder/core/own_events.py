"""Events that the recorder itself writes about a client's run, and the names in them (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from pytest_semantest.protocol import events as types
from pytest_semantest.protocol.identity import MAIN_WORKER, SHIPPER_WORKER, source_name
from semantest_recorder.core.batch import RawEvent

#: For how long a run lives without a sign of its pytest, or of a client, in milliseconds.
LEASE_MS: Final = 3_600_000.0


def plain(name: str) -> str:
    """A name without the colon, which stands between source and seq in the ids of events."""
    return name.replace("%", "%25").replace(":", "%3A")


def names_of(run_id: str, session: str, worker: str) -> dict[str, Any]:
    """What the first event of a source names."""
    return {"runId": run_id, "session": session, "source": source_name(session, worker), "worker": worker}


def silent(why: str) -> str:
    """The reason for the end of a run of which nothing came."""
    return f"nothing came of it for {LEASE_MS / 60_000:g} minutes, and {why}"


def broken_off(run_id: str, reason: str, now_ms: float) -> RawEvent:
    """The end of a client's run that nobody ended: what was running is interrupted."""
    ending = {"exitCode": None, "interrupted": True, "stoppedEarly": True, "stopReason": reason}
    return event_of(types.RUN_END, now_ms, runId=run_id, **ending)


def living(session: str, worker: str) -> set[tuple[str, str]]:
    """Session and worker of the processes that there are when this one says something, and the main one has not ended.

    The main process is one of them, though its journal may not have come; a shipper is none that a run waits for.
    """
    main = {(session, MAIN_WORKER)}
    return main if worker == SHIPPER_WORKER else main | {(session, worker)}


def deaths(run_id: str, processes: Iterable[tuple[str, str]], reason: str, now_ms: float) -> list[RawEvent]:
    """These processes died, session and worker of each."""
    return [
        event_of(types.WORKER_CRASH, now_ms, runId=run_id, session=session, worker=worker, reason=reason)
        for session, worker in sorted(processes)
    ]


def event_of(kind: str, at: float, **payload: Any) -> RawEvent:
    """An event; what is ``None`` is left out."""
    return RawEvent(kind, at, json_of({key: value for key, value in payload.items() if value is not None}))


def json_of(value: object) -> msgspec.Raw:
    """A payload."""
    return msgspec.Raw(msgspec.json.encode(value))
