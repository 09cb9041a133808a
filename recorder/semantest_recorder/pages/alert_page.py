"""``/alerts``: what is wrong now, who was told, what is silenced, and what could not be told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from multidict import MultiMapping

from semantest_recorder.answers.alerts import first_alerts, stored_alerts
from semantest_recorder.core.access import ADMINS
from semantest_recorder.core.alerts.actions import (
    MOST_PATTERN,
    Action,
    Done,
    DropDead,
    EndSilence,
    MakeSilence,
    RetryDead,
    Trial,
)
from semantest_recorder.core.alerts.alert import State
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.pages.page import TOLD, Desk, Page, Visit
from semantest_recorder.pages.table import Table
from semantest_recorder.reports.alert_groups import MOST_GROUPED, alert_groups
from semantest_recorder.server.form import read_form
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.routes import Route

PATH = "/alerts"
_MINUTE_MS = 60_000.0
#: For how many minutes something is silenced, as the form offers it.
SILENCES: Mapping[str, str] = {"60": "an hour", "480": "8 hours", "1440": "a day", "10080": "a week"}
#: So many tests of a group are named; the table that can be taken away has all.
_NAMED = 50
_STATES: Final[Mapping[str, State | None]] = {"": None, "firing": "firing", "resolved": "resolved"}
_COLUMNS = ("rule", "kind", "severity", "state", "subject", "summary", "branch", "run", "test", "since", "silenced")

Facts = Callable[[], Mapping[str, Any]]
Act = Callable[[Action], Awaitable[Done]]


class _Unclear(ValueError):  # noqa: N818 - says what is wrong
    """A form says what makes no sense; the text says what would."""


def pages(database: Path, facts: Facts) -> list[Page]:
    """The page. ``facts``: what the recorder says of itself, its rules among it; called in the event loop."""
    views = partial(_view, database), partial(_table, database)
    return [Page(PATH, "alerts.html", "alerts", *views, facts=facts, asks=("state", TOLD))]


def routes(database: Path, facts: Facts, act: Act, desk: Desk) -> list[Route]:
    """What the page's forms are sent to; for who has the role ``admin``. ``act`` raises ``Refusal``."""

    async def answer(request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        done = await _done(request.match_info["do"], form, request[IDENTITY].name, act)
        if "problem" not in done:
            return desk.lead_back(PATH, request[IDENTITY], done)
        visit = Visit(PATH, {}, request.query, request[IDENTITY], facts())
        return await desk.draw("alerts.html", "alerts", visit, lambda: {**_view(database, visit), **done}, 400)

    return [Route("POST", f"{PATH}/{{do}}", answer, ADMINS)]


async def _done(do: str, form: MultiMapping[str], who: str, act: Act) -> Mapping[str, Any]:
    """What the page says of what was asked."""
    try:
        done = await act(_action(do, form, who))
    except (_Unclear, Refusal) as error:
        return {"problem": str(error)}
    if do == "test":
        return {"answers": done.answers}
    if not done.count:
        return {"problem": "it was not there any more"}
    return {"said": _SAID[do]}


_SAID = {
    "silence": "Nobody is told of it until then.",
    "unsilence": "The silence is over.",
    "retry": "It is sent again.",
    "drop": "It is deleted.",
}


def _action(do: str, form: MultiMapping[str], who: str) -> Action:
    """What a form asks for. Raises ``_Unclear``."""

    def text(name: str) -> str:
        return form.get(name, "").strip()

    if do == "silence":
        if text("minutes") not in SILENCES:
            raise _Unclear("choose for how long")
        until_ms = time.time() * 1000 + int(text("minutes")) * _MINUTE_MS
        rule, subject = text("rule") or "*", text("subject") or "*"
        if max(len(rule), len(subject)) > MOST_PATTERN:
            raise _Unclear(f"a pattern may have {MOST_PATTERN} characters: put a * for what is left out")
        return MakeSilence(rule=rule, subject=subject, until_ms=until_ms, reason=text("reason")[:500], who=who)
    if do == "test":
        return Trial(name=text("name"))
    if not text("id"):
        raise _Unclear("say which")
    if do == "unsilence":
        return EndSilence(id=text("id"))
    if do == "retry":
        return RetryDead(ids=[text("id")[:100]])
    if do == "drop":
        return DropDead(ids=[text("id")[:100]])
    raise _Unclear(f"there is nothing called {do[:40]!r} to be done")


def _view(database: Path, visit: Visit) -> dict[str, Any]:
    state = _STATES[visit.choice("state", tuple(_STATES))]
    found, counts = first_alerts(database, time.time() * 1000, state, MOST_GROUPED)
    firing, over = counts.get("firing", 0), counts.get("resolved", 0)
    return {
        "found": found,
        "number": {None: firing + over, "firing": firing, "resolved": over}[state],
        "groups": alert_groups(found.alerts),
        "named": _NAMED,
        "most_grouped": MOST_GROUPED,
        "firing": firing,
        "over": over,
        "settings": visit.facts["alerts"],
        "may_change": visit.identity.has_any(ADMINS),
        "silences": SILENCES,
    }


def _table(database: Path, _visit: Visit) -> Table:
    rows = [
        [
            *(alert.rule, alert.kind, alert.severity, alert.state, alert.subject, alert.summary, alert.branch),
            *(alert.run, alert.test, alert.since_at, alert.silenced),
        ]
        for alert in stored_alerts(database, time.time() * 1000).alerts
    ]
    return Table("alerts", _COLUMNS, rows)
