"""What the shell offers for the names of rules and channels, and for the ids of silences and dead letters."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.semantest_folder import semantest_folder

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _offering(find: Callable[[Path], Iterator[str]]) -> Complete:
    """``find``, called with the project's folder; whatever goes wrong, nothing is offered."""

    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            folder = semantest_folder(ctx.params.get("directory"), Path.cwd()) or Path.cwd() / "none"
            return [name for name in find(folder) if name.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - a message would stand in the middle of the line that is being typed
            return []

    return complete


def _rules(folder: Path) -> Iterator[str]:
    from semantest_recorder.cli.alerts_section import alerts_of  # noqa: PLC0415 - only when it is asked
    from semantest_recorder.cli.configured import nearest_configuration  # noqa: PLC0415

    yield from (rule.name for rule in alerts_of(nearest_configuration(folder.parent), os.environ).rules)


def _names(folder: Path) -> Iterator[str]:
    from semantest_recorder.cli.alerts_section import alerts_of  # noqa: PLC0415 - only when it is asked
    from semantest_recorder.cli.configured import nearest_configuration  # noqa: PLC0415

    settings = alerts_of(nearest_configuration(folder.parent), os.environ)
    yield from (rule.name for rule in settings.rules)
    yield from (channel.name for channel in settings.channels)


def _silences(folder: Path) -> Iterator[str]:
    from semantest_recorder.store.alert_facts import read_alerts  # noqa: PLC0415 - only when it is asked

    yield from (one.id for one in read_alerts(folder / DATABASE, time.time() * 1000, deliveries=0, most=0).silences)


def _dead(folder: Path) -> Iterator[str]:
    from semantest_recorder.store.alert_facts import read_alerts  # noqa: PLC0415 - only when it is asked

    yield from (one.id for one in read_alerts(folder / DATABASE, 0.0, deliveries=0, most=0).dead)


complete_rule = _offering(_rules)
complete_name = _offering(_names)
complete_silence = _offering(_silences)
complete_dead = _offering(_dead)
