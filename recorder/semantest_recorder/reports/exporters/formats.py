"""Which formats there are."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import msgspec

from semantest_recorder.reports.exporters.exporter import Exporter


class Format(msgspec.Struct, frozen=True):
    """One format. ``module`` has the exporter as ``export``; ``several``: one file can hold several runs."""

    module: str
    title: str
    several: bool

    def exporter(self) -> Exporter:
        """The exporter, imported now."""
        found: Exporter = import_module(f"semantest_recorder.reports.exporters.{self.module}").export
        return found


#: By name, in the order in which people read them.
FORMATS: Final = {
    "json": Format("json", "what `semantest report --json` prints", several=True),
}
