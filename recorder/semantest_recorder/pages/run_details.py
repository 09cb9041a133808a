"""``/runs/{run}/details``: where and how a run ran, what its processes said of it, its log, and files of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from semantest_recorder.answers.run_details import LogEvent, RunDetails, events_of_run, run_details
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.run_facts import web_address
from semantest_recorder.pages.run_head import as_of, run_head, run_stamp
from semantest_recorder.pages.run_words import counted
from semantest_recorder.pages.table import Cell, Table
from semantest_recorder.pages.words import run_address
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.exporters.formats import FORMATS
from semantest_recorder.reports.report import RunInfo
from semantest_recorder.reports.wording import duration

_EVENTS_SHOWN: Final = 50
#: Of a payload that is shown, and of one in a table that is taken away.
_CHARACTERS: Final = 4000
_EXPORTED, _EXPORTED_CHARACTERS = 100_000, 100_000
#: Types of the events that are not about tests.
_TYPES: Final = (
    *("run/start", "run/plan", "run/context", "run/selection", "run/left-out", "run/expect", "run/cancel", "run/end"),
    *("worker/start", "worker/end", "worker/crash", "shipper/start", "collect/error", "journal/gap"),
)
_COLUMNS: Final = ("time", "source", "seq", "type", "payload")


class Fact(NamedTuple):
    """Something that is known; ``address``: where it leads, ``is_code``: it is to be read letter by letter."""

    name: str
    value: str
    address: str = ""
    is_code: bool = False


class ShownEvent(NamedTuple):
    """An event and how its payload reads."""

    event: LogEvent
    text: str
    is_cut: bool


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    return [
        Page(
            "/runs/{run}/details", "run_details.html", "runs", *views, stamp=run_stamp(database), asks=("type", "after")
        )
    ]


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    head = run_head(database, visit, "details")
    head |= as_of(database, visit, head["run"])
    run_id = head["run"].id
    found = run_details(database, run_id)
    kind, after = visit.choice("type", ("", *_TYPES)), _after(visit)
    events = events_of_run(database, run_id, kind, after, _EVENTS_SHOWN + 1, _CHARACTERS)
    shown = events[:_EVENTS_SHOWN]
    return {
        **head,
        "found": found,
        "groups": {name: facts for name, facts in _groups(found).items() if facts},
        "packages": _packages(found.run),
        "files": [(name, one.title, run_address(run_id, "/export", format=name)) for name, one in FORMATS.items()],
        "events": [_shown(event) for event in shown],
        "next": visit.same(after=f"{shown[-1].source}:{shown[-1].seq}") if len(events) > len(shown) else "",
        "is_first": after is None,
        "types": _TYPES,
        "kind": kind,
        "plain": run_address(run_id, "/details"),
    }


def _table(database: Path, visit: Visit) -> Table:
    run_id = run_head(database, visit, "details")["run"].id
    kind = visit.choice("type", ("", *_TYPES))
    found = events_of_run(database, run_id, kind, None, _EXPORTED, _EXPORTED_CHARACTERS)
    rows: list[list[Cell]] = [[iso_time(one.time_ms), one.source, one.seq, one.type, one.payload] for one in found]
    return Table("events", _COLUMNS, rows)


def _after(visit: Visit) -> tuple[str, int] | None:
    text = visit.asked("after")
    source, _, seq = text.rpartition(":")
    if not text:
        return None
    if not (source and seq.isascii() and seq.isdigit() and len(seq) < 16):
        raise Misunderstood(f"after={text[:80]} names no event: it is source:seq")
    return source, int(seq)


def _groups(found: RunDetails) -> dict[str, list[Fact]]:
    run = found.run
    return {
        "Run": list(_run_facts(run)),
        "Checkout": list(_git_facts(run.git or {})),
        "CI": list(_ci_facts(run.ci or {})),
        "Environment": list(_environment_facts(run)),
        "Plan and selection": list(_plan_facts(run)),
        "Labels": [Fact(name, value) for name, value in sorted(run.labels.items())],
    }


def _run_facts(run: RunInfo) -> Iterator[Fact]:
    yield Fact("Id", run.id, is_code=True)
    if run.name:
        yield Fact("Name", run.name)
    yield Fact("Recorded by", {"client": "a client", "import": "an import"}.get(run.origin, "pytest"))
    for file in run.imported_from:
        yield Fact("Imported from", f"{file.name} ({file.format} of {file.tool})")
    if run.exit_code is not None:
        yield Fact("Exit code", str(run.exit_code))
    if run.stopped_early:
        yield Fact("Stopped early", run.stop_reason or "yes")
    if run.gaps:
        yield Fact("Missing", f"{counted(run.gaps, 'record')} cannot be read: see semantest doctor")
    if run.sessions > 1 or run.expected_sessions:
        of = f" of {run.expected_sessions}" if run.expected_sessions else ""
        yield Fact("Sessions", f"{run.sessions}{of}")
    for one in run.rerun_of:
        yield Fact("Reruns what is owed of", one, run_address(one), is_code=True)


def _git_facts(git: Mapping[str, Any]) -> Iterator[Fact]:
    yield from _told(git, ("branch", "Branch"), ("subject", "Subject"), ("author", "Author"))
    yield from _told(git, ("commit", "Commit"), ("remote", "Remote"), is_code=True)
    if git.get("dirty") is True:
        yield Fact("Changes", "there were some that are not in the commit")


def _ci_facts(ci: Mapping[str, Any]) -> Iterator[Fact]:
    yield from _told(ci, ("provider", "Provider"), ("branch", "Branch"), ("pullRequest", "Pull request"))
    yield from _told(ci, ("jobId", "Job"), ("jobName", "Job's name"), ("commit", "Commit"), is_code=True)
    url = ci.get("buildUrl")
    if isinstance(url, str) and url:
        yield Fact("Build", url, web_address(url) or "")


def _environment_facts(run: RunInfo) -> Iterator[Fact]:
    environment = run.environment or {}
    yield from _told(environment, ("python", "Python"), ("implementation", "Implementation"), ("platform", "Platform"))
    hosts = dict.fromkeys(source.host for source in run.sources if source.host)
    if hosts:
        yield Fact("Host", ", ".join(hosts))
    for name, value in (("Root folder", run.rootdir), ("Started in", run.cwd)):
        if value:
            yield Fact(name, value, is_code=True)


def _packages(run: RunInfo) -> list[tuple[str, str]]:
    packages = (run.environment or {}).get("packages")
    return sorted((name, str(told)) for name, told in packages.items()) if isinstance(packages, dict) else []


def _plan_facts(run: RunInfo) -> Iterator[Fact]:
    if run.args:
        yield Fact("Arguments", shlex.join(run.args), is_code=True)
    if run.planned:
        deselected = f", {run.deselected:,} deselected" if run.deselected else ""
        yield Fact("Planned", f"{counted(run.planned, 'test')}{deselected}")
    distribution = run.distribution or {}
    if distribution.get("workers"):
        mode = distribution.get("mode")
        yield Fact("Workers", str(distribution["workers"]) + (f" ({mode})" if mode else ""))
    if run.shards is not None:
        missing = f", missing: {', '.join(map(str, run.shards.missing))}" if run.shards.missing else ""
        yield Fact("Shards", f"{len(run.shards.seen)} of {run.shards.of}{missing}")
    for one in run.selections:
        if one.order is not None:
            yield Fact("Order", one.order)
        if one.shard is not None:
            yield Fact("Shard", f"{one.shard['index']} of {one.shard['of']}, of {one.collected:,} tests")
        if one.budget is not None:
            yield Fact("Budget", f"{duration(one.budget['limitMs'])}, left out {one.left_out.get('budget', 0):,} tests")
        if one.repeat is not None and one.repeat.get("tests"):
            yield Fact("New tests", f"{one.repeat['tests']} up to {one.repeat['times']} times")
    if run.quarantined:
        yield Fact("Quarantine", f"{counted(run.quarantined, 'bad test')} did not count")


def _told(told: Mapping[str, Any], *names: tuple[str, str], is_code: bool = False) -> Iterator[Fact]:
    for name, title in names:
        value = told.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            yield Fact(title, str(value), is_code=is_code)


def _shown(event: LogEvent) -> ShownEvent:
    """Payloads that came whole as indented JSON, others as they begin."""
    is_cut = event.characters > len(event.payload)
    text = event.payload
    if not is_cut:
        try:
            text = msgspec.json.format(text, indent=2)
        except (msgspec.MsgspecError, RecursionError):
            text = event.payload
    return ShownEvent(event, text, is_cut)
