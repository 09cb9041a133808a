"""docs/reference/cli.md: every command, with its parameters and examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from docs.reference_pages.markdown import NOTE, cell, table
from semantest_recorder.cli.recorder import main as recorder_command
from semantest_recorder.cli.semantest import main as semantest_command


def value_of(parameter: click.Parameter) -> str:
    """What stands behind an option's name: nothing for a flag, its choices, its metavar, else its type."""
    if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count):
        return ""
    if isinstance(parameter.type, click.Choice):
        return "|".join(str(choice) for choice in parameter.type.choices)
    return parameter.metavar or parameter.type.name.split(" ")[0].upper()


def parameter_rows(command: click.Command) -> Iterator[tuple[str, str]]:
    """(name, meaning) of every parameter that a user may give."""
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            name = value_of(parameter) if parameter.metavar else (parameter.name or "").upper()
            if isinstance(parameter.type, click.Choice):
                name += f": {value_of(parameter)}"
            yield f"`{name}`", "" if parameter.required else "may be left out"
        elif isinstance(parameter, click.Option) and not parameter.hidden:
            names = ", ".join((*parameter.opts, *parameter.secondary_opts))
            meaning = parameter.help or ""
            if parameter.show_default and parameter.default is not None:
                meaning += f" [default: {parameter.default}]"
            for variable in [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or ():
                meaning += "" if variable in meaning else f" [env: {variable}]"
            shown = " ".join(part for part in (names, value_of(parameter)) if part)
            yield cell(f"`{shown}`"), cell(meaning)


def help_text(command: click.Command) -> str:
    r"""The command's help and epilog; paragraphs that click must not wrap (``\b``) become code."""
    text = "\n\n".join(inspect.cleandoc(part) for part in (command.help or "", command.epilog or "") if part)
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text.split("\f")[0]):
        if paragraph.startswith("\b"):
            paragraphs.append("```\n" + paragraph.removeprefix("\b").strip("\n") + "\n```")
        else:
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def command_sections(command: click.Command, path: str) -> Iterator[str]:
    """A section for the command and one for each of its subcommands."""
    section = f"{'##' if ' ' not in path else '###'} `{path}`\n\n{help_text(command)}"
    rows = list(parameter_rows(command))
    if rows:
        section += "\n\n" + table(("parameter", "meaning"), rows)
    yield section
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from command_sections(child, f"{path} {name}")


def commands_page() -> str:
    """Every command, with its parameters and examples."""
    sections = [
        *command_sections(semantest_command, "semantest"),
        *command_sections(recorder_command, "semantest-recorder"),
    ]
    return f"{NOTE}\n# Commands\n\nEvery command also has `--help`.\n\n" + "\n\n".join(sections) + "\n"
