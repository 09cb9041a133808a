"""The channel ``webhook``: a signed POST to one address, which nothing that was recorded can choose or change."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from pytest_semantest import __version__
from semantest_recorder.core.alerts.delivery import Answer
from semantest_recorder.core.alerts.settings import Channel, matches
from semantest_recorder.notify.channel import NotSetUp, Secrets, variable
from semantest_recorder.notify.signing import key_of, signed_headers

#: Refusals that may pass by themselves; another one of the client's kind (4xx) would come again.
_TRANSIENT: Final = frozenset({408, 409, 425, 429})
#: Of an answer so many bytes are read, for the words of a refusal.
_READ_BYTES: Final = 1000


class WebhookChannel:
    """Sends to the address in the channel's variable. ``clock`` gives seconds since the epoch.

    Raises ``NotSetUp`` when it cannot be used.
    """

    def __init__(
        self,
        channel: Channel,
        environment: Mapping[str, str],
        allow_hosts: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = variable(environment, channel.url_env)
        secret = variable(environment, channel.secret_env) if channel.secret_env else ""
        self._host = _host_of(self._url, channel.url_env, allow_hosts)
        try:
            self._key = key_of(secret) if secret else None
        except ValueError as error:
            raise NotSetUp(f"the variable {channel.secret_env} holds no secret: {error}") from None
        self._secrets = Secrets(self._url, secret)
        self._timeout = aiohttp.ClientTimeout(total=channel.timeout_s)
        self._clock = clock

    async def send(self, delivery_id: str, body: bytes) -> Answer:
        """As ``Channel`` has it. A redirect is not followed: where messages go is said by the address alone."""
        headers = {"Content-Type": "application/json", "User-Agent": f"semantest/{__version__}"}
        headers |= signed_headers(self._key, delivery_id, int(self._clock()), body)
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, auto_decompress=False) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                words = b"" if response.ok else await _beginning(response)
                return self._answer(response.status, response.headers.get("Retry-After"), words)
        except TimeoutError:
            return self._failed(f"{self._host} did not answer within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._failed(f"{self._host} cannot be reached: {_reason(error)}")

    def _answer(self, status: int, retry_after: str | None, words: bytes) -> Answer:
        said = " ".join(words.decode("utf-8", "replace").split())
        text = self._secrets.without(f"{self._host} answered {status}" + (f": {said}" if said else ""))
        if 200 <= status < 300:
            return Answer(is_delivered=True, text=text)
        if 300 <= status < 400:
            text = f"{self._host} answered {status}, a redirect, which is not followed: put the last address there"
            return Answer(is_delivered=False, text=text, is_final=True)
        is_final = 400 <= status < 500 and status not in _TRANSIENT
        asked = retry_after_seconds(retry_after, self._clock())
        return Answer(is_delivered=False, text=text, is_final=is_final, retry_after_s=asked)

    def _failed(self, text: str) -> Answer:
        return Answer(is_delivered=False, text=self._secrets.without(text))


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Some words of an answer; none where it breaks off: its status is what counts."""
    try:
        return await response.content.read(_READ_BYTES)
    except (aiohttp.ClientError, OSError):
        return b""


def retry_after_seconds(header: str | None, now_s: float) -> float | None:
    """What a ``Retry-After`` asks for, in seconds or as a date; ``None`` without one that makes sense."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def _host_of(url: str, name: str, allow_hosts: Sequence[str]) -> str:
    """The host of an address that may be called. Raises ``NotSetUp``, which does not quote the address."""
    try:
        address = urlsplit(url)
        host = (address.hostname or "").lower()
        _ = address.port
    except ValueError:
        host = ""
        address = urlsplit("")
    if address.scheme not in ("http", "https") or not host:
        raise NotSetUp(f"the variable {name} holds no http or https address")
    if allow_hosts and not any(matches(pattern.lower(), host) for pattern in allow_hosts):
        raise NotSetUp(f"{host} is none of alerts.allow-hosts ({', '.join(allow_hosts)})")
    return host


def _reason(error: Exception) -> str:
    """Why, without the address, which some of these errors quote."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted ({error.certificate_error})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
