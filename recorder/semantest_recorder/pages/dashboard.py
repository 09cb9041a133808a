"""All pages of the dashboard, as routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from semantest_recorder.answers.kept_differences import KeptDifferences
from semantest_recorder.pages import (
    alert_page,
    comparing,
    find_test,
    flaky_board,
    live,
    one_test,
    run_details,
    run_list,
    run_overview,
    run_result,
    run_suites,
    run_tests,
    run_timeline,
    settings,
    slow_board,
    slower_board,
    trend_charts,
)
from semantest_recorder.pages.drawing import Drawing
from semantest_recorder.pages.live_channel import LiveChannel
from semantest_recorder.pages.live_socket import Admit, live_socket_routes
from semantest_recorder.pages.page import Desk
from semantest_recorder.pages.pictures import picture_route
from semantest_recorder.pages.run_export import export_route
from semantest_recorder.pages.signing_in import sign_in_page
from semantest_recorder.pages.static_files import StaticFiles
from semantest_recorder.pages.warming import Warming, Work
from semantest_recorder.server.routes import Route

#: What draws its pages from the database alone.
_ROOMS = (
    run_list,
    run_overview,
    run_tests,
    run_suites,
    run_timeline,
    run_details,
    run_result,
    find_test,
    one_test,
    flaky_board,
    slow_board,
    slower_board,
    trend_charts,
)


class Dashboard:
    """The dashboard of the recorder with this database.

    ``title``: what its project is called; ``facts``: what the recorder says of itself, called in the event loop;
    ``act``: does what is asked of alerts; ``channel``: what tells open pages of commits.
    """

    def __init__(
        self,
        database: Path,
        title: str,
        facts: Callable[[], Mapping[str, Any]],
        act: alert_page.Act,
        channel: LiveChannel,
    ) -> None:
        self._files = StaticFiles()
        self._database = database
        self._facts = facts
        self._act = act
        self._channel = channel
        self.desk = Desk(Drawing(self._files, title))
        self._differences = KeptDifferences(database)
        channel.listeners.append(Warming(self._works).note)

    def routes(self, admit: Admit) -> list[Route]:
        """What is served; ``admit``: see ``live_socket_routes``."""
        pages = [page for room in _ROOMS for page in room.pages(self._database)]
        pages += comparing.pages(self._database, self._differences)
        folder = self._database.parent
        pages += alert_page.pages(self._database, self._facts) + settings.pages(folder, self._facts)
        pages += live.pages(self._database, self._channel.clock)
        forms = alert_page.routes(self._database, self._facts, self._act, self.desk)
        forms += settings.routes(folder, self._facts, self.desk)
        forms += live_socket_routes(self._channel, admit)
        pictures = picture_route(self._database, self.desk.error_page)
        own = [self._files.route(self.desk.error_page), sign_in_page(self.desk.drawing), pictures]
        own.append(export_route(self._database, self.desk))
        return [*own, *map(self.desk.route, pages), *forms]

    def _works(self, ended: list[str]) -> list[Work]:
        """What those who look at the dashboard may ask for when these runs have ended."""
        if not self.desk.is_visited():
            return []
        return [*(partial(self._differences.against_run_before, run) for run in ended), *self.desk.lately()]

    def error_page(self, request: web.Request, status: int, detail: str) -> web.Response:
        """See ``Desk.error_page``."""
        return self.desk.error_page(request, status, detail)
