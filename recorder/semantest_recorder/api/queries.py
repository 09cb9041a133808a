"""What the queries of routes may hold. Names in URLs are camelCase."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from semantest_recorder.answers.results import ResultOrder
from semantest_recorder.answers.runs import RunOrder
from semantest_recorder.answers.slower import USUAL_SINCE
from semantest_recorder.answers.slowest import By, Phase
from semantest_recorder.api.moments import AGE, MOMENT
from semantest_recorder.core.alerts.alert import State
from semantest_recorder.core.analysis.durations import Rank
from semantest_recorder.core.analysis.trend import Period

RunState = Literal["pending", "running", "passed", "failed", "cancelled", "interrupted", "timeout"]
TestState = Literal[
    "pending",
    "running",
    "passed",
    "failed",
    "error",
    "skipped",
    "xfailed",
    "xpassed",
    "flaky",
    "crashed",
    "timeout",
    "interrupted",
    "not_run",
    "lost",
]
#: Lists whose entries may stand in one value, with commas.
_COMMAS = {"commas": True}

Text = Annotated[str, Meta(max_length=1000)]
Branch = Annotated[str, Meta(max_length=1000, description="Of this branch only.")]
Fields = Annotated[list[str], Meta(description="Only these fields of each entry.", extra=_COMMAS)]
Cursor = Annotated[
    str, Meta(min_length=1, max_length=2000, pattern="^[A-Za-z0-9_-]+$", description="`next` of the page before.")
]
Limit = Annotated[int, Meta(ge=1, le=1000, description="How many at most.")]


class Query(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Base of all: a parameter that is not known is an error."""


class OneQuery(Query, frozen=True):
    """Of one thing."""

    fields: Fields = field(default_factory=list)


class RunsQuery(Query, frozen=True):
    """Which runs, and in which order."""

    state: Annotated[list[RunState], Meta(description="In one of these states.", extra=_COMMAS)] = field(
        default_factory=list
    )
    branch: Branch | None = None
    commit: Annotated[str, Meta(max_length=100, description="The beginning of a commit's id.")] | None = None
    label: Annotated[list[Text], Meta(description="`name=value`, or `name` with any value.")] = field(
        default_factory=list
    )
    q: Annotated[str, Meta(max_length=1000, description="Part of id, name, branch or commit.")] | None = None
    since: Annotated[str, Meta(pattern=MOMENT, description="Started then or later; `30d` ago, or ISO 8601.")] | None = (
        None
    )
    until: Annotated[str, Meta(pattern=MOMENT, description="Started before that.")] | None = None
    sort: RunOrder = "-started"
    limit: Limit = 50
    cursor: Cursor | None = None
    fields: Fields = field(default_factory=list)


class ResultsQuery(Query, frozen=True):
    """Which tests of a run, and in which order."""

    state: Annotated[list[TestState], Meta(description="In one of these states.", extra=_COMMAS)] = field(
        default_factory=list
    )
    worker: Annotated[str, Meta(max_length=200, description="That this worker ran last.")] | None = None
    suite: Annotated[str, Meta(max_length=1000, description="Of this file or class.")] | None = None
    q: Annotated[str, Meta(max_length=1000, description="Part of the test's id.")] | None = None
    sort: ResultOrder = "position"
    limit: Limit = 100
    cursor: Cursor | None = None
    fields: Fields = field(default_factory=list)


class EventsQuery(Query, frozen=True):
    """Which events of a run."""

    type: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=200)]],
        Meta(description="Exact, or such as `test/*`.", max_length=100, extra=_COMMAS),
    ] = field(default_factory=list)
    limit: Limit = 100
    cursor: Cursor | None = None
    fields: Fields = field(default_factory=list)


class TestsQuery(Query, frozen=True):
    """Which tests."""

    __test__ = False

    q: Annotated[str, Meta(max_length=1000, description="Part of the test's id.")] | None = None
    suite: Annotated[str, Meta(max_length=1000, description="Of this file or class.")] | None = None
    limit: Limit = 100
    cursor: Cursor | None = None
    fields: Fields = field(default_factory=list)


class AlertsQuery(Query, frozen=True):
    """Which alerts; silences and what could not be told are on every page."""

    state: Annotated[list[State], Meta(description="In one of these states.", extra=_COMMAS)] = field(
        default_factory=list
    )
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most; all unless given.")] | None = None
    cursor: Cursor | None = None
    fields: Fields = field(default_factory=list)


class HistoryQuery(Query, frozen=True):
    """Which runs of a test."""

    branch: Branch | None = None
    runs: Annotated[int, Meta(ge=1, le=1000, description="How many runs, the last ones.")] = 30


class BlameQuery(Query, frozen=True):
    """Where it is looked for."""

    branch: Annotated[str, Meta(max_length=1000, description="Default: that of the test's last run.")] | None = None
    runs: Annotated[int, Meta(ge=2, le=10_000, description="How many runs to go back.")] = 200


class DiffQuery(Query, frozen=True):
    """With which run; with none the one before of the same branch."""

    base: Annotated[str, Meta(max_length=1000, description="A run: id, unique beginning or `last`.")] | None = None
    branch: Annotated[str, Meta(max_length=1000, description="The last run of this branch.")] | None = None


class WindowQuery(Query, frozen=True):
    """Runs that an analysis looks at."""

    runs: Annotated[int, Meta(ge=0, le=1_000_000, description="The newest; 0: all. Default: 100.")] | None = None
    window: Annotated[str, Meta(pattern=AGE, description="Only runs that started in this time: `30d`.")] | None = None
    branch: Branch | None = None


class FlakyQuery(WindowQuery, frozen=True):
    """Which flaky tests."""

    min_runs: Annotated[int, Meta(ge=1, le=1_000_000, description="That so many runs judged.")] = 1
    limit: Limit = 20


class SlowestQuery(WindowQuery, frozen=True):
    """Which slow ones."""

    by: By = "test"
    sort: Rank = "p95"
    phase: Phase | None = None
    limit: Limit = 20


class SlowerQuery(Query, frozen=True):
    """Since when, and how many of each kind."""

    since: Annotated[
        str, Meta(max_length=1000, description="An age such as `7d`, or a run, which counts as later.")
    ] = USUAL_SINCE
    branch: Branch | None = None
    limit: Limit = 20


class TrendsQuery(WindowQuery, frozen=True):
    """By what; days and weeks are of all runs unless ``runs`` or ``window`` is given."""

    by: Period = "run"


class FailuresQuery(Query, frozen=True):
    """Over which runs."""

    runs: Annotated[int, Meta(ge=1, le=1000, description="The last ones.")] = 20
    branch: Branch | None = None
