"""``semantest plugins``: which plugins the recorder has, and what became of their calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from pytest_semantest.protocol.github_step import as_text
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import directory_option, json_option
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder


@click.command(
    "plugins",
    short_help="Show the recorder's plugins and what became of their calls.",
    epilog=help_end(
        "semantest plugins",
        "semantest plugins --json | jq '.plugins[] | select(.enabled | not)'",
        exit_codes="0 listed, 2 wrong usage or configuration",
    ),
)
@directory_option
@json_option
def command(directory: str | None, as_json: bool) -> None:
    """List the plugins in the order in which they are called, with calls, failures and time of each hook.

    They are those of the project's recorder if one runs, else those that one would load.
    """
    here = working_directory(directory)
    folder = semantest_folder(directory, here)
    found = _of_recorder(folder) if folder is not None else None
    runs = found is not None
    if found is None:
        found = _would_load((folder or here / ".semantest").absolute())
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json({"schema": 1, "running": runs, **found})
        return
    from semantest_recorder.reports.inert import inert_line  # noqa: PLC0415

    for line in _lines(found, runs=runs):
        click.echo(as_text(inert_line(line)))


def _of_recorder(folder: Path) -> dict[str, Any] | None:
    """What the recorder of the folder says, ``None`` when none runs or answers."""
    from semantest_recorder.cli import daemon  # noqa: PLC0415
    from semantest_recorder.cli.stop import Stop  # noqa: PLC0415

    try:
        present = daemon.running(folder)
    except Stop as error:
        click.echo(as_text(f"semantest: {error.message}"), err=True)
        return None
    answer = present[1].get("plugins") if present is not None else None
    return answer if isinstance(answer, dict) else None


def _would_load(folder: Path) -> dict[str, Any]:
    from semantest_recorder.cli.plugin_section import plugins_of  # noqa: PLC0415
    from semantest_recorder.cli.stop import EXIT_USAGE, Stop  # noqa: PLC0415
    from semantest_recorder.plugins.configuration import InvalidPlugins  # noqa: PLC0415
    from semantest_recorder.plugins.dispatch import Dispatcher  # noqa: PLC0415
    from semantest_recorder.plugins.registry import PluginRegistry  # noqa: PLC0415

    registry = PluginRegistry(plugins_of(folder))
    try:
        registry.load()
    except InvalidPlugins as error:
        raise Stop(str(error), EXIT_USAGE) from None
    return Dispatcher(registry, folder).status()


def _exports(told: Mapping[str, Any] | None) -> Iterator[str]:
    """Of a plugin that sends runs somewhere."""
    if told is None:
        return
    more = [f"{told[key]} {said}" for key, said in (("failures", "failed"), ("dropped", "given up")) if told[key]]
    yield "    " + ", ".join([f"runs: {told['exported']} sent, {told['queued']} waiting", *more])
    if told["lastError"]:
        yield f"      last error: {told['lastError']}"


def _lines(found: Mapping[str, Any], *, runs: bool) -> Iterator[str]:
    yield "plugins of the running recorder:" if runs else "no recorder runs; it would load:"
    for plugin in found["plugins"]:
        state = "" if plugin["enabled"] else f": OFF, {plugin['disabledBecause']}"
        yield f"  {plugin['name']} ({plugin['origin']}){state}"
        for hook, counts in plugin["hooks"].items():
            if counts["calls"]:
                failed = f", {counts['failures']} failed" if counts["failures"] else ""
                yield f"    {hook}: {counts['calls']} calls, {counts['totalMs']:.1f} ms{failed}"
            if counts["lastError"]:
                yield f"      last error: {counts['lastError']}"
        yield from _exports(plugin.get("exports"))
    if not found["plugins"]:
        yield "  none"
    if found["skippedEvents"]:
        yield f"plugins lagged behind: hooks of {found['skippedEvents']} events were left out"
    if found["replacedThreads"]:
        yield f"stuck plugins made a new thread necessary {found['replacedThreads']} times"
