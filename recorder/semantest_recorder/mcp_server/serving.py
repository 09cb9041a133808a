"""The tools over stdin and stdout, by the official SDK. The only module that imports it."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from pytest_semantest import __version__
from semantest_recorder.mcp_server.place import Place
from semantest_recorder.mcp_server.questions import input_schema
from semantest_recorder.mcp_server.tools import INSTRUCTIONS, TOOLS, NoAnswerError, ask, unknown_tool

#: So many questions are answered at once; others wait.
_AT_ONCE = 2


def serve(place: Place) -> None:
    """Answer until stdin ends, SIGINT or SIGTERM. Raises ``BrokenPipeError`` when nobody reads the answers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        anyio.run(_serve, place)
    except* BrokenPipeError:
        raise BrokenPipeError from None


def _end(_number: int, _frame: object) -> NoReturn:
    # The thread that reads stdin cannot be woken, and would keep a polite end waiting. There is nothing to lose.
    sys.stderr.flush()
    os._exit(0)


async def _serve(place: Place) -> None:
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def call(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in TOOLS:
            raise MCPError(code=types.INVALID_PARAMS, message=unknown_tool(params.name))
        return await anyio.to_thread.run_sync(
            _result, place, params.name, params.arguments or {}, limiter=limiter, abandon_on_cancel=True
        )

    server: Server[Any] = Server(
        "semantest", version=__version__, instructions=INSTRUCTIONS, on_list_tools=_list_tools, on_call_tool=call
    )
    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())


async def _list_tools(_context: Any, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    return types.ListToolsResult(
        tools=[
            types.Tool(
                name=name,
                title=tool.title,
                description=tool.description,
                input_schema=input_schema(tool.question),
                annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
            )
            for name, tool in TOOLS.items()
        ]
    )


def _result(place: Place, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    try:
        found = ask(place, name, arguments)
    except NoAnswerError as error:
        return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
    return types.CallToolResult(content=[types.TextContent(text=found.text)], structured_content=found.structured)
