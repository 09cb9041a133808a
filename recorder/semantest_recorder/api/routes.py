"""All routes of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantest_recorder.api.alert_routes import alert_routes
from semantest_recorder.api.analysis_routes import analysis_routes
from semantest_recorder.api.control_routes import Command, control_routes
from semantest_recorder.api.description import description_route
from semantest_recorder.api.reading import Reading
from semantest_recorder.api.recorded import Recorded
from semantest_recorder.api.routes_of_tests import routes_of_tests
from semantest_recorder.api.run_routes import run_routes
from semantest_recorder.api.token_routes import TokenBook, token_routes
from semantest_recorder.core.policy import Policy
from semantest_recorder.server.routes import Route


@dataclass(frozen=True)
class Sources:
    """What the API is made of: the database, and what only the running recorder knows or does.

    ``now_ms`` gives milliseconds since the epoch, ``policy`` and ``plugins`` what holds now; ``version``: of us.
    """

    database: Path
    now_ms: Callable[[], float]
    tokens: TokenBook
    command: Command
    policy: Callable[[], Policy]
    plugins: Callable[[], Mapping[str, Any]]
    version: str


def api_routes(sources: Sources) -> list[Route]:
    """The routes; those that read share a few threads and what is kept of answers."""
    reading, recorded = Reading(), Recorded(sources.database, sources.now_ms)
    return [
        *run_routes(reading, recorded),
        *routes_of_tests(reading, recorded),
        *analysis_routes(reading, recorded),
        *alert_routes(reading, recorded),
        *token_routes(sources.tokens, sources.now_ms),
        *control_routes(sources.command, sources.policy, sources.plugins),
        description_route(sources.version),
    ]
