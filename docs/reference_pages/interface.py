"""Sections of functions and classes, from their signatures and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def signature_text(function: Callable[..., Any]) -> str:
    """A signature as it stands in the code."""
    found = inspect.signature(function)
    parts: list[str] = []
    for parameter in found.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else stars
        parts.append(f"{stars}{parameter.name}: {parameter.annotation}{default}")
    return f"{function.__name__}({', '.join(parts)}) -> {found.return_annotation}"


def api_text(thing: object) -> str:
    """A docstring as Markdown."""
    return inspect.cleandoc(inspect.getdoc(thing) or "").replace("``", "`")


def function_section(function: Callable[..., Any], level: str) -> str:
    """How a function is called, and what it says of itself."""
    how = "await " if inspect.iscoroutinefunction(function) else ""
    how = "async for ... in " if inspect.isasyncgenfunction(function) else how
    return f"{level} `{function.__name__}`\n\n```python\n{how}{signature_text(function)}\n```\n\n{api_text(function)}"


def class_section(kind: type, origin: str = "") -> str:
    """A class, how one gets an object of it, and its methods."""
    parts = [part for part in (f"## `{kind.__name__}`", origin, api_text(kind)) if part]
    members = [getattr(found, "__func__", found) for key, found in vars(kind).items() if not key.startswith("_")]
    parts += [function_section(found, "###") for found in members if inspect.isfunction(found)]
    return "\n\n".join(parts)
