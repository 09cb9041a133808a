"""What strangers are told who send what is no HTTP, or headers that are too long: aiohttp itself answers them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from semantest_recorder.server.problem import problem

#: How all of our answers are signed: without versions.
SIGNED_AS = "semantest-recorder"


class _Handler(web.RequestHandler):
    """Its answer would name the versions of Python and aiohttp, and quote what was sent: a token, perhaps."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """See the base, which logs it."""
        super().handle_error(request, status, exc, message)
        answer = problem(status, "INTERNAL_ERROR", "the recorder could not answer; its log says why")
        if status < 500:
            answer = problem(status, "INVALID_REQUEST", "this is no HTTP that can be read, or a header is too long")
        answer.headers["Server"] = SIGNED_AS
        answer.force_close()
        return answer


def in_our_form(server: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
    """``server`` of a runner, whose connections answer what is no HTTP as everything else."""

    def connection() -> asyncio.Protocol:
        protocol = server()
        if isinstance(protocol, web.RequestHandler):
            protocol.__class__ = _Handler  # aiohttp lets nobody choose the class
        return protocol

    return connection
