"""What attacks are tried on: sessions that real shippers send to a real server, and daemons."""

from __future__ import annotations

from tests.recorder.cli_recorder.conftest import project, serve
from tests.shipper.conftest import directory, server, start_shipper

__all__ = ["directory", "project", "serve", "server", "start_shipper"]
