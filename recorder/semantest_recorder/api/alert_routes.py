"""``GET /api/v1/alerts``: what fires, as ``semantest alerts --json`` prints it."""

from __future__ import annotations

from semantest_recorder.answers.alerts import stored_alerts
from semantest_recorder.api.reading import Asked, Reading
from semantest_recorder.api.recorded import Recorded
from semantest_recorder.reports.alert_overview import AlertOverview
from semantest_recorder.server.routes import Doc, Route

ALERTS = "/api/v1/alerts"


def alert_routes(reading: Reading, recorded: Recorded) -> list[Route]:
    """The route. Its answers are not kept: a silence or a delivery changes them, and no run."""

    def found(_asked: Asked) -> AlertOverview:
        return stored_alerts(recorded.database, recorded.now_ms())

    return [reading.route(ALERTS, Doc("Alerts, silences, and what could not be told", AlertOverview), found)]
