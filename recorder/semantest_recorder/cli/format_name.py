"""The name of a format on the command line."""

from __future__ import annotations

from semantest_recorder.cli.near_choice import NearChoice
from semantest_recorder.reports.exporters.formats import FORMATS


class FormatName(NearChoice):
    """A format of `semantest export`."""

    def __init__(self) -> None:
        super().__init__("format", FORMATS)
