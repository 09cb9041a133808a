"""What tests need and a machine does not have: skipped loudly where people work, a failure in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(told: str) -> NoReturn:
    """Ends the test that cannot run: skipped, or failed in CI; ``told`` says what is missing and what brings it."""
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(told)
    pytest.fail(f"{told}; in CI nothing may be skipped for it")
