"""The JSON schema of ``semantest report --json``: ``python -m semantest_recorder.reports.json_schema [FILE]``.

Writes ``docs/reference/report.schema.json`` anew from the types; a test holds that the page is current.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.reports.report import REPORT_SCHEMA, Report


def report_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of a report."""
    schema = msgspec.json.schema(Report)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"semantest report --json, version {REPORT_SCHEMA}",
        **schema,
    }


def schema_text() -> str:
    """The schema as the page holds it."""
    return msgspec.json.format(msgspec.json.encode(report_schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference/report.schema.json").write_text(schema_text(), "utf-8")
