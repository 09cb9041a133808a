"""What the recorder of a folder is asked to be, from its command line and configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semantest_recorder.core.alerts.settings import AlertSettings
from semantest_recorder.plugins.configuration import PluginSettings


@dataclass(frozen=True)
class Settings:
    """What ``serve`` was asked for; ``idle_timeout_s`` 0 means never, ``port`` 0 any, ``token`` ``None`` a new one.

    ``policy``: what differs from the usual security policy, by its names (camelCase). ``tls_cert`` and ``tls_key`` are
    PEM files, ``tls_terminated``: somebody in front of us speaks TLS. ``told`` is the same, but for the token, as
    ``/api/v1/status`` shows it. ``json_log``: stderr holds nothing but JSON.
    """

    directory: Path
    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    anonymous: bool = False
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    idle_timeout_s: float = 0.0
    policy: Mapping[str, Any] = field(default_factory=dict)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_terminated: bool = False
    told: Mapping[str, Any] = field(default_factory=dict)
    plugins: PluginSettings = PluginSettings()  # noqa: RUF009 - frozen
    json_log: bool = False
    alerts: AlertSettings = AlertSettings()  # noqa: RUF009 - frozen
