"""The middleware in front of every route and of the WebSocket handshake: Host, Origin, token, role."""

from __future__ import annotations

import logging
from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from semantest_recorder.core.access import AddressRules, Credentials, Denied, Identity, Role
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import ROUTES, roles_of
from semantest_recorder.server.visitors import (
    UNKNOWN_HOST,
    ErrorPage,
    Visitors,
    as_page,
    is_visit,
    turned_away,
    wants_page,
)

#: Who the guard found behind a request.
IDENTITY: web.RequestKey[Identity] = web.RequestKey("identity", Identity)

#: In which relation the page that asks is to us, by its browser.
_FETCH_SITE = "Sec-Fetch-Site"
#: Of what a stranger sent: so many characters are in the log.
_SHOWN_METHOD, _SHOWN_PATH = 20, 200
#: The whole table would be longer than most answers.
_WHERE_ALL_IS = "/ leads to those for people, /api/v1/openapi.json names those for programs"

_log = logging.getLogger(__name__)


#: Why a known client is not let in all the same, by the policy.
Admit = Callable[[Identity], Denied | None]


class Doors(NamedTuple):
    """Whom the guard lets in: by which addresses, with which tokens and cookies, and as the policy admits them.

    ``welcome`` is told each request of a known client before its handler is called; ``error_page`` draws what a browser
    shows of an error.
    """

    addresses: AddressRules
    credentials: Credentials
    admit: Admit
    visitors: Visitors | None = None
    welcome: Callable[[web.Request], None] = lambda _request: None
    error_page: ErrorPage | None = None


def guard(doors: Doors) -> Middleware:
    """The middleware; it answers refused requests itself, so that no handler and no upgrade is reached."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        found = _admit(request, doors)
        if isinstance(found, Denied):
            sent = turned_away(request, found)
            if sent is not None:
                return sent
            _log_refusal(request, found)
            if found.unknown_host:
                request[UNKNOWN_HOST] = True
            return as_page(request, refusal(found), found.detail, doors.error_page)
        if found is not None:
            request[IDENTITY] = found
            doors.welcome(request)
        if is_encoded(request):
            return not_decoded()
        try:
            return await handler(request)
        except web.HTTPException as error:
            detail, answer = _http_error(request, error)
            return as_page(request, answer, detail, doors.error_page)

    return check


def is_encoded(request: web.Request) -> bool:
    """Whether the body is said to be compressed."""
    return any(value.strip().lower() != "identity" for value in request.headers.getall(hdrs.CONTENT_ENCODING, ()))


def not_decoded() -> web.Response:
    """The answer to a compressed body: some KB of it are many MB."""
    return problem(415, "INVALID_REQUEST", "a body is taken as it is: send it without Content-Encoding")


def _admit(request: web.Request, doors: Doors) -> Identity | Denied | None:
    """Who sent the request, ``None`` for an open route, or why it is refused."""
    headers = request.headers
    foreign = doors.addresses.refuse(
        headers.getall(hdrs.HOST, ()),
        headers.getall(hdrs.ORIGIN, ()),
        headers.getall(_FETCH_SITE, ()),
        is_visit=is_visit(request),
    )
    if foreign is not None:
        return foreign
    roles = roles_of(request)
    if roles is None:
        return None
    identity = _identify(request, doors)
    if isinstance(identity, Identity) and not identity.has_any(roles):
        return Denied(403, "FORBIDDEN", _lacking(identity, roles), identity.name)
    if isinstance(identity, Denied):
        return identity
    denied = doors.admit(identity)
    return identity if denied is None else denied._replace(name=identity.name)


def _identify(request: web.Request, doors: Doors) -> Identity | Denied:
    """By the token; a browser that sends none by its cookie."""
    authorization = request.headers.getall(hdrs.AUTHORIZATION, ())
    signed_in = doors.visitors.identify(request) if doors.visitors is not None and not authorization else None
    return signed_in or doors.credentials.identify(authorization)


def _lacking(identity: Identity, roles: frozenset[Role]) -> str:
    """What somebody may do, and with which token also this. The role that gives least stands in the command."""
    has = [role.value for role in Role if role in identity.roles]
    needed = [role.value for role in Role if role in roles]
    whose = "who comes without a token" if identity.is_anonymous else f"the token {identity.name!r}"
    told = " and ".join(filter(None, (", ".join(has[:-1]), *has[-1:]))) or "none"
    options = " ".join(f"--role {role}" for role in (*has, needed[0]))
    makes = f"`semantest token create --name NAME {options}` makes a token that has it"
    return f"this needs the role {' or '.join(needed)}, and {whose} has {told}; {makes}"


def _log_refusal(request: web.Request, found: Denied) -> None:
    method, path = request.method[:_SHOWN_METHOD], request.path[:_SHOWN_PATH]
    fields = {"method": method, "path": path, "remote": request.remote, "status": found.status}
    fields |= {"name": found.name} if found.name else {}
    who = f"{request.remote} ({found.name})" if found.name else request.remote
    _log.warning("refused %s %s from %s: %s", method, path, who, found.detail, extra={"fields": fields})


def refusal(denied: Denied) -> web.Response:
    """The answer to a refused request."""
    headers = {"WWW-Authenticate": "Bearer"} if denied.status == 401 else None
    return problem(denied.status, denied.code, denied.detail, headers)


def _http_error(request: web.Request, error: web.HTTPException) -> tuple[str, web.Response]:
    """What aiohttp answers itself, 404, 405 and so on, in words and in our form; their headers (``Allow``) are kept."""
    if error.status < 400:
        raise error
    kept = {name: value for name, value in error.headers.items() if name.lower() == "allow"}
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status, "INVALID_REQUEST")
    detail = error.reason
    if error.status == 404:
        pages = sorted({path for _method, path in request.app[ROUTES]})
        near = get_close_matches(request.path[:_SHOWN_PATH], pages, 3, 0.7)
        elsewhere = "" if wants_page(request) else f"; {_WHERE_ALL_IS}"
        hint = f": did you mean {' or '.join(near)}?" if near else elsewhere
        detail = f"there is no such page{hint}"
    elif error.status == 405:
        detail = f"this page does not take {request.method}; it takes {kept.get(hdrs.ALLOW, 'other methods')}"
    return detail, problem(error.status, code, detail, kept)
