"""What clients may ask: the methods of ``request``, some of which also come as messages of their own (pure).

A command states what it wants; the session carries it out and answers when it is committed or found out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from semantest_recorder.core.access import ADMINS, ANY_ROLE, INGESTERS, OPERATORS, READERS, Role
from semantest_recorder.core.active_run import GRACE_MS
from semantest_recorder.core.batch import Batch
from semantest_recorder.core.effects import NO_PARAMETERS
from semantest_recorder.core.policy import InvalidPolicy
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.run_config import InvalidConfig, read_config
from semantest_recorder.core.subscription import InvalidPattern, Subscription

if TYPE_CHECKING:
    from semantest_recorder.core.session import Session

_GRACE_MAX_MS: Final = 600_000.0
#: How much of a client's own words ``echo`` and ``ping`` say back, in bytes.
ECHO_MAX: Final = 64 * 1024


class Ask(NamedTuple):
    """The answer is found out elsewhere, by a ``Query`` of this name."""

    query: str
    parameters: Mapping[str, Any] = NO_PARAMETERS


class Do(NamedTuple):
    """The batch is committed, then ``ask`` finds out the answer; ``undo`` when it is refused."""

    batch: Batch
    ask: Ask
    undo: Callable[[], None] | None = None


class Command(NamedTuple):
    """``roles``: of which the client needs one; ``answer``: the type of the answer to a message of its own.

    ``perform`` gives the payload of the answer, or what has to be done for it, and raises ``Refusal``. A command
    without ``answer`` comes as a ``request`` only. A command ``at_once`` has its effect where it stands among the
    messages of the client, whatever waits for an answer; others ask for what the messages before it have done. One that
    ``writes`` into the log counts as an event for the client's limit.
    """

    roles: frozenset[Role]
    perform: Callable[[Session, msgspec.Raw], object]
    answer: str | None = None
    at_once: bool = False
    writes: bool = False


class _Run(msgspec.Struct, rename="camel"):
    run_id: str
    reason: str | None = None
    grace_ms: float = GRACE_MS


class _Results(msgspec.Struct, rename="camel"):
    run_id: str
    cursor: str | None = None
    limit: int = 1000


class _TimeRange(msgspec.Struct, rename="camel"):
    start_time: float
    end_time: float
    types: list[str] | None = None
    limit: int = 1000
    cursor: str | None = None
    speed: float = 0.0

    def read(self) -> dict[str, Any]:
        """The range as queries take it. Raises ``Refusal``."""
        if self.end_time < self.start_time or self.speed < 0:
            raise Refusal("INVALID_MESSAGE", "endTime is not before startTime, and speed is at least 0")
        if self.types is not None:
            try:
                Subscription().add(self.types)
            except InvalidPattern as error:
                raise Refusal("INVALID_PATTERN", str(error)) from None
        return {"start_ms": self.start_time, "end_ms": self.end_time, "types": self.types}


def _server_info(session: Session, _payload: msgspec.Raw) -> object:
    facts: dict[str, object] = msgspec.to_builtins(session.server)
    uptime = session.now_ms - session.server.started_ms
    # The last two as the original server spelled them, uptime in seconds.
    return facts | {"uptimeMs": uptime, "version": session.server.server_version, "uptime": uptime / 1000}


def _client_info(session: Session, _payload: msgspec.Raw) -> object:
    client = session.client
    return {
        "clientId": client.id,
        "id": client.id,
        "name": client.identity.name,
        "roles": sorted(role.value for role in client.identity.roles),
        "agent": client.agent,
        "connectedMs": session.opened_ms,
        "connectedAt": session.opened_ms,
        "subscriptions": list(session.subscription),
        "unackedBytes": session.unacked_bytes,
        "limit": msgspec.to_builtins(session.security.limit_of(client.id, session.now_ms)),
    }


def _echo(_session: Session, payload: msgspec.Raw) -> object:
    if len(bytes(payload)) > ECHO_MAX:
        raise Refusal("INVALID_MESSAGE", f"no more than {ECHO_MAX} bytes are said back")
    return payload


def _health(_session: Session, _payload: msgspec.Raw) -> object:
    return Ask("server.health")


def _start_run(session: Session, payload: msgspec.Raw) -> object:
    try:
        config = read_config(payload)
    except InvalidConfig as error:
        raise Refusal("INVALID_MESSAGE", str(error)) from None
    batch = session.runs.start(config, session.now_ms, client=session.client.id, holder=session.client.holder)
    before, session.started_run = session.started_run, config.run_id

    def undo() -> None:
        session.runs.forget(config.run_id)
        if session.started_run == config.run_id:
            session.started_run = before

    return Do(batch, Ask("runStatus", {"run_id": config.run_id}), undo)


def _end_run(session: Session, payload: msgspec.Raw) -> object:
    named = _read(payload, _Run)
    batch = session.runs.end(
        named.run_id,
        session.now_ms,
        named.reason,
        holder=session.client.holder,
        operates=session.client.identity.has_any(OPERATORS),
    )
    return Do(batch, Ask("runStatus", {"run_id": named.run_id}))


def _cancel_run(session: Session, payload: msgspec.Raw) -> object:
    named = _read(payload, _Run)
    if not 0 <= named.grace_ms <= _GRACE_MAX_MS:
        raise Refusal("INVALID_MESSAGE", f"graceMs is a number from 0 to {_GRACE_MAX_MS:g}")
    reason = (named.reason or f"cancelled by {session.client.identity.name}")[:500]
    batch = session.runs.cancel(named.run_id, reason, session.now_ms, grace_ms=named.grace_ms)
    undo = partial(session.runs.undo_cancel, named.run_id)
    return Do(batch, Ask("runStatus", {"run_id": named.run_id}), undo)


def _active_runs(_session: Session, _payload: msgspec.Raw) -> object:
    return Ask("activeRuns")


def _run_status(_session: Session, payload: msgspec.Raw) -> object:
    return Ask("runStatus", {"run_id": _read(payload, _Run).run_id})


def _statistics(_session: Session, _payload: msgspec.Raw) -> object:
    return Ask("statistics")


def _security_metrics(session: Session, _payload: msgspec.Raw) -> object:
    return session.security.metrics(session.now_ms)


def _update_policy(session: Session, payload: msgspec.Raw) -> object:
    changes = _read(payload, dict[str, Any])
    try:
        policy = session.security.update_policy(changes)
    except InvalidPolicy as error:
        raise Refusal("INVALID_MESSAGE", str(error)) from None
    return msgspec.to_builtins(policy)


def _events_by_time(_session: Session, payload: msgspec.Raw) -> object:
    wanted = _read(payload, _TimeRange)
    return Ask("events", {**wanted.read(), "limit": _limit(wanted.limit), "cursor": wanted.cursor})


def _replay(_session: Session, payload: msgspec.Raw) -> object:
    wanted = _read(payload, _TimeRange)
    return Ask("replay", {**wanted.read(), "speed": wanted.speed})


def _test_results(_session: Session, payload: msgspec.Raw) -> object:
    wanted = _read(payload, _Results)
    return Ask("testResults", {"run_id": wanted.run_id, "cursor": wanted.cursor, "limit": _limit(wanted.limit)})


def _validate(session: Session, payload: msgspec.Raw) -> object:
    problems = session.security.validate(_read(payload, Any), len(bytes(payload)), session.now_ms)
    return {"valid": not problems} | ({"errors": msgspec.to_builtins(problems)} if problems else {})


def _read(payload: msgspec.Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refusal("INVALID_MESSAGE", f"the payload: {error}") from None


def _limit(limit: int) -> int:
    if not 1 <= limit <= 10_000:
        raise Refusal("INVALID_MESSAGE", "limit is a number from 1 to 10000")
    return limit


#: Methods of ``request``; those with an answer are also messages of their own.
COMMANDS: Final[Mapping[str, Command]] = {
    "server.info": Command(ANY_ROLE, _server_info),
    "server.health": Command(READERS, _health),
    "client.info": Command(ANY_ROLE, _client_info),
    "echo": Command(ANY_ROLE, _echo),
    "startTestRun": Command(INGESTERS, _start_run, "testRunStarted", at_once=True, writes=True),
    "endTestRun": Command(INGESTERS, _end_run, "testRunEnded", at_once=True, writes=True),
    "cancelTestRun": Command(OPERATORS, _cancel_run, "testRunCancelled", at_once=True, writes=True),
    "getActiveRuns": Command(READERS, _active_runs, "activeRuns"),
    "getRunStatus": Command(READERS, _run_status, "runStatus"),
    "getStatistics": Command(READERS, _statistics, "statistics"),
    "getSecurityMetrics": Command(READERS, _security_metrics, "securityMetrics"),
    "getEventsByTimeRange": Command(READERS, _events_by_time, "events"),
    "getTestResultsByRun": Command(READERS, _test_results, "testResults"),
    "validateEvent": Command(READERS, _validate, "validationResult"),
    "replayEvents": Command(OPERATORS, _replay, "replayStarted"),
    "updatePolicy": Command(ADMINS, _update_policy, "policy", at_once=True),
}
#: Those that also come as messages of their own.
MESSAGES: Final = frozenset(name for name, command in COMMANDS.items() if command.answer is not None)
