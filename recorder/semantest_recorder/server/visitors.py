"""Who comes with a browser: the cookie of one that is signed in, and pages instead of problem documents for it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Literal
from urllib.parse import quote

from aiohttp import hdrs, web

from semantest_recorder.core.access import Credentials, Denied, Identity, digest_of, split_host
from semantest_recorder.core.sign_ins import SIGN_IN_MS, SignIns
from semantest_recorder.server.peer_user import PeerUsers
from semantest_recorder.server.routes import route_of

SIGN_IN_PATH = "/sign-in"
_READING = ("GET", "HEAD")
#: What an error says beside its body.
_KEPT = (hdrs.ALLOW, hdrs.WWW_AUTHENTICATE)
#: Set where a browser came under a name that is not served: nothing else can be loaded under it.
UNKNOWN_HOST: web.RequestKey[bool] = web.RequestKey("unknown host", bool)
#: Draws the page that says why somebody is turned away.
ErrorPage = Callable[[web.Request, int, str], web.Response]
#: Why somebody is not signed in: the code or the token is none, or the browser is signed in with another token.
Wrong = Literal["code", "token", "other"]


class Visitors:
    """Browsers, and what their cookies stand for.

    ``clock`` gives milliseconds since the epoch; ``keep`` is called when who is signed in has changed; ``secure``: the
    cookie goes over TLS only. The cookie is named after the port: recorders on one host share its cookies.
    """

    def __init__(
        self,
        credentials: Credentials,
        sign_ins: SignIns,
        clock: Callable[[], float],
        *,
        keep: Callable[[], None] = lambda: None,
        secure: bool = False,
    ) -> None:
        self._credentials = credentials
        self._sign_ins = sign_ins
        self._clock = clock
        self._keep = keep
        self._secure = secure
        self._users = PeerUsers()

    def identify(self, request: web.Request) -> Identity | Denied | None:
        """Who the browser is signed in as; ``None`` when it is not.

        What changes something, and a WebSocket, a page must ask for that says so itself: browsers send an ``Origin``.
        """
        cookie = request.cookies.get(_cookie_name(request), "")
        signed_in = self._signed_in(request, cookie)
        if signed_in is None:
            return None
        _credential, found = signed_in
        reads = request.method in _READING and hdrs.UPGRADE not in request.headers
        if not reads and hdrs.ORIGIN not in request.headers:
            return Denied(403, "FORBIDDEN", "with a cookie this needs an Origin; programs send a token", found.name)
        return replace(found, browser=digest_of(cookie))

    def still_valid(self, identity: Identity) -> bool:
        """Whether ``identity`` may go on: its token still is one, and the browser that it came with is signed in."""
        signed_in = not identity.browser or self._sign_ins.knows(identity.browser, self._clock())
        return signed_in and self._credentials.still_valid(identity)

    def offer_code(self, request: web.Request, identity: Identity) -> str:
        """A code with which ``identity``, who sent the request, can sign in once."""
        code = secrets.token_urlsafe(24)
        user = self._users.of(request.transport)
        self._sign_ins.offer(code, self._credentials.credential_of(identity), self._clock(), user)
        return code

    def sign_in(self, request: web.Request, response: web.Response, *, code: str, token: str) -> Wrong | None:
        """Gives ``response`` the cookie for who holds the code or the token, or says what is wrong.

        A code may come by a link of anybody, so it takes nobody's place who is signed in with another token.
        """
        now_ms, user = self._clock(), self._users.of(request.transport)
        credential = self._sign_ins.redeem(code, now_ms, user) if code else self._credentials.credential_behind(token)
        if credential is None or self._credentials.holder_of(credential) is None:
            return "code" if code else "token"
        before = self._signed_in(request, request.cookies.get(_cookie_name(request), "")) if code else None
        if before is not None and before[0] != credential:
            return "other"
        cookie = secrets.token_urlsafe(32)
        self._sign_ins.add(cookie, credential, now_ms, user)
        response.set_cookie(
            _cookie_name(request),
            cookie,
            max_age=int(SIGN_IN_MS / 1000),
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self._secure,
        )
        self._keep()
        return None

    def sign_out(self, request: web.Request, response: web.Response) -> None:
        """The cookie of the request stands for nobody any more."""
        name = _cookie_name(request)
        if self._sign_ins.remove(request.cookies.get(name, "")):
            self._keep()
        response.del_cookie(name, path="/", httponly=True, samesite="Strict", secure=self._secure)

    def _signed_in(self, request: web.Request, cookie: str) -> tuple[bytes, Identity] | None:
        """With which token the browser is signed in, and who holds that."""
        if not cookie:
            return None
        credential = self._sign_ins.credential_of(cookie, self._clock(), self._users.of(request.transport))
        holder = self._credentials.holder_of(credential) if credential is not None else None
        return None if credential is None or holder is None else (credential, holder)


def _cookie_name(request: web.Request) -> str:
    parts = split_host(request.host)
    return f"semantest-{parts[1] if parts is not None and parts[1] is not None else 'web'}"


def is_visit(request: web.Request) -> bool:
    """Whether somebody goes to one of our pages: a browser says that it shows it as a page of its own, in no frame."""
    said = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    return _is_page(request) and said == ("navigate", "document")


def _is_page(request: web.Request) -> bool:
    route = route_of(request)
    return route is not None and route.is_page and request.method in _READING


def wants_page(request: web.Request) -> bool:
    """Whether an error is to be a page: a browser asks that goes somewhere, also by a form."""
    return "text/html" in request.headers.get(hdrs.ACCEPT, "")


def as_page(request: web.Request, answer: web.Response, detail: str, error_page: ErrorPage | None) -> web.Response:
    """The error ``answer``; for whoever looks at pages one that says ``detail``."""
    if error_page is None or not wants_page(request):
        return answer
    page = error_page(request, answer.status, detail)
    page.headers.update({name: answer.headers[name] for name in _KEPT if name in answer.headers})
    return page


def turned_away(request: web.Request, denied: Denied) -> web.Response | None:
    """Where a browser is sent that is not signed in; ``None`` for whom the refusal itself is the answer.

    The cookie is not sent along a link of another site. So a page that somebody came to by one asks again by itself:
    then it is we who ask.
    """
    if denied.status != 401 or not (_is_page(request) and wants_page(request)):
        return None
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return web.Response(
            text='<!doctype html><meta http-equiv="refresh" content="0"><title>Semantest</title>',
            content_type="text/html",
        )
    goal = quote(request.path_qs, safe="")
    return web.Response(status=303, headers={"Location": f"{SIGN_IN_PATH}?next={goal}"})
