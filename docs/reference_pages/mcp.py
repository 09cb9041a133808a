"""docs/reference/mcp.md: what `semantest mcp` can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docs.reference_pages.markdown import NOTE, cell, table
from semantest_recorder.mcp_server.questions import input_schema
from semantest_recorder.mcp_server.tools import INSTRUCTIONS, TOOLS, Tool


def mcp_page() -> str:
    """What `semantest mcp` can be asked."""
    rules = (
        "How to set it up: [the guide](../guide/agents.md). Every tool only reads. Each answer is a text, with data of "
        "tests behind `|`, and an object, each within `max_tokens`; `leftOut` in an object counts what was cut from "
        "its lists, `notes` say what else is to be known. Fields are only added. Arguments that are wrong, and names "
        "that nothing has, are errors of the tool that say what is near."
    )
    parts = [
        f"# Tools of `semantest mcp`\n\n{NOTE}\n\n{rules}\n",
        f"The server tells its client: *{INSTRUCTIONS}*\n",
        *(_tool_section(name, tool) for name, tool in TOOLS.items()),
    ]
    return "\n".join(parts)


def _tool_section(name: str, tool: Tool) -> str:
    rows = table(("argument", "holds", "means", "unless given"), _rows(input_schema(tool.question)))
    return f"## {name}\n\n{tool.description}\n\n{rows}\n\nIts object: {tool.shape}.\n"


def _rows(schema: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for argument, told in schema["properties"].items():
        held = next((one for one in told.get("anyOf", [told]) if one.get("type") != "null"), told)
        kind = ", ".join(f"`{one}`" for one in held["enum"]) if "enum" in held else held["type"]
        bounds = [f"{word} {held[key]:,}" for word, key in (("from", "minimum"), ("to", "maximum")) if key in held]
        usual = f"`{told['default']}`" if told.get("default") else ""
        unless_given = "needed" if argument in schema.get("required", []) else usual
        yield f"`{argument}`", " ".join([kind, *bounds]), cell(held["description"]), unless_given
