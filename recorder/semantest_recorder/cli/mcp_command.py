"""``semantest mcp``: the history for coding agents, over the Model Context Protocol."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import click

from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

#: What only the releases of the SDK have that the server is written for.
_NEEDED = ("mcp", "mcp_types")


@click.command(
    "mcp",
    short_help="Serve the history to coding agents (Model Context Protocol).",
    epilog=help_end(
        "uvx --from 'pytest-semantest[mcp]' semantest mcp",
        "claude mcp add semantest -- uvx --from 'pytest-semantest[mcp]' semantest mcp",
        exit_codes="0 the client is done, 1 nobody reads the answers, 2 the extra `mcp` is not installed",
    ),
)
@directory_option
def command(directory: str | None) -> None:
    """Answer a coding agent's questions about runs, failures, flaky tests and changes, over stdin and stdout.

    An agent starts this itself. It only reads, opens no port, and needs no recorder. It wants the extra `mcp`, in an
    environment of its own: a package that comes with it slows every pytest that finds it.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        raise Stop(
            "`semantest mcp` needs the extra `mcp`, best in an environment of its own: "
            "`uvx --from 'pytest-semantest[mcp]' semantest mcp`, or `pipx install 'pytest-semantest[mcp]'`",
            EXIT_USAGE,
        )
    from semantest_recorder.mcp_server.place import Place  # noqa: PLC0415
    from semantest_recorder.mcp_server.serving import serve  # noqa: PLC0415

    if sys.stdin.isatty():
        say_note("a coding agent starts this itself, and asks on stdin; Ctrl-C ends it")
    try:
        serve(Place(directory))
    except BrokenPipeError:
        sys.exit(1)
