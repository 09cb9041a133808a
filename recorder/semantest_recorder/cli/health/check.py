"""The outcome of one check."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from semantest_recorder.reports.report import Public

Status = Literal["ok", "warn", "fail"]


class Check(Public):
    """``detail`` is what was found, ``advice`` what to do about it, ``data`` the same for programs."""

    name: str
    status: Status
    detail: str
    advice: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
