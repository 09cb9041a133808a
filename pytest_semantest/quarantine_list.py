"""The list of quarantined tests of a session: from the rootdir, or from the revision that is to be believed."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest

from pytest_semantest.protocol.quarantine import QUARANTINE_FILE, Entry, read_quarantine, too_far_ahead
from pytest_semantest.protocol.small_file import MOST_BYTES, read_small_file
from pytest_semantest.settings import Settings


class QuarantineList(NamedTuple):
    """The entries, the day by which they expire or not, and lines for the user."""

    entries: tuple[Entry, ...]
    today: date
    notices: tuple[str, ...] = ()

    def packed(self) -> dict[str, Any]:
        """For xdist's workers, which read nothing themselves."""
        return {"today": self.today.isoformat(), "entries": [entry.facts() for entry in self.entries]}

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> QuarantineList:
        """What ``packed`` gave."""
        entries = (
            Entry(facts["entry"], facts["reason"], facts["owner"], _day(facts["expires"]), facts.get("issue", ""))
            for facts in packed["entries"]
        )
        return cls(tuple(entries), _day(packed["today"]))


def load_list(config: pytest.Config, settings: Settings) -> QuarantineList:
    """The list that this session goes by. Raises ``pytest.UsageError`` for one that is wrong, or cannot be had."""
    path = settings.quarantine_file or str(config.rootpath / QUARANTINE_FILE)
    name = os.path.relpath(path, config.rootpath)
    shown = path if name.startswith("..") else name
    # In UTC, so that a list means the same on every machine.
    today = datetime.now(UTC).date()
    data, notices = _content(config, settings, path, shown)
    if data is None:
        return QuarantineList((), today, notices)
    found = read_quarantine(f"{settings.quarantine_base}:{shown}" if settings.quarantine_base else shown, data)
    problems = [*found.problems, *too_far_ahead(found.entries, today, settings.quarantine_days)]
    if problems:
        more = f" (and {len(problems) - 1} more: semantest quarantine check)" if len(problems) > 1 else ""
        raise pytest.UsageError(f"semantest: {problems[0]}{more}")
    return QuarantineList(found.entries, today, notices)


def _content(config: pytest.Config, settings: Settings, path: str, shown: str) -> tuple[bytes | None, tuple[str, ...]]:
    """The bytes of the file, ``None`` when there is none; and what the user should be told of that."""
    try:
        if settings.quarantine_base is not None:
            return _committed(settings.quarantine_base, str(config.rootpath), path, shown)
        return read_small_file(path)[0], ()
    except FileNotFoundError:
        if settings.quarantine_file:
            raise pytest.UsageError(f"semantest: quarantine-file: there is no {path}") from None
        return None, (f"quarantine is on, and there is no {shown}: no test is in quarantine",)
    except OSError as error:
        raise pytest.UsageError(f"semantest: {path}: it cannot be read: {error.strerror}") from None


def _committed(revision: str, rootdir: str, path: str, shown: str) -> tuple[bytes | None, tuple[str, ...]]:
    """The file in the repository of the rootdir, whatever repository it is in now: a change can bring a submodule."""
    from pytest_semantest.protocol.git import UnknownRevisionError, file_in_revision  # noqa: PLC0415 - few need it

    try:
        commit, data = file_in_revision(rootdir, os.environ, revision, os.path.relpath(path, rootdir), MOST_BYTES)
    except UnknownRevisionError as error:
        raise pytest.UsageError(f"semantest: quarantine-base: {error}") from None
    if data is None:
        return None, (f"{revision} ({commit[:10]}) has no {shown}: no test is in quarantine",)
    return data, ()


def _day(text: str) -> date:
    return date.fromisoformat(text)
