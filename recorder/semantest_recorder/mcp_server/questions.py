"""What the tools of the server can be asked: their arguments, checked, and described for the client."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from semantest_recorder.answers.slower import USUAL_SINCE
from semantest_recorder.reports.agent.tokens import DEFAULT_TOKENS, LEAST_TOKENS
from semantest_recorder.reports.inert import inert_line

_MOST_TOKENS = 50_000

Run = Annotated[str, Meta(description="A run's id, a unique beginning of one, or `last`.", max_length=200)]
Branch = Annotated[str, Meta(description="Only runs of this branch.", max_length=500)]
Test = Annotated[
    str,
    Meta(
        description="A test's id, its name, or a part of an id that only one test has.", min_length=1, max_length=2000
    ),
]
State = Literal["pending", "running", "passed", "failed", "cancelled", "interrupted", "timeout"]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every tool takes."""

    max_tokens: Annotated[
        int,
        Meta(
            ge=LEAST_TOKENS,
            le=_MOST_TOKENS,
            description="How long the answer may be; three characters count as one token.",
        ),
    ] = DEFAULT_TOKENS


class RunsQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs to list, newest first."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="How many.")] = 20
    state: Annotated[State, Meta(description="Only runs in this state.")] | None = None
    branch: Branch | None = None


class RunQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run."""

    run: Run = "last"


class FailuresQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The failures of one run, or of the last ones."""

    run: Run | None = None
    runs: Annotated[int, Meta(ge=1, le=1000, description="Over the last so many runs, not of one run.")] | None = None
    branch: Annotated[str, Meta(description="With `runs`: only those of this branch.", max_length=500)] | None = None


class TestQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test in one run."""

    __test__ = False

    test: Test
    run: Annotated[str, Meta(description="In this run; in the last one that has it unless given.")] | None = None


class HistoryQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test in its last runs."""

    test: Test
    branch: Branch | None = None
    runs: Annotated[int, Meta(ge=1, le=1000, description="How many runs, the last ones.")] = 30


class BlameQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a test broke."""

    test: Test
    branch: (
        Annotated[str, Meta(description="In the runs of this branch; that of its last run unless given.")] | None
    ) = None
    runs: Annotated[int, Meta(ge=2, le=10_000, description="How many runs to go back.")] = 200


class FlakyQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tests are flaky."""

    runs: Annotated[int, Meta(ge=1, le=10_000, description="In the last so many runs.")] = 100
    branch: Branch | None = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many tests, the flakiest.")] = 20


class SlowerQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tests take longer."""

    since: Annotated[
        str, Meta(description="An age such as `7d`, or a run, which counts as later.", min_length=1, max_length=200)
    ] = USUAL_SINCE
    branch: Branch | None = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many tests of each kind.")] = 20


class DiffQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which two runs to compare."""

    after: Run = "last"
    before: Annotated[str, Meta(description="The run to compare with; the one before unless given.")] | None = None
    base: (
        Annotated[str, Meta(description="Compare with the last run of this branch that went through its tests.")] | None
    ) = None


_Q = TypeVar("_Q", bound=Question)


class BadArgumentError(ValueError):
    """Arguments that are none of a tool; the text is for whoever gave them."""


def question_of(kind: type[_Q], arguments: dict[str, Any]) -> _Q:
    """The question that the arguments ask. Raises ``BadArgumentError``."""
    known = kind.__struct_fields__
    for name in arguments:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f": did you mean {near[0]!r}?" if near else f". Arguments: {', '.join(known)}."
            raise BadArgumentError(f"there is no argument {inert_line(name)!r}{hint}")
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as error:
        raise BadArgumentError(inert_line(str(error))) from None


def input_schema(kind: type[Question]) -> dict[str, Any]:
    """The arguments as a JSON Schema of an object."""
    (_reference,), components = msgspec.json.schema_components([kind])
    schema: dict[str, Any] = components[kind.__name__]
    schema.pop("title", None)
    schema.pop("description", None)
    return schema | {"additionalProperties": False}
