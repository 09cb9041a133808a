"""Requests: their ids, what is counted of them, and what becomes of a fault of ours."""

from __future__ import annotations

import asyncio
import logging
import re
from http import HTTPStatus
from typing import NoReturn

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import example, given
from hypothesis import strategies as st

from semantest_recorder.server.observing import RequestMeasures, observing
from semantest_recorder.server.request_id import HEADER, id_of, in_request, present_request_id
from semantest_recorder.server.routes import Route, add_routes


@given(st.lists(st.text(max_size=200), max_size=3))
@example(["x" * 129])
@example(["two", "ids"])
@example(["a\r\nSet-Cookie: b"])
def test_an_id_is_one_word_that_a_header_and_a_log_can_hold(given: list[str]) -> None:
    found = id_of(given)
    assert re.fullmatch(r"[!-~]{1,128}", found)
    assert found in given or found != id_of(given), "it is the given one, or a new one each time"


def test_an_id_that_a_client_gives_is_kept() -> None:
    assert id_of(["good-1._:/+=@~"]) == "good-1._:/+=@~"
    assert id_of(["one", "one"]) != "one"


def test_an_id_holds_for_what_is_begun_meanwhile_and_no_longer() -> None:
    async def work() -> list[str]:
        with in_request("r1"):
            task = asyncio.create_task(asyncio.to_thread(present_request_id))
        return [await task, present_request_id()]

    assert asyncio.run(work()) == ["r1", ""]


def test_a_fault_of_ours_is_answered_counted_and_found_in_the_log_by_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    measures = RequestMeasures()

    async def broken(_request: web.Request) -> NoReturn:
        raise ZeroDivisionError

    async def broken_later(request: web.Request) -> NoReturn:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half of an answer")
        raise ZeroDivisionError

    async def ask() -> tuple[int, dict[str, str]]:
        app = web.Application(middlewares=[observing(measures)])
        add_routes(app, [Route("GET", "/broken", broken, None), Route("GET", "/later", broken_later, None)])
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientPayloadError):
                async with session.get(server.make_url("/later")) as half:
                    await half.read()
            async with session.get(server.make_url("/broken"), headers={HEADER: "mine"}) as answer:
                return answer.status, await answer.json(content_type="application/problem+json")

    with caplog.at_level(logging.INFO):
        status, problem = asyncio.run(ask())
    assert status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert (problem["code"], problem["requestId"]) == ("INTERNAL_ERROR", "mine")
    assert "ZeroDivision" not in str(problem)
    assert [record.exc_info for record in caplog.records if "could not be answered" in record.message]
    assert measures.requests == {("/later", "GET", "5xx"): 1, ("/broken", "GET", "5xx"): 1}


def test_a_fault_of_ours_is_a_page_for_a_browser() -> None:
    async def broken(_request: web.Request) -> NoReturn:
        raise ZeroDivisionError

    def error_page(_request: web.Request, status: int, detail: str) -> web.Response:
        return web.Response(text=f"<h1>{detail}</h1>", status=status, content_type="text/html")

    async def ask(accept: str) -> tuple[int, str, str]:
        app = web.Application(middlewares=[observing(RequestMeasures(), error_page)])
        add_routes(app, [Route("GET", "/broken", broken, None)])
        headers = {HEADER: "mine", "Accept": accept}
        async with (
            TestServer(app) as server,
            aiohttp.ClientSession() as session,
            session.get(server.make_url("/broken"), headers=headers) as answer,
        ):
            return answer.status, answer.content_type, await answer.text()

    status, kind, text = asyncio.run(ask("text/html,*/*"))
    assert (status, kind) == (500, "text/html")
    assert "under the request mine" in text
    assert asyncio.run(ask("*/*"))[1] == "application/problem+json"
