"""``semantest-recorder install-service`` and ``uninstall-service``: the user's service manager keeps a recorder up."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import join
from typing import Any, NamedTuple

import click

from pytest_semantest.protocol.configuration import Configuration
from semantest_recorder.cli.service_files import MADE_BY, agent, agent_label, unit, unit_name
from semantest_recorder.cli.stop import EXIT_NOTHING, EXIT_USAGE, Stop
from semantest_recorder.reports.inert import inert_json

_SCHEMA = 1
_NAME_MAX = 255


class ServiceFile(NamedTuple):
    """Where the file of a recorder's service lies, and what starts and ends the service."""

    path: Path
    start: tuple[tuple[str, ...], ...]
    end: tuple[tuple[str, ...], ...]


def service_file(folder: Path) -> ServiceFile:
    """That of systemd or, on macOS, of launchd. Raises ``Stop``."""
    if sys.platform == "darwin":
        label = agent_label(str(folder))
        path = Path.home() / "Library" / "LaunchAgents" / f"{label}.plist"
        domain = f"gui/{os.getuid()}"
        start = (("launchctl", "bootstrap", domain, str(path)),)
        return ServiceFile(path, start, (("launchctl", "bootout", f"{domain}/{label}"),))
    name = unit_name(str(folder))
    if len(name) > _NAME_MAX:
        raise Stop(
            f"the path {folder} is too long for the name of a unit; give a shorter one with --directory", EXIT_USAGE
        )
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    systemctl = ("systemctl", "--user")
    reload = (*systemctl, "daemon-reload")
    start = (reload, (*systemctl, "enable", "--now", name))
    return ServiceFile(base / "systemd" / "user" / name, start, ((*systemctl, "stop", name), reload))


def check(configuration: Configuration, values: Mapping[str, Any]) -> None:
    """Whether ``serve`` would run with these options, by their names. Raises ``Stop``."""
    from semantest_recorder.cli.configuration_check import check_configuration  # noqa: PLC0415 - not what removing needs
    from semantest_recorder.listening import CannotServe, protection  # noqa: PLC0415

    try:
        protection(
            values["host"],
            (values["tls_cert"], values["tls_key"]),
            terminated=values["tls_terminated"],
            anonymous=values["allow_anonymous"],
            allowed_hosts=values["allow_host"],
            allowed_origins=values["allow_origin"],
        )
    except CannotServe as error:
        raise Stop(str(error), error.exit_code) from None
    for problem in check_configuration(configuration, {}).problems:
        raise Stop(problem, EXIT_USAGE)


def install(folder: Path, arguments: Sequence[str], *, dry_run: bool, as_json: bool) -> None:
    """Writes the file and says what to run. Raises ``Stop``."""
    found = service_file(folder)
    command = [sys.executable, "-P", "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(folder)]
    try:
        if sys.platform == "darwin":
            text = agent([*command, *arguments], str(folder), str(folder / "recorder.log"))
        else:
            text = unit([*command, *arguments], str(folder))
    except ValueError as error:
        raise Stop(str(error), EXIT_USAGE) from None
    _ours_or_none(found.path)
    if not dry_run:
        found.path.parent.mkdir(parents=True, exist_ok=True)
        found.path.write_text(text)
    if as_json:
        told = {"schema": _SCHEMA, "path": str(found.path), "dryRun": dry_run, "content": text, "run": found.start}
        click.echo(inert_json(json.dumps(told).encode()))
        return
    click.echo(f"{'Would write' if dry_run else 'Wrote'} {found.path}")
    if dry_run:
        click.echo(text)
    click.echo("Then run:")
    for line in found.start:
        click.echo(f"  {join(line)}")
    if sys.platform != "darwin":
        click.echo("To keep it running while you are logged out: loginctl enable-linger")


def uninstall(folder: Path, *, dry_run: bool, as_json: bool) -> None:
    """Removes the file and says what to run. Raises ``Stop``."""
    found = service_file(folder)
    if not _ours_or_none(found.path):
        raise Stop(f"no service is installed for {folder}: there is no {found.path}", EXIT_NOTHING)
    wanted = found.path.parent / "default.target.wants" / found.path.name  # what `enable` made
    removed = [path for path in (wanted, found.path) if path.is_symlink() or path.exists()]
    if not dry_run:
        for path in removed:
            path.unlink()
    if as_json:
        told = {"schema": _SCHEMA, "removed": list(map(str, removed)), "dryRun": dry_run, "run": found.end}
        click.echo(inert_json(json.dumps(told).encode()))
        return
    for path in removed:
        click.echo(f"{'Would remove' if dry_run else 'Removed'} {path}")
    click.echo("Then run:")
    for line in found.end:
        click.echo(f"  {join(line)}")


def _ours_or_none(path: Path) -> bool:
    """Whether there is a file, and it is one of ours. Raises ``Stop`` for somebody else's."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return False
    if path.suffix == ".service" and not text.startswith(MADE_BY):
        raise Stop(f"{path} was not made by install-service: it is left alone; move it away first", EXIT_USAGE)
    return True
