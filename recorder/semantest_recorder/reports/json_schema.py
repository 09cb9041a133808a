"""The JSON schemas of what commands print, from their types; ``docs/generate.py`` writes their pages."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from semantest_recorder.reports.alert_overview import AlertOverview
from semantest_recorder.reports.alias_list import AliasList
from semantest_recorder.reports.blame_report import BlameReport
from semantest_recorder.reports.failure_list import FailureList
from semantest_recorder.reports.flaky_list import FlakyList
from semantest_recorder.reports.gate_result import GateResult
from semantest_recorder.reports.history_of_test import TestHistory
from semantest_recorder.reports.report import REPORT_SCHEMA, Report
from semantest_recorder.reports.run_diff import RunDiff
from semantest_recorder.reports.slower_list import SlowerList
from semantest_recorder.reports.slowest_list import SlowestList
from semantest_recorder.reports.trend_table import Trends

#: What ``semantest <command> --json`` prints.
PRINTED: Final[dict[str, type]] = {
    "report": Report,
    "flaky": FlakyList,
    "slowest": SlowestList,
    "slower": SlowerList,
    "trends": Trends,
    "diff": RunDiff,
    "failures": FailureList,
    "history": TestHistory,
    "blame": BlameReport,
    "alias list": AliasList,
    "gate": GateResult,
    "alerts": AlertOverview,
}


def json_schema(command: str) -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of what ``command`` prints."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"semantest {command} --json, version {REPORT_SCHEMA}",
        **msgspec.json.schema(PRINTED[command]),
    }


def schema_text(command: str) -> str:
    """The schema as its page holds it."""
    return msgspec.json.format(msgspec.json.encode(json_schema(command)), indent=2).decode() + "\n"


def page_name(command: str) -> str:
    """The name of its page."""
    return f"{command.replace(' ', '-')}.schema.json"
