"""Templates to HTML. All that is shown is escaped, and made inert, unless a template's author wrote it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from semantest_recorder.core.access import Identity, Role
from semantest_recorder.pages.navigation import NAVIGATION
from semantest_recorder.pages.static_files import StaticFiles
from semantest_recorder.pages.words import FILTERS, FUNCTIONS, finalized

_TEMPLATES = Path(__file__).parent / "templates"
#: Nothing but our own files, no script or style in the page, no frame around it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Drawing:
    """Draws pages; may be used from any thread."""

    def __init__(self, files: StaticFiles, title: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=finalized,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(FUNCTIONS)
        self._environment.globals.update(navigation=NAVIGATION, static=files.address, project=title)

    def draw(self, template: str, identity: Identity | None, section: str, **values: Any) -> str:
        """The page. ``identity``: who looks at it, ``section``: the entry of the menu that it belongs to."""
        roles = frozenset[Role]() if identity is None else identity.roles
        known = {"identity": identity, "roles": {role.value for role in roles}, "section": section}
        return self._environment.get_template(template).render(**known, **values)


def standalone(text: str, status: int) -> web.Response:
    """A page that loads nothing. Its only style is in it, and is allowed by its checksum alone."""
    style = text.partition("<style>")[2].partition("</style>")[0]
    checksum = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    policy = f"{nothing}; style-src 'sha256-{checksum}'"
    return web.Response(
        text=text, status=status, content_type="text/html", headers=_HEADERS | {"Content-Security-Policy": policy}
    )


def html(text: str, status: int = 200) -> web.Response:
    """A page as an answer."""
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)
