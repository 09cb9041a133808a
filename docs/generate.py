"""Writes what is made from code: configuration, options, commands, roles, REST, embedding, SQL, metrics, tools.

python docs/generate.py            write them
python docs/generate.py --check    exit code 1, naming them, when some are not current
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import click
import pytest

from pytest_semantest import plugin
from pytest_semantest.protocol.alert_keys import TABLES
from pytest_semantest.protocol.keys import RECORDING, SECTIONS, Key
from semantest_recorder import embedding
from semantest_recorder.cli.recorder import main as recorder_command
from semantest_recorder.cli.semantest import main as semantest_command
from semantest_recorder.client import AsyncClient, Client, CommandError, EventsRefusedError, NotConnectedError
from semantest_recorder.core.access import ANY_ROLE, Role
from semantest_recorder.core.commands import COMMANDS
from semantest_recorder.core.views import VIEWS, VIEWS_VERSION, View, kind_of
from semantest_recorder.mcp_server.questions import input_schema
from semantest_recorder.mcp_server.tools import INSTRUCTIONS, TOOLS, Tool
from semantest_recorder.monitoring.catalogue import CATALOGUE
from semantest_recorder.reports.json_schema import PRINTED, page_name, schema_text
from semantest_recorder.role_table import message_roles, served_routes

DOCS = Path(__file__).resolve().parent
sys.path.append(str(DOCS.parent))  # behind what is installed: the pages are those of the wheel where there is one

from docs.rest_page import rest_page  # noqa: E402
from tests.hazards import HAZARDS  # noqa: E402
from tests.page_sections import RELIABILITY, with_section  # noqa: E402

REFERENCE = DOCS / "reference"
TESTS = DOCS.parent / "tests"
NOTE = "<!-- made by docs/generate.py (`make docs`); edit the code, not this page -->"


class OptionCollector:
    """Takes what the plugin registers, as pytest does: options into a real argparse parser, ini keys beside it."""

    def __init__(self) -> None:
        self.parser = argparse.ArgumentParser(add_help=False)
        self.ini: dict[str, str] = {}

    def getgroup(self, name: str, description: str = "") -> OptionCollector:  # noqa: ARG002 - pytest's
        """All groups are this one."""
        return self

    def addoption(self, *names: str, **attributes: Any) -> None:
        """One command line option."""
        self.parser.add_argument(*names, **attributes)

    def addini(self, name: str, help: str, type: str | None = None, default: object = None) -> None:  # noqa: A002, ARG002
        """One ini key."""
        self.ini[name] = type or "string"


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|").replace("<", "&lt;")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def options_page() -> str:
    """Every way to set up the recording in pytest."""
    collector = OptionCollector()
    plugin.pytest_addoption(cast("pytest.Parser", collector))
    variables = {key.ini: key.variable for key in RECORDING}
    rows = []
    for action in collector.parser._actions:  # noqa: SLF001 - argparse has no public list of them
        name = " ".join((", ".join(action.option_strings), str(action.metavar or ""))).strip()
        also = action.dest in collector.ini and action.option_strings[0] != "--no-semantest"
        ini = f"`{action.dest}` ({collector.ini[action.dest]})" if also else ""
        variable = f"`{variables[action.dest]}`" if also else ""
        meaning = re.sub(r"\s*\(ini: .*?\)$", "", action.help or "")
        rows.append((f"`{name}`", ini, variable, cell(meaning)))
    return f"""{NOTE}
# Options of the pytest plugin

The command line wins over the environment, the environment over `semantest.toml` and `[tool.semantest]` of
`pyproject.toml` ([configuration.md](configuration.md)), those over pytest's ini file (`pytest.ini`,
`[tool.pytest.ini_options]`, ...), that over the default. A value that makes no sense is named in one line, and the
default is taken. Lists: repeat the option, one per line in the ini file and in the environment (labels there also by
commas).

{table(("command line", "ini key", "environment", "meaning"), rows)}
"""


#: How the values of each kind are written in a file.
KINDS = {
    "flag": "`true` or `false`",
    "text": "string",
    "path": "string, relative to the file's folder",
    "url": "string",
    "integer": "whole number",
    "seconds": "number of seconds",
    "percent": "number from 0 to 100",
    "factor": "number from 1 up",
    "duration": 'string such as `"30d"`, `"12h"`, `"90m"`',
    "size": 'string such as `"500MB"`, `"2 GB"`',
    "lines": "list of strings",
    "patterns": "list of regular expressions",
    "words": "list of strings",
    "labels": 'table: `{ team = "core" }`',
}
SECTION_TEXTS = {
    "": "What pytest's plugin does. The keys stand at the top of `semantest.toml`, before the first section.",
    "recorder": "The options of `semantest-recorder serve` and `start`, also for a recorder that a run starts.",
    "policy": "The security policy that a recorder starts with.",
    "plugins": "Plugins of the recorder. `[plugins.<name>]` holds a plugin's own options, passed on as they are.",
    "cleanup": "What `semantest cleanup` deletes. A run stays only if every key that is set lets it stay.",
    "gate": "What `semantest gate` asks of a run ([ci.md](../guide/ci.md#a-gate)). A key that is not set asks nothing.",
    "alerts": "What the recorder tells people by itself ([alerts.md](../guide/alerts.md)).",
}
TABLE_TEXTS = {
    "rules": "A rule. Which keys it takes beside the first six depends on its kind.",
    "channels": "Where rules are told. Addresses and secrets are named, and stand in the recorder's environment.",
}


def default_text(key: Key) -> str:
    """The default as it would stand in a file."""
    if key.default is None or key.default == ():
        return ""
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    return f'`"{key.default}"`' if isinstance(key.default, str) else f"`{key.default}`"


def value_text(key: Key) -> str:
    """What a file may say."""
    return " or ".join(f'`"{choice}"`' for choice in key.choices) or KINDS[key.kind]


def alert_parts() -> Iterator[str]:
    """A part for rules and one for channels: they have tables of their own, and no variables."""
    for kind, keys in TABLES.items():
        rows = [(f"`{key.name}`", value_text(key), default_text(key), cell(key.help)) for key in keys]
        header = ("key", "value", "default", "meaning")
        yield f"### `[alerts.{kind}.<name>]`\n\n{TABLE_TEXTS[kind]}\n\n{table(header, rows)}"


def configuration_page() -> str:
    """Every key that a configuration file may have."""
    parts = []
    for section, keys in SECTIONS.items():
        rows = [
            (f"`{key.name}`", value_text(key), default_text(key), f"`{key.variable}`", cell(key.help)) for key in keys
        ]
        title = f"## `[{section}]`" if section else "## At the top"
        header = ("key", "value", "default", "variable", "meaning")
        parts.append(f"{title}\n\n{SECTION_TEXTS[section]}\n\n{table(header, rows)}")
        parts += alert_parts() if section == "alerts" else ()
    return f"""{NOTE}
# Configuration

In `semantest.toml`, or in `[tool.semantest]` of `pyproject.toml`, where the sections are `[tool.semantest.recorder]`
and so on; [the guide](../guide/configuration.md) says which file is read and who wins. Names may be written with
underscores, too. In variables, lists stand one per line (labels also by commas), those of sections separated by blanks.

{chr(10).join(part + chr(10) for part in parts).rstrip()}
"""


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


def who(roles: frozenset[Role] | None) -> str:
    """The roles of which one is needed."""
    if roles is None:
        return "open to all"
    return "any token" if roles == ANY_ROLE else " or ".join(sorted(role.value for role in roles))


def roles_page() -> str:
    """Every route, message and command with the roles of which its sender needs one, from the tables that decide."""
    routes = (
        (f"`{route.method} {cell(route.path)}`", who(route.roles))
        for route in sorted(served_routes(), key=lambda route: (route.path, route.method))
    )
    messages = ((f"`{tag}`", who(roles)) for tag, roles in message_roles())
    commands = ((f"`{name}`", who(command.roles)) for name, command in COMMANDS.items())
    return f"""{NOTE}
# Roles

A token (`semantest token create`) has one or more of the roles {", ".join(f"`{role.value}`" for role in Role)}; none
includes another. The recorder's own token, in `.semantest/recorder.json`, has them all. Without a token there
is nothing but the two probes, unless `--allow-anonymous` gives `ingest` and `read` (loopback only).

Without a valid token: HTTP 401. With one that lacks the role: HTTP 403, or `FORBIDDEN` on the WebSocket. A route that
is in no table is told to holders of a token only. When a token is revoked or expires, its connections close (1008).

## HTTP

{table(("route", "needs"), routes)}

## Messages on the WebSocket

{table(("type", "needs"), messages)}

A `request` also needs the role of its method; a command that is a message of its own needs the same.

## Methods and commands

{table(("name", "needs"), commands)}
"""


#: The classes of the embedding API in the order of the page, and how one gets an object of each.
EMBEDDING = {
    "OrchestratorIntegration": "`create_orchestrator_integration(...)` gives it.",
    "Orchestrator": "`system.get_orchestrator()`",
    "TestStateManager": "`system.get_orchestrator().get_state_manager()`",
    "Persistence": "`system.get_persistence()`",
    "SecurityMiddleware": "`system.get_security()`",
    "WebSocketHandlers": "`system.create_websocket_handlers()`",
    "WebSocket": "What your server gives to `handlers.serve`.",
    "EventsNotSavedError": "",
}


def signature_text(function: Callable[..., Any]) -> str:
    """A signature as it stands in the code."""
    found = inspect.signature(function)
    parts: list[str] = []
    for parameter in found.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else stars
        parts.append(f"{stars}{parameter.name}: {parameter.annotation}{default}")
    return f"{function.__name__}({', '.join(parts)}) -> {found.return_annotation}"


def api_text(thing: object) -> str:
    """A docstring as Markdown."""
    return inspect.cleandoc(inspect.getdoc(thing) or "").replace("``", "`")


def function_section(function: Callable[..., Any], level: str) -> str:
    """How a function is called, and what it says of itself."""
    how = "await " if inspect.iscoroutinefunction(function) else ""
    how = "async for ... in " if inspect.isasyncgenfunction(function) else how
    return f"{level} `{function.__name__}`\n\n```python\n{how}{signature_text(function)}\n```\n\n{api_text(function)}"


def class_section(kind: type, origin: str = "") -> str:
    """A class, how one gets an object of it, and its methods."""
    parts = [part for part in (f"## `{kind.__name__}`", origin, api_text(kind)) if part]
    members = [getattr(found, "__func__", found) for key, found in vars(kind).items() if not key.startswith("_")]
    parts += [function_section(found, "###") for found in members if inspect.isfunction(found)]
    return "\n\n".join(parts)


def client_page() -> str:
    """The Python clients, from their docstrings."""
    calls = [
        f"- `{signature_text(getattr(found, '__func__', found))}`"
        for name, found in vars(Client).items()
        if not name.startswith("_")
    ]
    errors = (CommandError, EventsRefusedError, NotConnectedError)
    told = [f"- `{error.__name__}`: {cell(api_text(error))}" for error in errors]
    made = f"`AsyncClient({signature_text(AsyncClient.__init__).partition('(')[2].partition(') ->')[0]})`"
    return f"""{NOTE}
# Python clients

`from semantest_recorder.client import AsyncClient, Client`. How they are used: [guide/clients.md](../guide/clients.md).

Both raise, all of them a `ClientError` with the `code` of [errors.md](errors.md):

{chr(10).join(told)}

{class_section(AsyncClient, made)}

## `Client`

{api_text(Client)} It is made as `AsyncClient` is, and has the same calls:

{chr(10).join(calls)}
"""


def embedding_page() -> str:
    """Every class and method of the embedding API."""
    parts = [function_section(embedding.create_orchestrator_integration, "##")]
    parts += [class_section(getattr(embedding, name), origin) for name, origin in EMBEDDING.items()]
    parts.append(function_section(embedding.aiohttp_routes, "##"))
    return f"""{NOTE}
# Embedding

`from semantest_recorder.embedding import create_orchestrator_integration`; [the guide](../guide/embedding.md) says how
it is used. What stands behind `await` is a coroutine: without it nothing happens. Times are in milliseconds since 1970.

{(chr(10) * 2).join(parts)}
"""


def view_section(name: str, view: View) -> str:
    """A public view: its columns, and what can be asked of it."""
    rows = ((f"`{column}`", kind_of(column), cell(text)) for column, text in view.columns.items())
    columns = table(("column", "kind", "meaning"), rows)
    examples = (f"{what}:\n\n```sql\n{sql}\n```" for what, sql in view.examples.items())
    return "\n\n".join((f"## `{name}`", view.text, columns, *examples))


def sql_page() -> str:
    """Every public view."""
    sections = (view_section(name, view) for name, view in VIEWS.items())
    return f"""{NOTE}
# SQL

`semantest sql "SELECT ..."` asks these views of `.semantest/semantest.db`; [the guide](../guide/sql.md) shows how. They
are public, version {VIEWS_VERSION}: within a version views, and columns at the end of one, are only added; so name the
columns that you want instead of counting them. What is removed or gets another meaning makes a new version, which the
change log tells. The tables behind them are not public, and change with any release.

Columns that end in `_ms` are milliseconds: moments since 1970 in UTC (`datetime(started_ms / 1000, 'unixepoch')` is one
to read), durations as they are. What is not known is NULL. Names, messages and payloads are what tests said: text that
nobody should trust. `run` and `test` join the views with each other.

{(chr(10) * 2).join(sections)}
"""


def metrics_page() -> str:
    """Every metric, by group."""
    parts = []
    for group, metrics in CATALOGUE.items():
        rows = (
            (f"`{metric.name}`", metric.kind, " ".join(f"`{label}`" for label in metric.labels), cell(metric.help))
            for metric in metrics
        )
        parts.append(f"## {group}\n\n{table(('metric', 'kind', 'labels', 'meaning'), rows)}")
    return f"""{NOTE}
# Metrics

`GET /metrics` of a recorder, for Prometheus; it needs a token of the role `read`. [The guide](../guide/monitoring.md)
says how it is scraped. The answer is Prometheus' text format, or OpenMetrics for who asks for it by `Accept`.

Times are in seconds, sizes in bytes. What counts begins at 0 with each start of the recorder. A histogram has
`_bucket`, `_sum` and `_count`. No label holds anything that a client chose: there is no id of a run or test, no
branch and no name of a token, and the number of series is bounded.

{(chr(10) * 2).join(parts)}
"""


def hazards_section() -> str:
    """What is done to it on purpose, and the test files that do it."""
    found: dict[int, set[str]] = {number: set() for number in HAZARDS}
    for file in sorted(TESTS.rglob("test_*.py")):
        for number in re.findall(r"mark\.hazard\((\d+)\)", file.read_text(encoding="utf-8")):
            found[int(number)].add(f"`{file.relative_to(TESTS).with_suffix('')}`")
    rows = [(str(number), cell(text), ", ".join(sorted(found[number]))) for number, text in HAZARDS.items()]
    text = table(("", "hazard", "tests"), rows)
    return f"## Hazards\n\nEach is done for real, by tests that `make test` runs.\n\n{text}"


def mcp_page() -> str:
    """What `semantest mcp` can be asked."""
    rules = (
        "How to set it up: [the guide](../guide/agents.md). Every tool only reads. Each answer is a text, with data of "
        "tests behind `|`, and an object, each within `max_tokens`; `leftOut` in an object counts what was cut from "
        "its lists, `notes` say what else is to be known. Fields are only added. Arguments that are wrong, and names "
        "that nothing has, are errors of the tool that say what is near."
    )
    parts = [
        f"# Tools of `semantest mcp`\n\n{NOTE}\n\n{rules}\n",
        f"The server tells its client: *{INSTRUCTIONS}*\n",
        *(_tool_section(name, tool) for name, tool in TOOLS.items()),
    ]
    return "\n".join(parts)


def _tool_section(name: str, tool: Tool) -> str:
    schema = input_schema(tool.question)
    required = schema.get("required", [])
    lines = [
        f"## {name}\n",
        f"{tool.description}\n",
        "| argument | holds | means | unless given |",
        "|---|---|---|---|",
    ]
    for argument, told in schema["properties"].items():
        held = next((one for one in told.get("anyOf", [told]) if one.get("type") != "null"), told)
        usual = "needed" if argument in required else f"`{told['default']}`" if told.get("default") else ""
        kind = ", ".join(f"`{one}`" for one in held["enum"]) if "enum" in held else held["type"]
        bounds = [f"{word} {held[key]:,}" for word, key in (("from", "minimum"), ("to", "maximum")) if key in held]
        lines.append(f"| `{argument}` | {' '.join([kind, *bounds])} | {held['description']} | {usual} |")
    return "\n".join([*lines, "", f"Its object: {tool.shape}.", ""])


def pages() -> dict[Path, str]:
    """Text by file."""
    reference = {
        "configuration.md": configuration_page(),
        "options.md": options_page(),
        "cli.md": commands_page(),
        "roles.md": roles_page(),
        "client.md": client_page(),
        "embedding.md": embedding_page(),
        "sql.md": sql_page(),
        "metrics.md": metrics_page(),
        "mcp.md": mcp_page(),
        "rest.md": rest_page(NOTE),
    }
    reference |= {page_name(command): schema_text(command) for command in PRINTED}
    reliability = with_section(RELIABILITY.read_text(encoding="utf-8"), "hazards", hazards_section())
    return {REFERENCE / name: text for name, text in reference.items()} | {RELIABILITY: reliability}


def main() -> int:
    """Writes or checks; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    stale = 0
    for page, text in pages().items():
        if page.exists() and page.read_text(encoding="utf-8") == text:
            continue
        if options.check:
            stale = 1
            print(f"docs/{page.relative_to(DOCS)} is not current: run `make docs`")
        else:
            REFERENCE.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
            print(f"docs/{page.relative_to(DOCS)} written")
    return stale


if __name__ == "__main__":
    sys.exit(main())
