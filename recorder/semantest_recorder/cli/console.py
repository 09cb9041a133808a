"""Where text and JSON go: stdout, coloured only on a terminal that wants it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pytest_semantest.protocol.github_step import as_json_text, as_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def stdout_console() -> Console:
    """A console on stdout that adds nothing of its own: no markup, no highlighting, no emoji names.

    Without a terminal, with ``NO_COLOR`` or ``TERM=dumb`` it writes plain text.
    """
    from rich.console import Console  # noqa: PLC0415 - 50 ms that JSON output need not pay

    _write_anything()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return Console(
        markup=False,
        highlight=False,
        emoji=False,
        no_color=plain,
        color_system=None if plain else "auto",
        force_terminal=False if plain and not sys.stdout.isatty() else None,
        width=None if sys.stdout.isatty() else 200,
    )


def terminal_width() -> int | None:
    """How many columns a line may take; ``None`` without a terminal."""
    return stdout_console().width if sys.stdout.isatty() else None


def print_lines(lines: Iterable[Text]) -> None:
    """Print lines as they are: never wrapped or cut by us, so that they can be searched and copied."""
    if not sys.stdout.isatty():  # plain text needs no console, whose import takes 20 ms
        _write_anything()
        for line in lines:
            line.expand_tabs(8)
            sys.stdout.write(f"{as_text(line.plain)}\n")
            sys.stdout.flush()
        return
    console = stdout_console()
    for line in lines:
        text = as_text(line.plain)
        console.print(line if text == line.plain else text, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print ``value`` as JSON: indented for a terminal, compact for a pipe."""
    from semantest_recorder.reports.json_text import json_text  # noqa: PLC0415 - text output need not pay

    sys.stdout.buffer.write(as_json_text(json_text(value, indent=2 if sys.stdout.isatty() else 0)) + b"\n")
    sys.stdout.buffer.flush()


def _write_anything() -> None:
    """A terminal with a small character set gets escapes instead of a traceback."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
