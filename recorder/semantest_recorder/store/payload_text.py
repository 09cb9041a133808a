"""Payloads as the text that is stored."""

from __future__ import annotations

from collections.abc import Sequence

from semantest_recorder.core.batch import RawEvent


def texts_of(events: Sequence[RawEvent]) -> list[str]:
    """Those of all events, quickly when all are UTF-8."""
    try:
        return [str(event.payload, "utf-8") for event in events]
    except UnicodeDecodeError:
        return [text_of(event) for event in events]


def text_of(event: RawEvent) -> str:
    """The payload's text; bytes that are no UTF-8 are replaced."""
    try:
        return str(event.payload, "utf-8")
    except UnicodeDecodeError:
        return str(event.payload, "utf-8", "replace")
