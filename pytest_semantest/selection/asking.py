"""A short-lived process that is asked before the tests: the test process itself opens no socket and no database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_semantest.settings import Settings

if TYPE_CHECKING:
    import subprocess


def ask(settings: Settings, command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[bytes] | None:
    """What ``command`` came to, which gets the token of the settings; ``None`` without an end in so many seconds.

    Raises ``OSError`` when it cannot be started.
    """
    import subprocess  # noqa: PLC0415 - only sessions that ask pay for it

    from pytest_semantest.shipper.spawn import shipper_environment  # noqa: PLC0415

    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=shipper_environment(os.environ, token=settings.token or None),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
