"""All pages of the dashboard, as routes."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from semantest_recorder.pages import run_list, run_overview
from semantest_recorder.pages.drawing import Drawing
from semantest_recorder.pages.page import Desk
from semantest_recorder.pages.signing_in import sign_in_page
from semantest_recorder.pages.static_files import StaticFiles
from semantest_recorder.server.routes import Route


class Dashboard:
    """The dashboard of the recorder with this database; ``title``: what its project is called."""

    def __init__(self, database: Path, title: str) -> None:
        self._files = StaticFiles()
        self._database = database
        self.desk = Desk(Drawing(self._files, title))

    def routes(self) -> list[Route]:
        """What is served."""
        pages = [*run_list.pages(self._database), *run_overview.pages(self._database)]
        return [self._files.route(), sign_in_page(self.desk.drawing), *map(self.desk.route, pages)]

    def error_page(self, request: web.Request, status: int, detail: str) -> web.Response:
        """See ``Desk.error_page``."""
        return self.desk.error_page(request, status, detail)
