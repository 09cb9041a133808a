"""``semantest config``: what is set up, where each value comes from, and whether it can be used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pytest_semantest.protocol.configuration import Configuration, ConfigurationError, Setting, bare
from pytest_semantest.protocol.configuration_files import passed_over
from pytest_semantest.protocol.effective import Resolved, named, resolve_key
from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.keys import SECTIONS, all_keys
from pytest_semantest.protocol.redaction import MASK, Redactor, secret_values
from semantest_recorder.cli.configured import nearest_configuration, wrong_configuration
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import json_option
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.pytest_ini import read_pytest_ini
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.reports.inert import inert_line

_SCHEMA = 1
_CODES = "0 nothing is wrong, 2 something is wrong or wrong usage"


def _complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    names = [*(section for section in SECTIONS if section), *(key.path for key in all_keys())]
    return [name for name in names if name.startswith(incomplete)]


@click.group(
    "config",
    short_help="What is set up, and where each value comes from.",
    epilog=help_end("semantest config show", "semantest config check", exit_codes=_CODES),
)
def command() -> None:
    """What is set up for this project, and where each value comes from.

    The files are semantest.toml and pyproject.toml ([tool.semantest]) of the nearest folder upwards from here that has
    one of them. Environment variables hide them; a command line, which is not known here, hides both.
    """


@command.command(
    "show",
    short_help="All values, each with the place that set it.",
    epilog=help_end(
        "semantest config show",
        "semantest config show recorder.port",
        "semantest config show policy --json",
        exit_codes=_CODES,
    ),
)
@click.argument("key", required=False, metavar="[KEY]", shell_complete=_complete)
@json_option
def show(key: str | None, as_json: bool) -> None:
    """All values in effect, or those of KEY (a name such as recorder.port, or a section).

    Each comes with the place that set it and what that hides. Secrets are masked.
    """
    here = working_directory(None)
    found = nearest_configuration(here)
    try:
        shown = _chosen(list(_resolved(found.checked())), key)
    except ConfigurationError as error:
        raise wrong_configuration(found, error) from None
    except ValueError as error:
        raise Stop(str(error), EXIT_USAGE) from None
    masked = [_masked(one) for one in shown]
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        settings = [_as_json(one) for one in masked]
        told = {"schema": _SCHEMA, "folder": found.folder, "files": found.files, "settings": settings}
        print_json(told | {"notes": passed_over(str(here))})
    else:
        for line in _lines(masked, found):
            click.echo(as_text(line))
        for line in passed_over(str(here)):
            say_note(line)


@command.command(
    "check",
    short_help="Whether files and variables can be used.",
    epilog=help_end("semantest config check", "semantest config check --json", exit_codes=_CODES),
)
@json_option
def check(as_json: bool) -> None:
    """Check files and variables: unknown keys, wrong types, bad values, plugins that are not installed.

    Told as well, without an error: variables that nothing reads, options of a built-in plugin that is not enabled.
    """
    from semantest_recorder.cli.configuration_check import check_configuration  # noqa: PLC0415 - 70 ms

    here = working_directory(None)
    found = nearest_configuration(here)
    problems, told_besides = check_configuration(found, os.environ)
    notes = [*told_besides, *passed_over(str(here))]
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        told = {"schema": _SCHEMA, "folder": found.folder, "files": found.files}
        print_json(told | {"ok": not problems, "problems": problems, "notes": notes})
    else:
        for line in (*problems, *notes):
            click.echo(as_text(inert_line(line)), err=True)
        if not problems:
            where = " and ".join(found.files) + f" in {found.folder}" if found.files else "no file here or above"
            verdict = "No error, but something is set in vain" if notes else "Nothing is wrong"
            click.echo(as_text(inert_line(f"{verdict}: {where}.")))
    if problems:
        raise click.exceptions.Exit(EXIT_USAGE)


# -- what is in effect -----------------------------------------------------------------------------------------------


def _resolved(found: Configuration) -> Iterator[Resolved]:
    """All keys with what is in effect, then rules, channels and options of plugins.

    Raises ``ValueError`` for a bad variable.
    """
    ini = read_pytest_ini(Path(found.folder))
    for key in all_keys():
        yield resolve_key(key, os.environ, found, ini.get(key.path))
    for path in (*found.alerts, *found.options):
        setting, *hidden = found.settings[path]
        yield Resolved(path, setting, tuple(hidden))


def _chosen(resolved: list[Resolved], key: str | None) -> list[Resolved]:
    """Those that a key or section names. Raises ``ValueError`` for what is neither."""
    if key is None:
        return resolved
    if key in SECTIONS or key.startswith(("plugins.", "alerts.")):
        found = [one for one in resolved if one.path == key or one.path.startswith(f"{key}.")]
        if found:
            return found
    wanted = named(key).path
    return [one for one in resolved if one.path == wanted]


# -- how it is shown -------------------------------------------------------------------------------------------------


def _masked(one: Resolved) -> Resolved:
    redactor = Redactor(secret_values(os.environ))

    def mask(setting: Setting) -> Setting:
        return setting._replace(value=_without_secrets(redactor, one.path.rpartition(".")[2], setting.value))

    return one._replace(setting=mask(one.setting), hidden=tuple(mask(setting) for setting in one.hidden))


def _without_secrets(redactor: Redactor, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(redactor, key, one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(redactor, name, one) for one in value]
    if isinstance(value, str) and not name.endswith(("-file", "-env")):
        return redactor.redact_pair(name, value)[1] if value else value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return MASK if is_number and redactor.redact_pair(name, "x")[1] == MASK else value


def _as_json(one: Resolved) -> dict[str, Any]:
    return {"key": one.path, **_setting_json(one.setting), "hidden": [_setting_json(setting) for setting in one.hidden]}


def _setting_json(setting: Setting) -> dict[str, Any]:
    plain = isinstance(setting.value, (str, int, float, list, dict, type(None)))
    return {"value": setting.value if plain else str(setting.value), "kind": setting.kind, "place": setting.place}


def _lines(shown: list[Resolved], found: Configuration) -> Iterator[str]:
    """As TOML that says the same, with the places as comments."""
    if len(shown) == 1:
        yield inert_line(_line(shown[0], shown[0].path))
        return
    yield inert_line(f"# {' and '.join(found.files) or 'no file'} in {found.folder}")
    section = ""
    for one in shown:
        table, _, name = one.path.rpartition(".")
        if table != section:
            section = table
            yield ""
            yield inert_line(f"[{section}]")
        yield inert_line(_line(one, name))


def _line(one: Resolved, name: str) -> str:
    if one.setting == Setting(None, "default", "default"):
        return f"# {name} is not set"
    value = f"{name} = {_toml(one.setting.value)}" if one.setting.value is not None else f"# {name} is not set"
    hides = "".join(f"; hides {setting.place}: {_toml(setting.value)}" for setting in one.hidden)
    return f"{value}  # {one.setting.place}{hides}"


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{bare(key)} = {_toml(one)}" for key, one in value.items()) + " }" if value else "{}"
    if isinstance(value, (str, bool)):
        return json.dumps(value, ensure_ascii=False)
    return "not set" if value is None else str(value)
