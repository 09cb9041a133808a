"""Imports for a process that somebody waits for: without garbage collections and without CA certificates.

Measured for ``semantest_recorder.app``: 450 ms of CPU on a loaded machine became 370 without collections, and 290
without the certificates, which aiohttp's client (it comes with the server) reads twice when it is imported.
"""

from __future__ import annotations

import gc
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quick_imports() -> Iterator[None]:
    """Imports inside the block are quicker.

    The price: aiohttp's default client context trusts nobody. The recorder makes no TLS connections; code that will
    has to give its session a context of its own, and is refused by every server until it does.
    """
    load_certificates = ssl.SSLContext.load_default_certs

    def load_nothing(_context: ssl.SSLContext, *_arguments: Any) -> None:
        return

    gc.disable()
    ssl.SSLContext.load_default_certs = load_nothing  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        ssl.SSLContext.load_default_certs = load_certificates  # type: ignore[method-assign]
        gc.enable()
        gc.freeze()  # what was imported lives as long as the process: no collection need look at it
