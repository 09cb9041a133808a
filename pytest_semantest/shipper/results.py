"""How the shipping of a session ended: in a word, in a line, in JSON and as an exit code. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal[
    "shipped",
    "elsewhere",  # another shipper delivered it
    "running",
    "followed",  # running, and another shipper sees to it
    "planned",
    "unreachable",
    "refused",
    "stopped",
    "unreadable",
    "late",
    "busy",
    "terminated",
]

#: A run that goes on is no fault: its shipper, or the next sync, brings the rest.
EXIT_CODES: dict[Outcome, int] = {
    "shipped": 0,
    "elsewhere": 0,
    "running": 0,
    "followed": 0,
    "planned": 0,
    "unreachable": 3,
    "refused": 4,
    "stopped": 4,
    "unreadable": 5,
    "late": 6,
    "busy": 6,
    "terminated": 6,
}
#: What counts when several sessions fail: a refusal needs somebody's hand, a lack of time the least.
_WORST_FIRST = (4, 3, 5, 6)

_SAYS: dict[Outcome, str] = {
    "shipped": "shipped, {acked} events",
    "elsewhere": "shipped by its own shipper",
    "running": "still runs, {acked} events are acknowledged",
    "followed": "still runs, its shipper{detail} ships it",
    "planned": "would go to {recorder}{detail}",
    "unreachable": "not shipped: {detail}",
    "refused": "not shipped: {detail}",
    "stopped": "not shipped completely: {detail}",
    "unreadable": "left where it is: {detail}",
    "late": "not shipped completely: {acked} of {events} events were acknowledged when the time was over",
    "busy": "not shipped here: its shipper{detail} was at work when the time was over",
    "terminated": "stopped, {acked} events are acknowledged",
}
#: How many sessions a line names that tells of several.
_NAMED = 3
_NOT_TRIED = "not shipped: the time was over"
_RUNNING_LATE = "still runs; {acked} of {events} events were acknowledged when the time was over"
_DEFAULT_DETAIL: dict[Outcome, str] = {
    "unreachable": "no recorder answered in time",
    "unreadable": "no record of its journals can be read",
}


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended: ``acked`` of the ``events`` read so far are acknowledged, ``recorder`` is where they went.

    ``out_of_time``: the run goes on and was left because the time was over. ``wants_token``: the recorder refused the
    token, or that there was none. ``in_vain``: it fails the same way until somebody corrects what ``detail`` names.
    """

    session: str
    outcome: Outcome
    detail: str = ""
    acked: int = 0
    events: int = 0
    recorder: str | None = None
    wants_token: bool = False
    in_vain: bool = False
    out_of_time: bool = False

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to be done by hand."""
        return EXIT_CODES[self.outcome] == 0

    @property
    def is_shared(self) -> bool:
        """Whether it says something of the recorder, which holds for all sessions that are meant for it."""
        return self.outcome in ("unreachable", "refused")

    def line(self) -> str:
        """The result for people."""
        return f"{self.session}: {self.said()}"

    def said(self) -> str:
        """What became of it, in words."""
        text = _SAYS[self.outcome]
        if self.outcome == "shipped" and self.detail:
            text += "; {detail}"
        if self.outcome == "running" and self.out_of_time:
            text = _RUNNING_LATE
        elif self.outcome == "late" and not self.events:
            text = _NOT_TRIED
        return text.format(
            acked=self.acked,
            events=self.events,
            detail=self.detail or _DEFAULT_DETAIL.get(self.outcome, ""),
            recorder=self.recorder or "the project's own recorder",
        )

    def json(self) -> str:
        """The result for programs, in one line."""
        return json.dumps(
            {
                "session": self.session,
                "outcome": self.outcome,
                "recorder": self.recorder,
                "acknowledged": self.acked,
                "events": self.events,
                "detail": self.detail,
                "wantsToken": self.wants_token,
                "inVain": self.in_vain,
            }
        )


def lines(results: Iterable[Result]) -> list[str]:
    """The results for people; sessions that met the same at the same recorder are told in one line."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        key = (result.recorder or "", result.said()) if result.is_shared else (result.session,)
        groups.setdefault(key, []).append(result)
    return [_of_all(group) if len(group) > 1 else group[0].line() for group in groups.values()]


def _of_all(group: list[Result]) -> str:
    names = ", ".join(result.session for result in group[:_NAMED])
    more = ", ..." if len(group) > _NAMED else ""
    return f"{len(group)} sessions ({names}{more}): {group[0].said()}"


def exit_code(results: Iterable[Result]) -> int:
    """0 when nothing failed, else the code that counts most."""
    codes = {EXIT_CODES[result.outcome] for result in results}
    return next((code for code in _WORST_FIRST if code in codes), 0)
