"""``semantest-recorder``: the daemon's own command. Heavy imports wait until a command needs them."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DIRECTORY
from semantest_recorder.cli.configured import checked_configuration
from semantest_recorder.cli.configured_option import configuration_of
from semantest_recorder.cli.given_token import is_token, text_of
from semantest_recorder.cli.guarded import GuardedGroup
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.seconds import Seconds
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.serve_options import options_in_effect, serve_options, values_without_variables, wanted
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

if TYPE_CHECKING:
    from semantest_recorder.daemon_settings import Settings
    from semantest_recorder.discovery import Discovery


EXIT_NOT_RUNNING = 3
EXIT_ALREADY_RUNNING = 4


def _examples(*lines: str) -> str:
    """The end of a command's help: its lines are not wrapped."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


directory_option = click.option(
    "--directory",
    is_eager=True,  # other options may stand in the configuration of its project
    envvar="SEMANTEST_DIR",
    metavar="FOLDER",
    help=f"The {DIRECTORY} folder.  [default: the nearest one in the working directory and its parents]",
)


def folder_of(directory: str | None) -> Path:
    """The ``.semantest`` folder that is meant; it may not exist yet: then beside the configuration, if there is any."""
    here = working_directory(directory)
    return semantest_folder(directory, here) or Path(checked_configuration(here).folder) / DIRECTORY


class _Group(GuardedGroup):
    program = "semantest-recorder"


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_examples("semantest-recorder start && semantest-recorder status"),
)
@click.version_option(__version__, "-V", "--version", prog_name="semantest-recorder")
def main() -> None:
    """The recorder of a project: takes in test events, keeps them, and tells who subscribed."""


@main.command(
    short_help="Run the recorder in the foreground.",
    epilog=_examples("semantest-recorder serve --port 4711 --log-format json"),
)
@directory_option
@serve_options
@click.option("--on-demand", type=Seconds(), hidden=True, help="The idle timeout when no configuration has one.")
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    directory: str | None,
    token_file: Path | None,
    log_format: str,
    log_level: str,
    on_demand: float | None,
    **options: Any,
) -> None:
    """Run the recorder in the foreground until Ctrl-C or SIGTERM."""
    if on_demand is not None and ctx.get_parameter_source("idle_timeout") is ParameterSource.DEFAULT:
        ctx.params["idle_timeout"] = options["idle_timeout"] = on_demand
    from semantest_recorder.cli.log_lines import configure_logging  # noqa: PLC0415 - heavy imports late

    token = _token(ctx, token_file)
    os.umask(0o077)  # the database and the logs hold what tests print
    configure_logging(log_format, log_level)
    from semantest_recorder.quick_imports import quick_imports  # noqa: PLC0415

    with quick_imports():
        from semantest_recorder import app  # noqa: PLC0415
        from semantest_recorder.discovery import AlreadyRunning  # noqa: PLC0415
        from semantest_recorder.listening import CannotServe  # noqa: PLC0415

    try:
        drained = app.serve(_settings(ctx, folder_of(directory), token, log_format, options), _announce)
    except AlreadyRunning as error:
        raise _stopped(str(error), EXIT_ALREADY_RUNNING) from None
    except CannotServe as error:
        raise _stopped(str(error), error.exit_code) from None
    if not drained or _has_threads_left():
        sys.stdout.flush()
        sys.stderr.flush()
        # A thread that hangs would hold the process: the store's in the file system, or one that a plugin has started.
        os._exit(0 if drained else 1)


def _has_threads_left() -> bool:
    return any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate())


def _stopped(message: str, exit_code: int) -> click.ClickException | click.exceptions.Exit:
    """Why nothing is served: a line for who looks, a record with its time where stderr is a log file."""
    from semantest_recorder.cli.log_lines import is_log_file  # noqa: PLC0415

    if not is_log_file():
        return Stop(message, exit_code)
    import logging  # noqa: PLC0415

    logging.getLogger(__name__).error("%s", message)
    return click.exceptions.Exit(exit_code)


def _settings(
    ctx: click.Context, folder: Path, token: str | None, log_format: str, options: dict[str, Any]
) -> Settings:
    from semantest_recorder.cli.alerts_section import alerts_in  # noqa: PLC0415
    from semantest_recorder.cli.plugin_section import plugins_in  # noqa: PLC0415
    from semantest_recorder.daemon_settings import Settings  # noqa: PLC0415

    return Settings(
        directory=folder,
        host=options["host"],
        port=options["port"],
        token=token,
        anonymous=options["allow_anonymous"],
        origins=options["allow_origin"],
        hosts=options["allow_host"],
        idle_timeout_s=options["idle_timeout"],
        policy=_policy(ctx),
        tls_cert=_absolute(options["tls_cert"]),
        tls_key=_absolute(options["tls_key"]),
        tls_terminated=options["tls_terminated"],
        told=options_in_effect(ctx),
        plugins=plugins_in(configuration_of(ctx)),
        json_log=log_format == "json",
        alerts=alerts_in(configuration_of(ctx)),
    )


def _policy(ctx: click.Context) -> dict[str, Any]:
    """What the configuration changes in the security policy."""
    from pytest_semantest.protocol.configuration import ConfigurationError  # noqa: PLC0415 - with the others
    from pytest_semantest.protocol.effective import policy_changes  # noqa: PLC0415

    try:
        return policy_changes(os.environ, configuration_of(ctx))
    except ConfigurationError as error:
        raise Stop(str(error), EXIT_USAGE) from None


def _token(ctx: click.Context, token_file: Path | None) -> str | None:
    """The token that the user gave, or ``None``; the variable hides a token file of the configuration."""
    origin, token = "SEMANTEST_TOKEN", os.environ.get("SEMANTEST_TOKEN", "")
    if token and ctx.get_parameter_source("token_file") is ParameterSource.DEFAULT_MAP:
        token_file = None
    if token_file is None:
        if not token:
            return None
        return _checked_token(token, origin)
    return _token_of(token_file)


def _token_of(token_file: Path) -> str:
    return _checked_token(text_of(token_file), str(token_file))


def _checked_token(text: str, origin: str) -> str:
    token = text.strip()
    if len(token) < 16 or not is_token(token):
        raise Stop(
            f"the token in {origin} is not one line of at least 16 visible ASCII characters; "
            "make one with: python -c 'import secrets; print(\"smt_\" + secrets.token_urlsafe(32))'",
            EXIT_USAGE,
        )
    return token


def _absolute(path: Path | None) -> Path | None:
    return path.absolute() if path else None


def _announce(discovery: Discovery, public_url: str | None, database: Path) -> None:
    facts = f"pid {discovery.pid}, database {database}"
    url = public_url or discovery.url
    click.echo(f"semantest-recorder: listening on {url} ({facts})")
    if public_url:
        click.echo(f"semantest-recorder: commands on this machine use {discovery.url}")


class _StartCommand(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it; two dashes before the options of ``serve`` are not needed, and do no harm."""
        return super().parse_args(ctx, [argument for argument in args if argument != "--"])


@main.command(
    cls=_StartCommand,
    short_help="Start the recorder in the background.",
    epilog=_examples("semantest-recorder start", "semantest-recorder start --port 4711 --idle-timeout 600"),
)
@directory_option
@click.option(
    "--timeout", type=Seconds(), default=15.0, show_default=True, metavar="SECONDS", help="How long to wait for it."
)
@serve_options
@click.pass_context
def start(
    ctx: click.Context, /, directory: str | None, timeout: float, token_file: Path | None, **_options: Any
) -> None:
    """Start the recorder in the background, unless it runs already, and print its address.

    It stays until it is stopped, and takes the options of `serve`. A recorder that a run started for itself would end
    when idle: it is replaced. One that was started by hand with other options is left alone, with exit code 4.
    """
    from semantest_recorder.cli import daemon  # noqa: PLC0415

    found, notes = daemon.start(folder_of(directory), wanted(ctx, _token(ctx, token_file)), timeout)
    for note in notes:
        say_note(note, "semantest-recorder")
    click.echo(found.url)


@main.command(short_help="Stop the recorder.", epilog=_examples("semantest-recorder stop --timeout 30"))
@directory_option
@click.option("--timeout", type=Seconds(), default=10.0, show_default=True, metavar="SECONDS")
def stop(directory: str | None, timeout: float) -> None:
    """Ask the recorder to finish, wait until it has, and say so."""
    from semantest_recorder.cli import daemon  # noqa: PLC0415

    click.echo(daemon.stop(folder_of(directory), timeout))


@main.command(short_help="Say whether the recorder runs.", epilog=_examples("semantest-recorder status --json"))
@directory_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def status(directory: str | None, as_json: bool) -> None:
    """Say whether the recorder runs: exit code 0 when it does, 3 when it does not."""
    from semantest_recorder.cli import daemon  # noqa: PLC0415

    found = daemon.status(folder_of(directory))
    if as_json:
        import json  # noqa: PLC0415

        from semantest_recorder.reports.inert import inert_json  # noqa: PLC0415

        click.echo(inert_json(json.dumps(found).encode()))
    else:
        click.echo(daemon.describe(found))
    if not found["running"]:
        sys.exit(EXIT_NOT_RUNNING)


_dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@main.command(
    "install-service",
    short_help="Have systemd or launchd run the recorder.",
    epilog=_examples("semantest-recorder install-service --dry-run", "semantest-recorder install-service --port 4711"),
)
@directory_option
@_dry_run_option
@_json_option
@serve_options
@click.pass_context
def install_service(
    ctx: click.Context, /, directory: str | None, dry_run: bool, as_json: bool, **_options: Any
) -> None:
    """Write a service of your own, without root, that runs the recorder of the project.

    It takes the options of `serve`, and refuses what `serve` would refuse; variables are not carried over. A systemd
    user unit, on macOS a launch agent. Nothing is started: what is to be run for that is printed.
    """
    from semantest_recorder.cli import service  # noqa: PLC0415

    # What is wrong is to be told now: the service would be started again and again, and nobody would look.
    values = values_without_variables(ctx)
    if values["token_file"] is not None:
        _token_of(values["token_file"])
    service.check(configuration_of(ctx), values)
    arguments = wanted(ctx, None).arguments
    service.install(folder_of(directory).absolute(), arguments, dry_run=dry_run, as_json=as_json)


@main.command(
    "uninstall-service",
    short_help="Remove that service.",
    epilog=_examples("semantest-recorder uninstall-service --dry-run"),
)
@directory_option
@_dry_run_option
@_json_option
def uninstall_service(directory: str | None, dry_run: bool, as_json: bool) -> None:
    """Remove what `install-service` wrote; exit code 3 when there is nothing. What was recorded stays."""
    from semantest_recorder.cli import service  # noqa: PLC0415

    service.uninstall(folder_of(directory).absolute(), dry_run=dry_run, as_json=as_json)


@main.command(epilog=_examples('eval "$(semantest-recorder completion bash)"'))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    The same as `_SEMANTEST_RECORDER_COMPLETE=bash_source semantest-recorder`.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    script = get_completion_class(shell)
    if script is None:
        raise Stop(f"click knows no completion for {shell}")
    command = ctx.find_root().command
    click.echo(script(command, {}, "semantest-recorder", "_SEMANTEST_RECORDER_COMPLETE").source(), nl=False)


if __name__ == "__main__":
    main()
