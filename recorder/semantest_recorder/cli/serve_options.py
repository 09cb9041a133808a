"""The options of ``serve``: ``start`` takes them too, passes them on, and compares them with a running recorder's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from pytest_semantest.protocol.keys import RECORDER, Key
from semantest_recorder.cli.configured_option import ConfiguredOption
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.seconds import Seconds

Command = TypeVar("Command", bound=Callable[..., Any])

_IDLE = "idleTimeout"


class ServeOption(ConfiguredOption):
    """An option of ``serve``, as opposed to one of how it is started."""

    def default_for(self, ctx: click.Context) -> Any:
        """What it is when no command line says it, as two recorders can be compared by it."""
        setting = self.configured(ctx)
        return (
            self.default_as_json
            if setting.kind == "default"
            else self.as_json(self.type_cast_value(ctx, setting.value))
        )

    def without_variables(self, ctx: click.Context) -> Any:
        """What it is for a recorder that somebody else starts: the command line, else the files, else the default."""
        if ctx.get_parameter_source(self.name or "") is ParameterSource.COMMANDLINE:
            return ctx.params[self.name or ""]
        setting = self.configured(ctx, environment={})
        if setting.kind != "default":
            return self.type_cast_value(ctx, setting.value)
        return () if self.multiple else self.default_as_json

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
        values = value if self.multiple else [value.absolute() if isinstance(value, Path) else value]
        return [part for one in values for part in (self.opts[0], str(one))]


def _option(key: Key) -> Callable[[Command], Command]:
    """The click option of a key."""
    attributes: dict[str, Any] = {"cls": ServeOption, "setting": key, "help": key.help}
    if key.metavar:
        attributes["metavar"] = key.metavar
    if key.kind == "flag":
        return click.option(key.flag, is_flag=True, **attributes)
    if key.is_list:
        return click.option(key.flag, multiple=True, **attributes)
    if key.kind == "path":
        return click.option(key.flag, type=click.Path(path_type=Path), **attributes)
    if key.kind == "integer":
        return click.option(key.flag, type=Number(*key.limits), default=key.default, **attributes)
    if key.kind == "seconds":
        return click.option(key.flag, type=Seconds(), default=float(key.default), **attributes)
    choice = click.Choice(key.choices) if key.kind == "choice" else None
    return click.option(key.flag, type=choice, default=key.default, show_default=True, **attributes)


_OPTIONS = [_option(key) for key in RECORDER]


def serve_options(command: Command) -> Command:
    """Decorates a command with all of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_in_effect(ctx: click.Context) -> dict[str, Any]:
    """What a recorder is told to be, but for its token: for ``/api/v1/status``."""
    return {option.key: option.as_json(ctx.params[option.name or ""]) for option in _compared(ctx)}


def values_without_variables(ctx: click.Context) -> dict[str, Any]:
    """The values of all options, by name, as a recorder gets them that does not have our environment."""
    return {option.name or "": option.without_variables(ctx) for option in _all(ctx)}


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
    """What the command line of ``start`` asks for, and the configuration, which ``serve`` reads by itself."""
    sources = {option.key: ctx.get_parameter_source(option.name or "") for option in _all(ctx)}
    typed = [option for option in _all(ctx) if sources[option.key] is ParameterSource.COMMANDLINE]
    arguments = {option.key: option.arguments(ctx.params[option.name or ""]) for option in typed}
    asked = [option for option in _compared(ctx) if sources[option.key] is not ParameterSource.DEFAULT]
    told = {option.key: _configured_text(ctx, option) for option in asked}
    told |= {key: " ".join(quote(part) for part in parts) for key, parts in arguments.items()}
    return Wanted(
        arguments=[part for parts in arguments.values() for part in parts],
        given={option.key: option.as_json(ctx.params[option.name or ""]) for option in asked},
        told=told,
        defaults={option.key: option.default_for(ctx) for option in _compared(ctx)},
        token=token,
    )


def _configured_text(ctx: click.Context, option: ServeOption) -> str:
    setting = option.configured(ctx)
    return f"{option.setting.path} = {json.dumps(setting.value)} ({setting.place})"


def _all(ctx: click.Context) -> Iterator[ServeOption]:
    return (parameter for parameter in ctx.command.params if isinstance(parameter, ServeOption))


def _compared(ctx: click.Context) -> Iterator[ServeOption]:
    return (option for option in _all(ctx) if option.is_compared)
