"""The options of ``serve``: ``start`` takes them too, passes them on, and compares them with a running recorder's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from semantest_recorder.cli.number import Number
from semantest_recorder.cli.seconds import Seconds

Command = TypeVar("Command", bound=Callable[..., Any])

_IDLE = "idleTimeout"


class ServeOption(click.Option):
    """An option of ``serve``, as opposed to one of how it is started."""

    @property
    def key(self) -> str:
        """Its name in JSON: ``idleTimeout``."""
        first, *rest = (self.name or "").split("_")
        return first + "".join(word.title() for word in rest)

    @property
    def is_compared(self) -> bool:
        """Whether it says how a recorder runs; of the token's file only the token counts, which is nobody's to see."""
        return self.name != "token_file"

    def as_json(self, value: Any) -> Any:
        """The value as two recorders can be compared by it."""
        if isinstance(value, Path):
            return str(value.absolute())
        return sorted(value or ()) if self.multiple else value

    @property
    def default_as_json(self) -> Any:
        """What it is when it is not given."""
        if self.is_flag:
            return False
        # Without a default click's versions have None or a marker of their own.
        return self.as_json(self.default if isinstance(self.default, (str, int, float)) else None)

    def arguments(self, value: Any) -> list[str]:
        """The command line that gives it this value."""
        if self.is_flag:
            return [self.opts[0]] if value else []
        return [part for one in (value if self.multiple else [value]) for part in (self.opts[0], str(one))]


_OPTIONS = (
    click.option(
        "--host", cls=ServeOption, default="127.0.0.1", show_default=True, help="Loopback address to listen on."
    ),
    click.option(
        "--port",
        cls=ServeOption,
        type=Number(0, 65535),
        default=0,
        help="Port to listen on.  [default: any free one]",
    ),
    click.option(
        "--database",
        cls=ServeOption,
        type=click.Path(path_type=Path),
        help="SQLite file.  [default: semantest.db in the folder]",
    ),
    click.option(
        "--token-file",
        cls=ServeOption,
        type=click.Path(path_type=Path),
        help="File that holds the token.  [default: the variable SEMANTEST_TOKEN, else a new random one]",
    ),
    click.option(
        "--allow-anonymous", cls=ServeOption, is_flag=True, help="Clients without a token may send and read events."
    ),
    click.option(
        "--allow-origin",
        cls=ServeOption,
        multiple=True,
        metavar="ORIGIN",
        help="Pages of this exact origin may connect.",
    ),
    click.option(
        "--allow-host",
        cls=ServeOption,
        multiple=True,
        metavar="HOST",
        help="Serve this Host too: name or name:port.",
    ),
    click.option(
        "--idle-timeout",
        cls=ServeOption,
        type=Seconds(),
        default=0.0,
        metavar="SECONDS",
        help="End after this time without a client.  [default: never]",
    ),
    click.option(
        "--log-format", cls=ServeOption, type=click.Choice(["text", "json"]), default="text", show_default=True
    ),
    click.option(
        "--log-level",
        cls=ServeOption,
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
    ),
)


def serve_options(command: Command) -> Command:
    """Decorates a command with all of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_in_effect(ctx: click.Context) -> dict[str, Any]:
    """What a recorder is told to be, but for its token: for ``/api/v1/status``."""
    return {option.key: option.as_json(ctx.params[option.name or ""]) for option in _compared(ctx)}


@dataclass(frozen=True)
class Wanted:
    """What ``start`` was asked for.

    ``arguments``: the same as a command line; ``given``: values by JSON name, ``told``: how they were typed;
    ``defaults``: those of all options.
    """

    arguments: list[str]
    given: Mapping[str, Any]
    told: Mapping[str, str]
    defaults: Mapping[str, Any]
    token: str | None

    def missing(self, options: Mapping[str, Any], token: str) -> list[str]:
        """What a recorder with these options and this token lacks, in words."""
        lacks = [self.told[key] for key, value in self.given.items() if options.get(key, self.defaults[key]) != value]
        return lacks if self.token in (None, token) else [*lacks, "the token given"]

    def replaces(self, options: Mapping[str, Any], token: str) -> bool:
        """Whether a recorder is one that runs start for themselves, to end when idle, and something else is wanted."""
        own = {key for key, value in options.items() if self.defaults.get(key) != value}
        if own != {_IDLE}:
            return False
        return self.idle_timeout != options[_IDLE] or bool(self.missing(options, token))

    @property
    def idle_timeout(self) -> float:
        """The wanted one; zero means for ever."""
        return float(self.given.get(_IDLE, self.defaults[_IDLE]))

    def outlives(self, options: Mapping[str, Any]) -> float:
        """After how many idle seconds a recorder ends although nobody said so to ``start``; zero for never."""
        return 0.0 if _IDLE in self.given else float(options.get(_IDLE) or 0.0)


def wanted(ctx: click.Context, token: str | None) -> Wanted:
    """What the command line of ``start`` asks for."""
    typed = [
        option for option in _all(ctx) if ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    ]
    arguments = {option.key: option.arguments(ctx.params[option.name or ""]) for option in typed}
    compared = [option for option in typed if option.is_compared]
    return Wanted(
        arguments=[part for parts in arguments.values() for part in parts],
        given={option.key: option.as_json(ctx.params[option.name or ""]) for option in compared},
        told={option.key: " ".join(quote(part) for part in arguments[option.key]) for option in compared},
        defaults={option.key: option.default_as_json for option in _compared(ctx)},
        token=token,
    )


def _all(ctx: click.Context) -> Iterator[ServeOption]:
    return (parameter for parameter in ctx.command.params if isinstance(parameter, ServeOption))


def _compared(ctx: click.Context) -> Iterator[ServeOption]:
    return (option for option in _all(ctx) if option.is_compared)
