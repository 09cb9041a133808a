"""``semantest token``: who may do what at the project's recorder."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_semantest.protocol.layout import DIRECTORY
from semantest_recorder.cli.console import print_json
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.lifetime import Lifetime
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.own_folder import refuse_foreign
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import EXIT_NOTHING, EXIT_USAGE, Stop
from semantest_recorder.core.access import Role
from semantest_recorder.token_file import TokensUnreadable, change_tokens, new_token, read_tokens

if TYPE_CHECKING:
    from semantest_recorder.core.tokens import Token, TokenTable

_SCHEMA = 1


@click.group(
    "token",
    short_help="Give out and revoke tokens.",
    epilog=help_end(
        "semantest token create --role ingest --name ci --expires 90d",
        "semantest token list",
        "semantest token revoke ci",
        exit_codes="0 done, 1 the folder cannot be written, 2 wrong usage, 3 there is no such token",
    ),
)
def command() -> None:
    """Who may do what at the project's recorder.

    Needs no running recorder, and a running one takes a change in at once: connections of a token that was revoked are
    closed. The recorder's own token, in recorder.json, has every role and is not listed here.
    """


def _complete_name(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        folder = semantest_folder(ctx.params.get("directory"), Path.cwd())
        names = [token.name for token in read_tokens(folder).tokens] if folder is not None else []
    except Exception:  # noqa: BLE001 - a message would stand in the middle of the line that is being typed
        return []
    return [name for name in names if name.startswith(incomplete)]


@command.command(
    epilog=help_end(
        "semantest token create --role ingest --name ci --expires 90d",
        "semantest token create --role read --role operate --name dashboard --json",
        exit_codes="0 made, 1 the folder cannot be written, 2 wrong usage or the name is taken",
    )
)
@directory_option
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    required=True,
    help="What its holder may do; repeatable. None includes another.",
)
@click.option("--name", required=True, metavar="NAME", help="How lists, logs and policies call its holder.")
@click.option("--expires", type=Lifetime(), metavar="TIME", help="When it ends: 90d, 12h, 30m.  [default: never]")
@json_option
def create(directory: str | None, roles: tuple[str, ...], name: str, expires: int | None, as_json: bool) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from pytest_semantest.protocol.private_folder import make_private_folder  # noqa: PLC0415
    from semantest_recorder.core.access import digest_of  # noqa: PLC0415
    from semantest_recorder.core.tokens import InvalidName, NameTaken  # noqa: PLC0415

    here = working_directory(directory)
    folder = semantest_folder(directory, here) or here / DIRECTORY
    token, now_ms = new_token(), time.time() * 1000
    expires_ms = now_ms + expires * 1000 if expires is not None else None

    def add(table: TokenTable) -> TokenTable:
        return table.with_token(name, map(Role, roles), digest_of(token), now_ms, expires_ms)

    try:
        if make_private_folder(str(folder)):
            click.echo(f"semantest: made {folder}", err=True)
        change_tokens(folder, add)
        made = next(one for one in read_tokens(folder).tokens if one.name == name)
    except InvalidName as error:
        raise Stop(str(error), EXIT_USAGE) from None
    except NameTaken as error:
        raise Stop(f"{error}: take another name, or `semantest token revoke {name}` first", EXIT_USAGE) from None
    except TokensUnreadable as error:
        raise Stop(str(error)) from None
    if as_json:
        print_json({"schema": _SCHEMA, **_facts(made, now_ms), "token": token})
        return
    click.echo(token)
    click.echo(f"semantest: {_line(made, now_ms)}. It is shown this once; keep it where secrets are kept.", err=True)


@command.command("list", epilog=help_end("semantest token list --json"))
@directory_option
@json_option
def list_tokens(directory: str | None, as_json: bool) -> None:
    """List the tokens that were given out: names, roles and times."""
    folder, now_ms = project_folder(directory), time.time() * 1000
    tokens = _read(folder)
    if as_json:
        found = [_facts(token, now_ms) for token in tokens]
        print_json({"schema": _SCHEMA, "directory": str(folder), "tokens": found})
    elif not tokens:
        click.echo("No tokens; make one with `semantest token create --role ingest --name ci`.")
    else:
        for token in tokens:
            click.echo(_line(token, now_ms))


@command.command(
    epilog=help_end(
        "semantest token revoke ci",
        "semantest token revoke ci --dry-run",
        exit_codes="0 revoked, 1 the folder cannot be written, 2 wrong usage, 3 there is no such token",
    )
)
@directory_option
@click.argument("name", shell_complete=_complete_name)
@click.option("--dry-run", is_flag=True, help="Only say what would be revoked.")
@json_option
def revoke(directory: str | None, name: str, dry_run: bool, as_json: bool) -> None:
    """Revoke a token for good; connections that were made with it are closed."""
    from semantest_recorder.core.tokens import NoSuchToken  # noqa: PLC0415

    folder, now_ms = project_folder(directory), time.time() * 1000
    found = [token for token in _read(folder) if token.name == name]
    try:
        if dry_run:
            read_tokens(folder).without(name)
        else:
            refuse_foreign(folder)
            change_tokens(folder, lambda table: table.without(name))
    except NoSuchToken as error:
        known = f"there are {', '.join(error.args[1])}" if error.args[1] else "there are none"
        raise Stop(f"{error.args[0]}; {known}", EXIT_NOTHING) from None
    except TokensUnreadable as error:
        raise Stop(str(error)) from None
    if as_json:
        print_json({"schema": _SCHEMA, "dryRun": dry_run, "revoked": [_facts(token, now_ms) for token in found]})
    else:
        click.echo(f"{'Would revoke' if dry_run else 'Revoked'} {name}.")


def _read(folder: Path) -> Iterable[Token]:
    try:
        return read_tokens(folder).tokens
    except TokensUnreadable as error:
        raise Stop(str(error)) from None


def _facts(token: Token, now_ms: float) -> dict[str, Any]:
    return {
        "name": token.name,
        "roles": [role.value for role in token.roles],
        "createdMs": token.created_ms,
        "expiresMs": token.expires_ms,
        "expired": token.is_expired(now_ms),
    }


def _line(token: Token, now_ms: float) -> str:
    roles = ", ".join(role.value for role in token.roles)
    end = "never expires" if token.expires_ms is None else f"expires {_day(token.expires_ms)}"
    return f"{token.name}: {roles}; made {_day(token.created_ms)}, {'EXPIRED' if token.is_expired(now_ms) else end}"


def _day(moment_ms: float) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
