"""``semantest dump``: what was recorded as data files, for analysis elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click
import msgspec

from pytest_semantest.protocol.layout import DATABASE
from pytest_semantest.protocol.whole_file import open_whole, write_whole
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.moment import Moment
from semantest_recorder.cli.near_choice import NearChoice
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, NothingRecorded, Stop
from semantest_recorder.core.views import VIEWS, VIEWS_VERSION

if TYPE_CHECKING:
    from semantest_recorder.cli.progress import Progress
    from semantest_recorder.reports.row_forms import Portions
    from semantest_recorder.store.dumping import DumpSource

#: Version of ``dump.json``, which is what `--json` prints: fields are only added within one.
SCHEMA: Final = 1
#: Says what the folder holds; the last file that is written.
MANIFEST: Final = "dump.json"
FORMATS: Final = ("csv", "jsonl", "parquet")
TABLES: Final = tuple(name.removeprefix("v_") for name in VIEWS)
#: What is written when no table is named: not what follows from the others, and not the log.
USUAL: Final = tuple(name for name in TABLES if name not in ("errors", "durations", "flaky", "events"))

Write = Callable[[str, BinaryIO, "Portions"], None]


class Written(msgspec.Struct, rename="camel"):
    """A file of a dump."""

    file: str
    rows: int
    bytes: int


@click.command(
    "dump",
    short_help="Write what was recorded as data files.",
    epilog=help_end(
        "semantest dump --format parquet history/",
        "semantest dump --format csv --since 30d --table results --table runs month/",
        "semantest dump --format jsonl --runs 10 --force last-runs/",
        exit_codes="0 written, 1 it cannot be written, 2 wrong usage or files are there, 3 no such run",
    ),
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "form",
    type=NearChoice("format", FORMATS),
    metavar="|".join(FORMATS),
    required=True,
    help="Parquet needs pyarrow.",
)
@click.option(
    "--table",
    "tables",
    type=NearChoice("table", TABLES),
    metavar="TABLE",
    multiple=True,
    help=f"One of {', '.join(TABLES)}; can be repeated.  [default: {', '.join(USUAL)}]",
)
@click.option("--since", type=Moment(), help="Only runs that started then or later: 30d, 2026-11-21.")
@click.option("--runs", "most", type=Number(min=1), help="Only so many runs, the newest.")
@click.option("--force", is_flag=True, help="Replace files of an earlier dump.")
@directory_option
@json_option
@sync_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    folder: Path,
    form: str,
    tables: tuple[str, ...],
    since: float | None,
    most: int | None,
    force: bool,
    directory: str | None,
    as_json: bool,
    sync_timeout: float,
) -> None:
    """Write a file for each table to the folder DIR, which is made if it is not there.

    The tables are the public views of docs/reference/sql.md, all of one moment, whatever is recorded meanwhile. Each
    file appears when it is whole, and `dump.json`, which names them with their rows, when all are. Texts are written as
    tests said them: a spreadsheet takes some for formulas, `semantest sql --csv` is for that.
    """
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415
    from semantest_recorder.cli.progress import progress  # noqa: PLC0415
    from semantest_recorder.store.dumping import DumpSource  # noqa: PLC0415

    write = _writer(form)
    chosen = tables or USUAL
    project = project_folder(directory)
    take_in_and_tell(project, sync_timeout)
    with closing(DumpSource(project / DATABASE)) as source, progress("Writing") as told:
        runs = source.runs(since, most)
        if not runs:
            raise NothingRecorded("no run is that new: give --since an earlier time" if since else "no run yet")
        _prepare(folder, [*(f"{name}.{form}" for name in chosen), MANIFEST], force=force)
        every = since is None and most is None
        dump = _Dump(source, None if every else runs, folder, told)
        try:
            written = dump.write({name: f"{name}.{form}" for name in chosen}, write)
            manifest = _manifest(form, runs, written)
            write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n", mode=0o666)
        except OSError as error:
            raise Stop(f"cannot write {error.filename or folder}: {error.strerror}; what is whole stays") from None
    _tell(folder, manifest, as_json=as_json)


class _Dump:
    """Writes the tables of one state of the database."""

    def __init__(self, source: DumpSource, runs: Sequence[str] | None, folder: Path, told: Progress) -> None:
        self._source, self._runs, self._folder, self._told = source, runs, folder, told
        self._done = self._rows = 0

    def write(self, files: dict[str, str], write: Write) -> dict[str, Written]:
        """What was written, by table."""
        self._rows = sum(self._source.count(f"v_{table}", self._runs) for table in files)
        return {table: self._write(f"v_{table}", file, write) for table, file in files.items()}

    def _write(self, view: str, file: str, write: Write) -> Written:
        before = self._done
        with open_whole(self._folder / file, mode=0o666) as stream:
            write(view, stream, self._counted(view))
        return Written(file, self._done - before, (self._folder / file).stat().st_size)

    def _counted(self, view: str) -> Portions:
        for rows in self._source.rows(view, self._runs):
            yield rows
            self._done += len(rows)
            self._told(self._done, self._rows)


def _writer(form: str) -> Write:
    """What writes the rows of a view. Raises ``Stop`` when pyarrow is not there."""
    from semantest_recorder.reports import parquet, row_forms  # noqa: PLC0415

    if form == "parquet":
        if not parquet.is_there():
            install = "pip install 'pytest-semantest[parquet]'"
            raise Stop(f"Parquet needs pyarrow, which is not there: `{install}`, or take --format jsonl", EXIT_USAGE)
        return lambda view, stream, portions: parquet.write_parquet(stream, VIEWS[view], portions)
    parts = row_forms.csv_data if form == "csv" else row_forms.json_lines

    def write(view: str, stream: BinaryIO, portions: Portions) -> None:
        stream.writelines(parts(list(VIEWS[view].columns), portions))

    return write


def _prepare(folder: Path, files: list[str], *, force: bool) -> None:
    """Makes the folder; without ``force`` none of the files may be there. An old manifest goes: it is not true now."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [name for name in files if (folder / name).exists()]
        if there and not force:
            raise Stop(f"{folder / there[0]} is there: name another folder, or replace it with --force", EXIT_USAGE)
        (folder / MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise Stop(f"cannot write to {folder}: {error.strerror}; name a folder that you may write to") from None


def _manifest(form: str, runs: list[str], written: dict[str, Written]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "viewsVersion": VIEWS_VERSION,
        "format": form,
        "runs": len(runs),
        "firstRun": runs[0],
        "lastRun": runs[-1],
        "tables": written,
    }


def _tell(folder: Path, manifest: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(manifest)
        return
    from semantest_recorder.reports.inert import inert_line  # noqa: PLC0415
    from semantest_recorder.reports.wording import plural, size  # noqa: PLC0415

    width = max(len(written.file) for written in manifest["tables"].values())
    for written in manifest["tables"].values():
        click.echo(f"  {written.file:<{width}}  {plural(written.rows, 'row')}, {size(written.bytes)}")
    click.echo(f"wrote {plural(manifest['runs'], 'run')} to {inert_line(str(folder))}")
