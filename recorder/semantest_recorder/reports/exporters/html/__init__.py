"""``html``: a run as one page that needs nothing beside itself (docs/design/html-report.md)."""

from __future__ import annotations

from typing import BinaryIO

from semantest_recorder.reports.exporters.exporter import ExportOptions, Runs, every_test, only_run
from semantest_recorder.reports.exporters.html.page import page_parts
from semantest_recorder.reports.rerun import rerun_command


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:
    """The page of one run, every test with all that is known of it."""
    run = only_run(runs)
    # Who reads the page stands nobody knows where: the command is that for the run's own folder.
    rerun = rerun_command(run.report, "")
    parts = page_parts(run.report, run.tests(every_test), rerun, pictures=options.pictures)
    stream.writelines(part.encode() for part in parts)
