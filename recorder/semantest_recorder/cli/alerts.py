"""``semantest alerts``: what the recorder tells people by itself."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.alerts_completing import complete_dead, complete_name, complete_rule, complete_silence
from semantest_recorder.cli.amounts import Age
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.stop import EXIT_FAILED, EXIT_USAGE, NothingRecorded, Stop
from semantest_recorder.reports.inert import inert_line

if TYPE_CHECKING:
    from semantest_recorder.core.alerts.actions import Done
    from semantest_recorder.core.alerts.delivery import Delivery

_SCHEMA = 1
_CODES = "0 done, 1 it cannot be stored or sent, 2 wrong usage, 3 nothing there"


@click.group(
    "alerts",
    invoke_without_command=True,
    short_help="What the recorder tells people by itself.",
    epilog=help_end(
        "semantest alerts",
        "semantest alerts test main-red",
        "semantest alerts silence main-red --for 2h --reason 'known, being fixed'",
        "semantest alerts --json | jq -r '.alerts[] | select(.state == \"firing\").subject'",
        exit_codes=_CODES,
    ),
)
@directory_option
@json_option
@click.pass_context
def command(ctx: click.Context, directory: str | None, as_json: bool) -> None:
    """Show alerts: what fires, what is over, who was told, silences. The rules stand in [alerts.rules.NAME].

    docs/guide/alerts.md says how rules and channels are set up.
    """
    if ctx.invoked_subcommand is not None:
        if as_json or ctx.get_parameter_source("directory") is ParameterSource.COMMANDLINE:
            raise Stop(f"give options behind {ctx.invoked_subcommand!r}: they are its own", EXIT_USAGE)
        return
    from semantest_recorder.answers.alerts import stored_alerts  # noqa: PLC0415
    from semantest_recorder.cli.console import print_json, print_lines  # noqa: PLC0415
    from semantest_recorder.reports.alert_lines import overview_lines  # noqa: PLC0415

    now_ms = time.time() * 1000
    found = stored_alerts(project_folder(directory) / DATABASE, now_ms)
    if as_json:
        print_json(found)
    else:
        print_lines(overview_lines(found))


@command.command("rules", epilog=help_end("semantest alerts rules", "semantest alerts rules --json", exit_codes=_CODES))
@directory_option
@json_option
def rules(directory: str | None, as_json: bool) -> None:
    """Show the rules and channels of the configuration, and what keeps a channel from being used.

    Whether its variables are set is told for this shell; `semantest alerts test` asks the recorder.
    """
    from semantest_recorder.cli.alerts_section import project_alerts  # noqa: PLC0415
    from semantest_recorder.notify.channels import Channels  # noqa: PLC0415 - what it needs takes 0.2 s

    settings = project_alerts(directory)
    channels = Channels(settings, os.environ)
    # The recorder may well have it: what is said of it here would send people looking in the wrong place.
    here = "is not set in this shell; whether the recorder has it, `semantest alerts test` tells"
    problems = channels.problems | {name: f"the variable {unset} {here}" for name, unset in channels.unset.items()}
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        told: dict[str, Any] = {"schema": _SCHEMA, "rules": [], "channels": []}
        told["rules"] = [
            {
                "name": rule.name,
                "kind": rule.kind,
                "severity": rule.severity,
                "branches": rule.branches,
                "channels": rule.channels,
            }
            for rule in settings.rules
        ]
        told["channels"] = [
            {"name": one.name, "kind": one.kind, "problem": problems.get(one.name)} for one in settings.channels
        ]
        print_json(told)
        return
    if not settings.rules:
        click.echo('No rules. Write one: [alerts.rules.main-red] with kind = "run-failed" (docs/guide/alerts.md).')
    for rule in settings.rules:
        where = f" on {', '.join(rule.branches)}" if rule.branches else ""
        click.echo(
            as_text(inert_line(f"{rule.name}: {rule.kind}{where}, {rule.severity}, to {', '.join(rule.channels)}"))
        )
    for channel in settings.channels:
        problem = problems.get(channel.name)
        signed = ", signed" if channel.secret_env else ", unsigned" if channel.kind == "webhook" else ""
        click.echo(as_text(inert_line(f"channel {channel.name}: {channel.kind}{signed}, {problem or 'can be used'}")))


@command.command(
    "test",
    epilog=help_end(
        "semantest alerts test",
        "semantest alerts test main-red",
        "semantest alerts test team --json",
        exit_codes="0 every channel took it, 1 one did not, 2 there is no such rule or channel",
    ),
)
@click.argument("name", required=False, metavar="[RULE|CHANNEL]", shell_complete=complete_name)
@directory_option
@json_option
def test(name: str | None, directory: str | None, as_json: bool) -> None:
    """Send a message that says that it is a test, and tell what the other side answered.

    To the channels of a rule, to one channel, or to all of them. The recorder sends it when one runs, with the
    configuration and the variables that it was started with; else this command does.
    """
    from semantest_recorder.cli.alerts_trial import trial  # noqa: PLC0415 - it imports the senders

    done, who = trial(directory, name or "")
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json({"schema": _SCHEMA, "sentBy": who, "answers": done.answers})
    else:
        for one in done.answers:
            mark = "ok" if one.delivered else "FAILED"
            click.echo(as_text(inert_line(f"{one.channel}: {mark}, {one.answer} (sent by {who})")))
    if done.count < len(done.answers):
        raise click.exceptions.Exit(EXIT_FAILED)


@command.command(
    "silence",
    epilog=help_end(
        "semantest alerts silence main-red --for 2h --reason 'known, being fixed'",
        "semantest alerts silence --subject 'tests/slow/*' --for 7d --reason 'new machines'",
        exit_codes=_CODES,
    ),
)
@click.argument("rule", default="*", metavar="[RULE]", shell_complete=complete_rule)
@click.option(
    "--subject", default="*", metavar="PATTERN", help="Only subjects like this: a branch, a test; * is any text."
)
@click.option("--for", "length", type=Age(), required=True, metavar="TIME", help="How long: 30m, 2h, 7d.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; everybody sees it.")
@click.option("--by", "who", metavar="NAME", help="Who says so.  [default: your user name]")
@directory_option
@json_option
def silence(
    rule: str, subject: str, length: float, reason: str, who: str | None, directory: str | None, as_json: bool
) -> None:
    """Tell nobody of alerts of RULE (a name or a pattern, all without one) for a time.

    They are still seen: what has changed when the silence ends is told then. `unsilence` ends it before.
    """
    from semantest_recorder.core.alerts.actions import MakeSilence  # noqa: PLC0415

    _say_if_no_rule(rule, directory)
    until_ms = time.time() * 1000 + length
    asked = {"rule": rule, "subject": subject, "reason": reason, "who": who or _user()}
    done = _change(project_folder(directory), MakeSilence(until_ms=until_ms, **asked))
    _say(done, as_json, f"Silence {done.id}: `semantest alerts unsilence {done.id}` ends it.")


@command.command("unsilence", epilog=help_end("semantest alerts unsilence 3f2a90c1", exit_codes=_CODES))
@click.argument("silence_id", metavar="ID", shell_complete=complete_silence)
@directory_option
@json_option
def unsilence(silence_id: str, directory: str | None, as_json: bool) -> None:
    """End a silence. What it held back, and still is so, is told."""
    from semantest_recorder.core.alerts.actions import EndSilence  # noqa: PLC0415

    done = _change(project_folder(directory), EndSilence(id=silence_id))
    if not done.count:
        raise NothingRecorded(
            f"there is no silence {silence_id!r} (any more): `semantest alerts` shows those that hold"
        )
    _say(done, as_json, f"Silence {silence_id} has ended.")


@command.command("dead", epilog=help_end("semantest alerts dead", "semantest alerts dead --json", exit_codes=_CODES))
@directory_option
@json_option
def dead(directory: str | None, as_json: bool) -> None:
    """Show messages that could not be delivered and are not tried any more, the newest first, with why."""
    from semantest_recorder.cli.console import print_json, print_lines  # noqa: PLC0415
    from semantest_recorder.reports.alert_lines import dead_lines  # noqa: PLC0415
    from semantest_recorder.reports.alert_overview import delivery_info  # noqa: PLC0415

    found = [delivery_info(one) for one in _dead(project_folder(directory))]
    if as_json:
        print_json({"schema": _SCHEMA, "dead": found})
    elif found:
        print_lines(dead_lines(found))
    else:
        click.echo("No dead letters.")


_ids_argument = click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete_dead)
_all_option = click.option("--all", "all_of_them", is_flag=True, help="All dead letters.")


@command.command(
    "retry", epilog=help_end("semantest alerts retry msg_0f3c", "semantest alerts retry --all", exit_codes=_CODES)
)
@_ids_argument
@_all_option
@directory_option
@json_option
def retry(ids: tuple[str, ...], all_of_them: bool, directory: str | None, as_json: bool) -> None:
    """Send dead letters again, under the ids that they have. A recorder that runs does it at once."""
    from semantest_recorder.core.alerts.actions import RetryDead  # noqa: PLC0415

    folder = project_folder(directory)
    done = _change(folder, RetryDead(ids=_chosen(folder, ids, all_of_them=all_of_them)))
    _say(done, as_json, f"{done.count} to be sent again.")


@command.command(
    "drop",
    epilog=help_end("semantest alerts drop msg_0f3c", "semantest alerts drop --all --dry-run", exit_codes=_CODES),
)
@_ids_argument
@_all_option
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@directory_option
@json_option
def drop(ids: tuple[str, ...], all_of_them: bool, dry_run: bool, directory: str | None, as_json: bool) -> None:
    """Delete dead letters for good."""
    from semantest_recorder.core.alerts.actions import Done, DropDead  # noqa: PLC0415

    folder = project_folder(directory)
    chosen = _chosen(folder, ids, all_of_them=all_of_them)
    if dry_run:
        known = {one.id for one in _dead(folder)}
        count = len(known if chosen is None else known & set(chosen))
        _say(Done(count=count), as_json, f"Would delete {count}.", dry_run=True)
        return
    done = _change(folder, DropDead(ids=chosen))
    _say(done, as_json, f"{done.count} deleted.")


# -- what they share -------------------------------------------------------------------------------------------------


def _dead(folder: Path) -> list[Delivery]:
    from semantest_recorder.store.alert_facts import read_alerts  # noqa: PLC0415

    return read_alerts(folder / DATABASE, 0.0, deliveries=0, most=0).dead


def _change(folder: Path, action: Any) -> Done:
    from semantest_recorder.cli.alerts_change import change_alerts  # noqa: PLC0415 - it imports what writes

    return change_alerts(folder, action)


def _chosen(folder: Path, ids: tuple[str, ...], *, all_of_them: bool) -> list[str] | None:
    """The ids, ``None`` for all. Raises ``Stop``."""
    if bool(ids) == all_of_them:
        raise Stop("name dead letters by their ids, or give --all: `semantest alerts dead` shows them", EXIT_USAGE)
    if all_of_them:
        return None
    known = {one.id for one in _dead(folder)}
    unknown = [one for one in ids if one not in known]
    if unknown:
        raise NothingRecorded(f"there is no dead letter {unknown[0]!r}: `semantest alerts dead` shows them")
    return list(ids)


def _say_if_no_rule(pattern: str, directory: str | None) -> None:
    """A silence of a name with a typing error would silence nothing; the recorder may know other rules than we do."""
    from semantest_recorder.cli.alerts_section import project_alerts  # noqa: PLC0415
    from semantest_recorder.core.alerts.settings import matches  # noqa: PLC0415

    names = [one.name for one in project_alerts(directory).rules]
    if not any(matches(pattern, name) for name in names):
        say_note(f"no rule of the configuration is called like {pattern!r}; there are {', '.join(names) or 'none'}")


def _say(done: Done, as_json: bool, text: str, *, dry_run: bool = False) -> None:
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json({"schema": _SCHEMA, "count": done.count, "id": done.id, "dryRun": dry_run})
    else:
        click.echo(text)


def _user() -> str:
    import getpass  # noqa: PLC0415

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without names
        return ""
