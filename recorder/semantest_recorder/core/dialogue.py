"""What one connection asked, and its answers: in order, and after the commit of all that was sent before (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from semantest_recorder.core import messages
from semantest_recorder.core.access import Role
from semantest_recorder.core.batch import Committed, Verdict
from semantest_recorder.core.commands import Ask, Command, Do
from semantest_recorder.core.effects import Effect, Query, Send
from semantest_recorder.core.refusal import Refusal

if TYPE_CHECKING:
    from semantest_recorder.core.session import Session

#: What requests of one connection that wait may hold, in bytes.
_WAITING_BYTES = 8 * 1024 * 1024


class Reply(NamedTuple):
    """Where an answer goes: the id of what was asked, and the type of the answer (``None``: a ``response``)."""

    request_id: object
    kind: str | None

    def copy(self) -> Reply:
        """The same without the frame that the id came in."""
        identity = self.request_id
        return self._replace(request_id=identity.copy() if isinstance(identity, msgspec.Raw) else identity)


class _Waiting(NamedTuple):
    """Something to be carried out once ``after`` batches of the connection have their verdict."""

    after: int
    perform: Callable[[], object]
    reply: Reply
    size: int


_TOO_MANY = "more events and commands than the policy allows within a second; say this one again later"


class _Promise(NamedTuple):
    """What is done, asked, and then answered, once a batch is committed; ``undo`` when it is refused."""

    ask: Ask
    reply: Reply
    undo: Callable[[], None] | None


class Dialogue:
    """The commands of one session. ``submitted`` and ``settled`` count its batches."""

    def __init__(self, session: Session, waiting_max: int) -> None:
        self._session = session
        self._waiting_max = waiting_max
        self.submitted = 0
        self.settled = 0
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        #: By the number of the batch on whose commit they depend.
        self._promises: dict[int, _Promise] = {}
        self._asked: Reply | None = None

    def command(self, name: str, command: Command, payload: msgspec.Raw, reply: Reply) -> list[Effect]:
        """A command has come: it is carried out, refused, or waits for its turn."""
        session = self._session
        if not session.client.identity.has_any(command.roles):
            refused = lacking(name, command.roles)
            return [self._failed(reply, refused)._replace(lacks=refused["message"])]
        if command.at_once:
            wait_ms = session.security.take(session.client.id, 1, session.now_ms) if command.writes else 0
            if wait_ms:
                error = {"code": "RATE_LIMITED", "message": _TOO_MANY, "retryAfterMs": wait_ms}
                return [self._failed(reply, error)]
            return self._carry_out(lambda: command.perform(session, payload), reply)
        size = len(payload) + _size_of(reply)
        if len(self._waiting) >= self._waiting_max or self._waiting_bytes + size > _WAITING_BYTES:
            error = {"code": "RATE_LIMITED", "message": "too many requests wait for an answer", "retryAfterMs": 1000}
            return [self._failed(reply, error)]
        # Copies, so that the frame which they point into does not wait with them.
        kept, reply = payload.copy(), reply.copy()
        self._waiting_bytes += size
        self._waiting.append(_Waiting(self.submitted, lambda: command.perform(session, kept), reply, size))
        return self._go_on()

    def settle(self, verdict: Verdict) -> tuple[bool, list[Effect]]:
        """The oldest batch in flight has its verdict: whether a command depended on it, and what follows."""
        self.settled += 1
        promise = self._promises.pop(self.settled, None)
        effects: list[Effect] = []
        if promise is not None:
            if isinstance(verdict, Committed):
                ask = promise.ask
                self._waiting.appendleft(_Waiting(0, lambda: ask, promise.reply, 0))
            else:
                if promise.undo is not None:
                    promise.undo()
                effects.append(self._failed(promise.reply, {"code": verdict.code, "message": verdict.message}))
        return promise is not None, effects + self._go_on()

    def answer(self, result: object) -> list[Effect]:
        """What was asked of the shell has been found out."""
        reply, self._asked = self._asked, None
        return [] if reply is None else [self._answered(reply, result), *self._go_on()]

    def fail(self, code: str, message: str) -> list[Effect]:
        """What was asked of the shell cannot be found out."""
        reply, self._asked = self._asked, None
        return [] if reply is None else [self._failed(reply, {"code": code, "message": message}), *self._go_on()]

    def close(self) -> None:
        """Nobody waits for an answer any more."""
        self._waiting.clear()
        self._asked = None

    def _go_on(self) -> list[Effect]:
        """Carries out what is not waiting for anything any more, one query at a time."""
        effects: list[Effect] = []
        while self._waiting and self._waiting[0].after <= self.settled and self._asked is None:
            waiting = self._waiting.popleft()
            self._waiting_bytes -= waiting.size
            effects += self._carry_out(waiting.perform, waiting.reply)
        return effects

    def _carry_out(self, perform: Callable[[], object], reply: Reply) -> list[Effect]:
        try:
            outcome = perform()
        except Refusal as refusal:
            return [self._failed(reply, {"code": refusal.code, "message": str(refusal)})]
        if isinstance(outcome, Do):
            self.submitted += 1
            self._promises[self.submitted] = _Promise(outcome.ask, reply.copy(), outcome.undo)
            return [self._session.submit(outcome.batch)]
        if isinstance(outcome, Ask):
            self._asked = reply.copy()
            return [Query(outcome.query, outcome.parameters)]
        return [self._answered(reply, outcome)]

    def _answered(self, reply: Reply, payload: object) -> Send:
        now_ms = self._session.now_ms
        if reply.kind is None:
            return Send(messages.encode_response(now_ms, reply.request_id, payload))
        request_id = reply.request_id
        return Send(messages.encode(reply.kind, now_ms, payload, id=request_id, requestId=request_id))

    def _failed(self, reply: Reply, error: dict[str, Any]) -> Send:
        now_ms = self._session.now_ms
        if reply.kind is None:
            return Send(messages.encode_response(now_ms, reply.request_id, error=error))
        details = {key: value for key, value in error.items() if key not in ("code", "message")}
        return Send(
            messages.encode_error(now_ms, error["code"], error["message"], details=details or None, id=reply.request_id)
        )


def _size_of(reply: Reply) -> int:
    return len(reply.request_id) if isinstance(reply.request_id, msgspec.Raw) else 0


def lacking(what: str, roles: frozenset[Role]) -> dict[str, Any]:
    """Why a client without any of the roles may not do it."""
    names = " or ".join(sorted(role.value for role in roles))
    return {"code": "FORBIDDEN", "message": f"{what} needs the role {names}"}
