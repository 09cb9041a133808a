"""The reference of the recorder's plugins is complete, and the guide's example is a plugin."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from semantest_recorder.core.security import KEPT_TYPES
from semantest_recorder.plugins import Context, Failure, Run, Suite, Test
from semantest_recorder.plugins.builtin import BUILTIN, DEFAULT
from semantest_recorder.plugins.builtin.console import ConsoleOptions
from semantest_recorder.plugins.builtin.event_filter import FilterOptions
from semantest_recorder.plugins.builtin.json_report import JsonReportOptions
from semantest_recorder.plugins.builtin.otel import OtelOptions
from semantest_recorder.plugins.builtin.performance import PerformanceOptions
from semantest_recorder.plugins.builtin.retry import RetryOptions
from semantest_recorder.plugins.builtin.screenshots import ScreenshotOptions
from semantest_recorder.plugins.event import FIXED_FIELDS
from semantest_recorder.plugins.hookspecs import HOOKS
from semantest_recorder.plugins.registry import PluginRegistry

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference" / "plugins.md").read_text(encoding="utf-8")
OPTIONS: dict[str, type[msgspec.Struct]] = {
    "console": ConsoleOptions,
    "json-report": JsonReportOptions,
    "screenshots": ScreenshotOptions,
    "retry": RetryOptions,
    "performance": PerformanceOptions,
    "opentelemetry": OtelOptions,
    "event-filter": FilterOptions,
}


def row(name: str) -> list[str]:
    """The cells of the table row that begins with this name."""
    found = re.search(rf"^\| `{re.escape(name)}`.*\|$", PAGE, re.MULTILINE)
    assert found is not None, f"{name} is not in the reference"
    return [cell.strip() for cell in found[0].strip("|").split(" | ")]


def test_every_hook_is_in_the_reference_in_its_order() -> None:
    section = PAGE.partition("## Hooks")[2].partition("## Arguments")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == HOOKS


@pytest.mark.parametrize("kind", [Run, Suite, Test, Failure, Context], ids=lambda kind: kind.__name__)
def test_every_field_of_an_argument_is_in_the_reference(kind: Any) -> None:
    described = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else msgspec.structs.fields(kind)
    assert row(kind.__name__)[1].strip("`").split() == [field.name for field in described]


def test_what_cannot_be_dropped_or_changed_is_in_the_reference() -> None:
    section = PAGE.partition("## Hooks")[2].partition("## Arguments")[0]
    words = set(re.findall(r"[\w/]+", " ".join(re.findall(r"`([^`]+)`", section.replace("\n", " ")))))
    assert words >= KEPT_TYPES
    assert " ".join(FIXED_FIELDS) in section


@pytest.mark.parametrize("name", list(BUILTIN))
def test_every_option_of_a_built_in_plugin_is_in_the_reference(name: str) -> None:
    cells = row(name)
    assert ("(on)" in cells[0]) == (name in DEFAULT)
    named = re.findall(r"`(\w+)` \(", cells[1])
    assert named == [field.name for field in msgspec.structs.fields(OPTIONS[name])]


def test_the_example_of_the_guide_is_a_plugin() -> None:
    guide = (DOCS / "guide" / "plugins.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", guide, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    registry = PluginRegistry()
    registry.register(names["Team"](), "team")
    assert [hook for hook in HOOKS if registry.calls(hook)] == ["initialize", "on_event", "after_test_run"]
