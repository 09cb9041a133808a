"""What tests wrote down of themselves against what is stored of them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

#: Outcomes that a recording may give to an attempt whose process died or was interrupted.
CUT_OFF = frozenset({"crashed", "interrupted", "timeout", "lost"})

NO_PID = 0

Kind = Literal["lost", "doubled", "wrong"]


class Place(NamedTuple):
    """Where an attempt was made: run id, test id, pid of the process."""

    run: str
    test: str
    pid: int


class Proof(NamedTuple):
    """Where a text was printed and attached that is nowhere else; whether that attempt came to its end."""

    place: Place
    ended: bool


class Problem(NamedTuple):
    """One attempt, or run, that is not stored as it was."""

    kind: Kind
    place: Place
    text: str


@dataclass(frozen=True)
class StoredRun:
    """A run as the database has it. ``told_gaps``: whether it says of itself that something is missing."""

    state: str
    told_gaps: bool


@dataclass
class Deaths:
    """What the campaign did: pids of processes that it ended or interrupted, runs of which it was pytest itself, and
    runs whose disk it filled.
    """

    pids: set[int] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Verdict:
    """``attempts``: how many the tests tell of; ``cut_off``: how many of them never ended."""

    attempts: int
    cut_off: int
    runs: int
    problems: list[Problem]

    def count(self, kind: Kind) -> int:
        """How many problems are of this kind."""
        return sum(problem.kind == kind for problem in self.problems)


def read_notes(lines: Iterable[str]) -> dict[Place, list[str | None]]:
    """The outcomes of the attempts at each place, in order; ``None`` for one that began and did not end."""
    found: dict[Place, list[str | None]] = defaultdict(list)
    for line in lines:
        word, run, test, pid, outcome = line.split(" ")
        attempts = found[Place(run, test, int(pid))]
        if word == "start":
            attempts.append(None)
        elif word == "end":
            attempts[-1] = outcome
    return dict(found)


def read_proofs(lines: Iterable[str]) -> dict[str, Proof]:
    """What attempts printed and attached."""
    found: dict[str, Proof] = {}
    latest: dict[Place, str] = {}
    for line in lines:
        word, run, test, pid, text = line.split(" ")
        place = Place(run, test, int(pid))
        if word == "proof":
            found[text], latest[place] = Proof(place, ended=False), text
        elif word == "end" and place in latest:
            found[latest.pop(place)] = Proof(place, ended=True)
    return found


def judge(
    noted: Mapping[Place, Sequence[str | None]],
    stored: Mapping[Place, Sequence[str | None]],
    runs: Mapping[str, StoredRun],
    exit_codes: Mapping[str, int],
    deaths: Deaths,
) -> Verdict:
    """Compares attempt by attempt, and run by run.

    ``exit_codes``: of pytest, by run. An attempt may be missing only from a run that says of itself that something is,
    and whose disk was full; one of a process that died may be cut off, and one that began may not have told of it yet.
    """
    problems: list[Problem] = []
    stored = _with_pids(stored, noted)
    known = exit_codes.keys() | {place.run for place in noted}
    for place in noted.keys() | stored.keys():
        if place.run not in known and place.run in runs and runs[place.run].told_gaps and deaths.full:
            continue  # the record that named the run went with a full disk: it is stored under another name
        mine, theirs = list(noted.get(place, ())), list(stored.get(place, ()))
        forgiven = _is_forgiven(place, runs, deaths)
        # Which process it was went with what the disk did not take.
        died = place.pid in deaths.pids or (place.pid == NO_PID and forgiven)
        problems += _compare(place, mine, theirs, died=died, forgiven=forgiven)
    began = {place.run for place in noted}
    for run_id, code in exit_codes.items():
        if run_id in runs or run_id in began or run_id not in deaths.runs:  # else it died before it could begin
            problems += _compare_run(run_id, code, runs.get(run_id), deaths)
    attempts = [outcome for outcomes in noted.values() for outcome in outcomes]
    return Verdict(len(attempts), attempts.count(None), len(exit_codes), sorted(problems))


def judge_proofs(
    proofs: Mapping[str, Proof],
    said: Mapping[str, int],
    attached: Mapping[str, int],
    omitted: Collection[tuple[str, str]],
    runs: Mapping[str, StoredRun],
    deaths: Deaths,
) -> list[Problem]:
    """Compares what attempts printed and attached with how often each is stored as output, and as an attachment.

    An attachment is there from the moment it was made; output comes with the end of the attempt. ``omitted``: the runs
    and tests of attachments that are stored as not kept; only a full disk is a reason.
    """
    problems = []
    for text, (place, ended) in proofs.items():
        forgiven = _is_forgiven(place, runs, deaths)
        for word, number, due in (
            ("printed", said.get(text, 0), ended and place.pid not in deaths.pids),
            ("attached", attached.get(text, 0), place.run not in deaths.full or place[:2] not in omitted),
        ):
            if number > 1:
                problems.append(Problem("doubled", place, f"what it {word} is stored {number} times"))
            elif not number and due and not forgiven:
                problems.append(Problem("lost", place, f"what it {word} is not stored"))
    return problems


def _is_forgiven(place: Place, runs: Mapping[str, StoredRun], deaths: Deaths) -> bool:
    """Whether its disk was full, and the run says of itself that something is missing."""
    run = runs.get(place.run)
    return place.run in deaths.full and (run is None or run.told_gaps)


def _with_pids(
    stored: Mapping[Place, Sequence[str | None]], noted: Mapping[Place, Sequence[str | None]]
) -> Mapping[Place, Sequence[str | None]]:
    """A run whose first event was lost to a full disk is stored without its pid: where only one can be meant it is."""
    pids: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place in noted:
        pids[place.run, place.test].append(place.pid)
    found = {}
    for place, outcomes in stored.items():
        known = pids[place.run, place.test]
        found[place._replace(pid=known[0]) if place.pid == NO_PID and len(known) == 1 else place] = outcomes
    return found


def _compare(
    place: Place, mine: list[str | None], theirs: list[str | None], *, died: bool, forgiven: bool
) -> Iterable[Problem]:
    if len(theirs) < len(mine) and not forgiven:
        yield Problem("lost", place, f"{len(mine)} attempts were made, {len(theirs)} are stored")
    spare = theirs[len(mine) :]
    if spare and not (died and len(spare) == 1 and spare[0] in CUT_OFF):
        yield Problem("doubled", place, f"{len(mine)} attempts were made, stored are {theirs}")
    if forgiven and len(theirs) < len(mine):
        mine = _those_stored(mine, theirs)
    for number, (outcome, stored) in enumerate(zip(mine, theirs, strict=False), 1):
        cut_off = stored in CUT_OFF and (died or forgiven)
        if outcome != stored and not cut_off:
            yield Problem("wrong", place, f"attempt {number} was {outcome or 'begun'}, stored is {stored}")


def _those_stored(mine: Sequence[str | None], theirs: Sequence[str | None]) -> list[str | None]:
    """The attempts that can be meant by those that are stored, in order, when others are missing."""
    found: list[str | None] = []
    for outcome in mine:
        if len(found) < len(theirs) and (outcome == theirs[len(found)] or theirs[len(found)] in CUT_OFF):
            found.append(outcome)
    return found if len(found) == len(theirs) else list(mine)


def _compare_run(run_id: str, code: int, run: StoredRun | None, deaths: Deaths) -> Iterable[Problem]:
    place = Place(run_id, "", 0)
    if run is None:
        if run_id not in deaths.full:
            yield Problem("lost", place, "the run is not stored")
        return
    if code != 0 and run.state == "passed" and run_id not in deaths.runs:  # it may have died when all was over
        yield Problem("wrong", place, f"pytest ended with {code}, the run is stored as passed")
    if code == 0 and run.state != "passed" and not (run_id in deaths.full and run.told_gaps):
        yield Problem("wrong", place, f"pytest ended with 0, the run is stored as {run.state}")
    if run.state in ("running", "pending"):
        yield Problem("wrong", place, f"pytest has ended, the run is stored as {run.state}")


def outcomes_by_place(rows: Iterable[tuple[str, str, int | None, str | None]]) -> dict[Place, list[str | None]]:
    """Stored attempts, in the order of ``rows`` of run, test, pid and outcome."""
    found: dict[Place, list[str | None]] = defaultdict(list)
    for run, test, pid, outcome in rows:
        found[Place(run, test, pid or NO_PID)].append(outcome)
    return dict(found)
