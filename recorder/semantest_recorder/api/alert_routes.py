"""``GET /api/v1/alerts``: what fires, as ``semantest alerts --json`` prints it."""

from __future__ import annotations

from semantest_recorder.answers.alerts import alert_page
from semantest_recorder.api.queries import AlertsQuery
from semantest_recorder.api.reading import Asked, Reading
from semantest_recorder.api.recorded import Recorded
from semantest_recorder.core.alerts.alert import State
from semantest_recorder.reports.alert_overview import AlertOverview
from semantest_recorder.server.routes import Doc, Route

ALERTS = "/api/v1/alerts"


def alert_routes(reading: Reading, recorded: Recorded) -> list[Route]:
    """The route. Its answers are not kept: a silence or a delivery changes them, and no run."""

    def found(asked: Asked) -> AlertOverview:
        query: AlertsQuery = asked.query
        states = set[State](query.state)
        state = states.pop() if len(states) == 1 else None
        return alert_page(recorded.database, recorded.now_ms(), state, query.cursor, query.limit)

    doc = Doc("Alerts, silences, and what could not be told", AlertOverview, AlertsQuery, entries="alerts")
    return [reading.route(ALERTS, doc, found)]
