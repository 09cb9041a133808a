"""``semantest sql``: what was recorded, asked in SQL."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, project_folder, sync_option
from semantest_recorder.cli.seconds import Seconds
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.core.views import VIEWS

if TYPE_CHECKING:
    from semantest_recorder.reports.row_forms import Portions
    from semantest_recorder.store.asking import Asking, Value

#: What a shell gives a program that Ctrl-C ended.
_EXIT_INTERRUPTED: Final = 130
_LIMIT_MAX: Final = 10**12
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?", re.ASCII)


class Parameter(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """``name=value`` for a query: a number when the value looks like one, else text."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Value]:
        """As click wants it."""
        name, equals, text = str(value).partition("=")
        name = name.strip().lstrip(":")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            self.fail(f"{value!r} is no parameter: write -p name=value for :name in the query", param, ctx)
        if _NUMBER.fullmatch(text):
            return name, float(text) if "." in text else int(text)
        return name, text


def complete_view(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The query with its last word made the name of a view, or of a column of a view that is named before."""
    head, word = re.fullmatch(r"(.*?)(\w*)", incomplete, re.DOTALL | re.ASCII).groups()  # type: ignore[union-attr]
    named = [column for name, view in VIEWS.items() if re.search(rf"\b{name}\b", head) for column in view.columns]
    return [head + name for name in dict.fromkeys([*VIEWS, *named]) if name.startswith(word)]


@click.command(
    "sql",
    short_help="Ask what was recorded in SQL.",
    epilog=help_end(
        'semantest sql "SELECT test, rate FROM v_flaky ORDER BY rate DESC LIMIT 10"',
        "semantest sql v_runs --limit 5",
        'semantest sql "SELECT * FROM v_errors WHERE test = :test" -p test=tests/test_cart.py::test_total --json',
        "semantest sql -f slow_suites.sql --csv > slow_suites.csv",
        "semantest sql --schema v_results",
        exit_codes="0 answered, 1 failed or took too long, 2 wrong SQL or usage, 3 nothing recorded, 130 interrupted",
    ),
)
@click.argument("query", required=False, shell_complete=complete_view)
@directory_option
@click.option("--json", "form", flag_value="json", help="Print JSON instead of a table.")
@click.option("--jsonl", "form", flag_value="jsonl", help="Print a JSON object per row, one per line.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with a head line, safe for spreadsheets.")
@click.option("-f", "--file", type=click.File("rb"), help="Read the query from FILE; - is stdin.")
@click.option(
    "-p", "--param", "parameters", type=Parameter(), multiple=True, metavar="NAME=VALUE", help="Value of :NAME."
)
@click.option("--schema", is_flag=True, help="List the views with their columns; with a view's name that one only.")
@click.option(
    "--limit",
    type=Number(min=0, max=_LIMIT_MAX),
    default=1000,
    show_default=True,
    help="Rows of a table; 0 shows all. Not for --json.",
)
@click.option(
    "--timeout",
    type=Seconds(),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the query may take; 0 is any time.",
)
@sync_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    query: str | None,
    directory: str | None,
    form: str | None,
    file: Any,
    parameters: tuple[tuple[str, Value], ...],
    schema: bool,
    limit: int,
    timeout: float,
    sync_timeout: float,
) -> None:
    """Ask the recorded runs in SQL (SQLite's); nothing can be changed by it.

    QUERY is a SELECT over the public views, or the name of one for all of it; `--schema` lists them, the reference
    (docs/reference/sql.md) has an example for each.
    """
    if schema:
        _print_schema(query, as_json=form == "json")
        return
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415
    from semantest_recorder.store.asking import Asking, Interrupted, SqlMistake  # noqa: PLC0415

    sql = _sql(query, file)
    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    try:
        with closing(Asking(folder / DATABASE, timeout)) as asking, _interrupted_by_signal(asking):
            columns, portions = asking.ask(sql, dict(parameters))
            _print(form, limit, columns, portions)
    except SqlMistake as mistake:
        raise Stop(str(mistake), EXIT_USAGE) from None
    except Interrupted as interrupted:
        raise Stop(str(interrupted), _EXIT_INTERRUPTED) from None


def _sql(query: str | None, file: Any) -> str:
    """What is asked. Raises ``Stop`` when it is given twice, or not at all."""
    if query is not None and file is not None:
        raise Stop("the query is given twice: as an argument, or with --file", EXIT_USAGE)
    if file is not None or (query is None and not sys.stdin.isatty()):
        try:
            query = (file or sys.stdin.buffer).read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Stop("the query is no text: a file of SQL in UTF-8 is wanted", EXIT_USAGE) from None
    if not (query or "").strip():
        raise Stop("no query: give one, such as `semantest sql v_runs`; --schema lists the views", EXIT_USAGE)
    return f"SELECT * FROM {query}" if query in VIEWS else str(query)  # noqa: S608 - the name is one of ours


@contextmanager
def _interrupted_by_signal(asking: Asking) -> Iterator[None]:
    """Ctrl-C ends the query; once more, and the command ends at once."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        asking.interrupt()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _print(form: str | None, limit: int, columns: list[str], portions: Portions) -> None:
    from semantest_recorder.cli.export_target import STDOUT, target  # noqa: PLC0415
    from semantest_recorder.reports import row_forms  # noqa: PLC0415

    forms: dict[str | None, Callable[[list[str], Portions], Iterator[bytes]]] = {
        "json": row_forms.json_parts,
        "jsonl": row_forms.json_lines,
        "csv": row_forms.csv_parts,
    }
    if form is None:
        _print_table(limit, columns, portions)
        return
    with target(STDOUT) as stream:
        for part in forms[form](columns, portions):
            stream.write(part)


def _print_table(limit: int, columns: list[str], portions: Portions) -> None:
    from semantest_recorder.cli.console import print_lines, terminal_width  # noqa: PLC0415
    from semantest_recorder.reports.row_forms import table_lines  # noqa: PLC0415

    lines = table_lines(columns, portions, terminal_width())
    print_lines(islice(lines, limit + 1) if limit else lines)
    if limit and next(lines, None) is not None:
        say_note(f"there are more than {limit} rows: --limit 0 shows all, and so do --csv and --jsonl")


def _print_schema(name: str | None, *, as_json: bool) -> None:
    from semantest_recorder.cli.console import print_json, print_lines  # noqa: PLC0415
    from semantest_recorder.reports.view_lines import schema_document, view_lines  # noqa: PLC0415

    if name is not None and name not in VIEWS:
        import difflib  # noqa: PLC0415 - for mistakes only

        near = difflib.get_close_matches(name, VIEWS, 3, 0.4)
        raise Stop(f"there is no view {name!r}: {_hint(near)}", EXIT_USAGE)
    views = VIEWS if name is None else {name: VIEWS[name]}
    if as_json:
        print_json(schema_document(views))
    else:
        print_lines(view_lines(views))


def _hint(near: list[str]) -> str:
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(VIEWS)}"
