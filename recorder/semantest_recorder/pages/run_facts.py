"""What is worth knowing of a run besides its tests, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pytest_semantest.protocol.identity import CLIENT_WORKER, MAIN_WORKER, SHIPPER_WORKER
from semantest_recorder.pages.run_words import counted
from semantest_recorder.reports.report import RunInfo
from semantest_recorder.reports.wording import duration

_NO_WORKERS = (MAIN_WORKER, SHIPPER_WORKER, CLIENT_WORKER)
#: So many jobs are named.
_JOBS = 4


class Fact(NamedTuple):
    """A fact and its name; ``address``: where more of it is, outside."""

    name: str
    text: str
    address: str | None = None


def web_address(told: object) -> str | None:
    """An address that may be a link: one of the web. What somebody recorded may be ``javascript:`` as well."""
    return told if isinstance(told, str) and told.lower().startswith(("https://", "http://")) else None


def run_facts(run: RunInfo) -> list[Fact]:
    """Who, where, how: those that are known, in the order in which they are read."""
    return [*_commit(run), *_ci(run), *_processes(run), *_selection(run), *_environment(run), *_labels(run)]


def _commit(run: RunInfo) -> Iterator[Fact]:
    git = run.git or {}
    if subject := _text(git.get("subject")):
        yield Fact("Subject", subject)
    if author := _text(git.get("author")):
        yield Fact("Author", author)
    if git.get("dirty") is True:
        yield Fact("Work tree", "with changes that are in no commit")


def _ci(run: RunInfo) -> Iterator[Fact]:
    ci = run.ci or {}
    provider = _text(ci.get("provider"))
    if build := web_address(ci.get("buildUrl")):
        yield Fact("CI", provider or "build", build)
    elif provider:
        yield Fact("CI", provider)
    if request := _text(ci.get("pullRequest")):
        yield Fact("Pull request", request)


def _processes(run: RunInfo) -> Iterator[Fact]:
    workers = [source for source in run.sources if source.worker not in _NO_WORKERS]
    asked, mode = ((run.distribution or {}).get(name) for name in ("workers", "mode"))
    if workers:
        number = asked if run.sessions == 1 and isinstance(asked, int) and asked > 0 else len(workers)
        yield Fact("Workers", str(number) + (f" ({mode})" if isinstance(mode, str) else ""))
    jobs = list(dict.fromkeys(source.job for source in run.sources if source.job is not None))
    if jobs:
        more = f" and {len(jobs) - _JOBS} more" if len(jobs) > _JOBS else ""
        yield Fact("Jobs", ", ".join(jobs[:_JOBS]) + more)
    if run.exit_code is not None:
        yield Fact("Exit code", str(run.exit_code))
    if run.origin != "pytest":
        yield Fact("Recorded by", "a program of its own" if run.origin == "client" else "an import")
    for file in run.imported_from[:3]:
        yield Fact("Imported from", f"{file.name} ({file.format} of {file.tool})")


def _selection(run: RunInfo) -> Iterator[Fact]:
    if run.deselected:
        yield Fact("Deselected", counted(run.deselected, "test"))
    found = [shard for one in run.selections if (shard := one.shard) is not None]
    if len(found) == 1:
        yield Fact("Shard", f"{found[0]['index']} of {found[0]['of']}")
    elif run.shards is not None:
        yield Fact("Shards", f"{len(run.shards.seen)} of {run.shards.of}")
    for one in run.selections[:1]:
        if one.budget is not None:
            yield Fact("Budget", duration(one.budget["limitMs"]))
        if one.order is not None:
            yield Fact("Order", one.order)
        if one.repeat is not None and one.repeat.get("tests"):
            yield Fact("Repeated", f"{counted(one.repeat['tests'], 'new test')} up to {one.repeat['times']} times")


def _environment(run: RunInfo) -> Iterator[Fact]:
    environment = run.environment or {}
    if python := _text(environment.get("python")):
        yield Fact("Python", python)
    if platform := _text(environment.get("platform")):
        yield Fact("Platform", platform)


def _labels(run: RunInfo) -> Iterator[Fact]:
    for name, value in sorted(run.labels.items()):
        yield Fact(name, value)


def _text(told: object) -> str | None:
    return str(told) if isinstance(told, str | int) and not isinstance(told, bool) and told != "" else None
