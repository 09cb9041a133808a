"""The ``semantest`` command: what was recorded, what runs now, and whether all is well.

Each command lives in a module of its own, imported when it is called.
"""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import Any

import click

from pytest_semantest import __version__
from semantest_recorder.cli.guarded import GuardedGroup
from semantest_recorder.cli.help_end import help_end

COMPLETION_VARIABLE = "_SEMANTEST_COMPLETE"
#: Python looks for garbage after so many new objects, not 700: a command imports tens of thousands, and keeps them.
_NEW_OBJECTS = 50_000
_COMMANDS = {
    "report": "semantest_recorder.cli.report",
    "runs": "semantest_recorder.cli.runs",
    "show": "semantest_recorder.cli.show",
    "owed": "semantest_recorder.cli.owed",
    "diff": "semantest_recorder.cli.diff",
    "failures": "semantest_recorder.cli.failures",
    "history": "semantest_recorder.cli.history",
    "blame": "semantest_recorder.cli.blame",
    "alias": "semantest_recorder.cli.alias",
    "export": "semantest_recorder.cli.export",
    "import": "semantest_recorder.cli.import_results",
    "merge": "semantest_recorder.cli.merge",
    "flaky": "semantest_recorder.cli.flaky",
    "slowest": "semantest_recorder.cli.slowest",
    "slower": "semantest_recorder.cli.slower",
    "trends": "semantest_recorder.cli.trends",
    "quarantine": "semantest_recorder.cli.quarantine",
    "alerts": "semantest_recorder.cli.alerts",
    "watch": "semantest_recorder.cli.watch",
    "cancel": "semantest_recorder.cli.cancel",
    "stack": "semantest_recorder.cli.stack",
    "replay": "semantest_recorder.cli.replay",
    "sql": "semantest_recorder.cli.sql",
    "dump": "semantest_recorder.cli.dump",
    "open": "semantest_recorder.cli.open",
    "gate": "semantest_recorder.cli.gate",
    "badge": "semantest_recorder.cli.badge",
    "ci": "semantest_recorder.cli.ci",
    "mcp": "semantest_recorder.cli.mcp_command",
    "recover": "semantest_recorder.cli.recover",
    "sync": "semantest_recorder.cli.sync",
    "cleanup": "semantest_recorder.cli.cleanup",
    "backup": "semantest_recorder.cli.backup",
    "restore": "semantest_recorder.cli.restore",
    "rebuild": "semantest_recorder.cli.rebuild",
    "plugins": "semantest_recorder.cli.plugins",
    "config": "semantest_recorder.cli.config",
    "token": "semantest_recorder.cli.token",
    "doctor": "semantest_recorder.cli.doctor",
    "completion": "semantest_recorder.cli.completion",
}


class LazyGroup(GuardedGroup):
    """A group whose commands are imported when they are needed, and which knows near misses."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click does it; a shell that asks what may be typed is answered for words with colons, too.

        Garbage is looked for less often meanwhile: that was a tenth of a short command's time.
        """
        if COMPLETION_VARIABLE in os.environ:
            from semantest_recorder.cli.bash_completion import use_line_completion  # noqa: PLC0415

            use_line_completion()
        usual = gc.get_threshold()
        gc.set_threshold(_NEW_OBJECTS, *usual[1:])
        try:
            return super().main(*args, **kwargs)
        finally:
            gc.set_threshold(*usual)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command called ``cmd_name``, imported now, or ``None``."""
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, naming the nearest command for one that does not exist."""
        name = args[0] if args else ""
        if name not in _COMMANDS and not name.startswith("-"):
            import difflib  # noqa: PLC0415 - for mistakes only

            near = difflib.get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Commands: {', '.join(_COMMANDS)}."
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    epilog=help_end(
        "pytest --semantest          record a run",
        "semantest report            what came of the last one",
        "semantest watch             look at the one that runs now",
        exit_codes="0 all green, 1 not green or failed, 2 wrong usage, 3 nothing there, 4 still running",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "-V", "--version", prog_name="semantest")
def main() -> None:
    """What pytest recorded: reports, live view, recovery."""


if __name__ == "__main__":
    main(prog_name="semantest")
