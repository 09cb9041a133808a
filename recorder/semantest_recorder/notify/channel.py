"""What every channel is, and how its secrets stay its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.protocol.redaction import Redactor
from semantest_recorder.core.alerts.delivery import Answer

#: Parts of an address that are shorter are words such as "services", not secrets.
_SHORTEST = 6
_MOST_TEXT = 300


class Channel(Protocol):
    """Somewhere that messages can be sent to."""

    async def send(self, delivery_id: str, body: bytes) -> Answer:
        """Tries once, within the time of the channel. ``body`` is the JSON of a ``Message``. Raises nothing."""


class NotSetUp(ValueError):  # noqa: N818 - named for what it says
    """A channel cannot be used as things are; the text says what to do, and holds no secret."""


class VariableNotSet(NotSetUp):
    """A variable that a channel names is not in the environment that was looked at."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the variable {name} is not set where the recorder runs: set it, and start the recorder again"
        )
        self.name = name


def variable(environment: Mapping[str, str], name: str) -> str:
    """The value of a variable that a channel names. Raises ``VariableNotSet``."""
    value = environment.get(name, "").strip()
    if not value:
        raise VariableNotSet(name)
    return value


class Secrets:
    """What must be in no text: addresses, the parts of them that open something, and keys for signatures."""

    def __init__(self, url: str = "", *others: str) -> None:
        address = urlsplit(url)
        queried = [value for _, value in parse_qsl(address.query)]
        long = [part for part in (*address.path.split("/"), *queried, address.fragment) if len(part) >= _SHORTEST]
        whole = [part for part in (url, *others, address.username, address.password) if part]
        if address.scheme not in ("http", "https"):  # as of apprise, where a token stands in place of a host
            places = address.netloc.rpartition("@")[2].split(":")
            long += [place for place in places if len(place) >= _SHORTEST and "." not in place]
        self._redactor = Redactor({form for part in (*long, *whole) for form in (part, unquote(part))})

    def without(self, text: str) -> str:
        """The text on one line, not too long, without any of them."""
        return printable_line(self._redactor.redact(text))[:_MOST_TEXT]
