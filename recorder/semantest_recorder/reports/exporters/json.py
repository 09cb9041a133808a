"""``json``: the document of ``semantest report --json``, written test by test."""

from __future__ import annotations

from typing import BinaryIO

from semantest_recorder.reports.exporters.exporter import ExportedRun, ExportOptions, Runs
from semantest_recorder.reports.json_text import json_text
from semantest_recorder.reports.report import REPORT_SCHEMA


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:  # noqa: ARG001 - an Exporter
    """One run as its document; several as ``{"schema": 1, "reports": [...]}`` with the document of each."""
    if len(runs) == 1:
        for run in runs:
            _write(run, stream)
    else:
        stream.write(b'{"schema":%d,"reports":[' % REPORT_SCHEMA)
        for number, run in enumerate(runs):
            stream.write(b",\n" if number else b"\n")
            _write(run, stream)
        stream.write(b"\n]}")
    stream.write(b"\n")


def _write(run: ExportedRun, stream: BinaryIO) -> None:
    report = run.report
    stream.write(b'{"schema":%d,"run":%b,' % (report.schema, json_text(report.run)))
    stream.write(b'"counts":%b,"tests":[' % json_text(report.counts))
    for number, test in enumerate(run.tests()):
        stream.write(b"," if number else b"")
        stream.write(json_text(test))
    stream.write(b'],"suites":%b,"warnings":%b,' % (json_text(report.suites), json_text(report.warnings)))
    stream.write(b'"chain":%b}' % json_text(report.chain))
