"""What a page says once of a form that was sent, kept until the browser has been led back to the page."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from typing import Any, Final, NamedTuple

from semantest_recorder.core.access import Identity

#: A browser comes back at once; what nobody asked for is forgotten after so many seconds, and beyond so many others.
_KEPT_S, _MOST = 60.0, 100


class _Kept(NamedTuple):
    name: str
    browser: bytes
    until_s: float
    values: Mapping[str, Any]


class ToldOnce:
    """Values of templates by a key, for the browser that sent the form; may be used from any thread.

    A reload says it no more, and the address holds the key alone: a new token is in no history of a browser.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock: Final = Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def leave(self, who: Identity, values: Mapping[str, Any]) -> str:
        """The key under which ``who`` can take the values, once and soon."""
        key = secrets.token_urlsafe(12)
        with self._lock:
            self._forget()
            self._kept[key] = _Kept(who.name, who.browser, self._clock() + _KEPT_S, values)
        return key

    def take(self, who: Identity, key: str) -> Mapping[str, Any]:
        """The values; none for a key that was used, is too old, or is of somebody else."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or (found.name, found.browser) != (who.name, who.browser):
                return {}
            del self._kept[key]
        return found.values if self._clock() < found.until_s else {}

    def _forget(self) -> None:
        now_s = self._clock()
        while self._kept and (len(self._kept) >= _MOST or next(iter(self._kept.values())).until_s <= now_s):
            self._kept.popitem(last=False)
