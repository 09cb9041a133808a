"""A client of the official SDK: starts the server, lists its tools, asks what stdin says, and prints what it got.

Run by the Python of an environment with the extra; argument: the folder.
Stdin: ``[[tool, arguments], ...]``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio
from mcp import Client, MCPError, StdioServerParameters

_SERVER = ["-m", "semantest_recorder.cli.semantest", "mcp"]


async def main(folder: str, questions: list[list[Any]]) -> None:
    parameters = StdioServerParameters(command=sys.executable, args=_SERVER, cwd=folder)
    answers: list[dict[str, Any]] = []
    async with Client(parameters) as client:
        tools = (await client.list_tools()).tools
        for name, arguments in questions:
            try:
                result = await client.call_tool(name, arguments)
            except MCPError as error:
                answers.append({"refused": str(error)})
                continue
            (content,) = result.content
            answers.append({"error": result.is_error, "text": content.text, "structured": result.structured_content})
    names = {tool.name: [tool.description, tool.annotations.read_only_hint, tool.input_schema] for tool in tools}
    print(json.dumps({"tools": names, "answers": answers}))


anyio.run(main, sys.argv[1], json.load(sys.stdin))
