"""``recorder.json``, by which clients find the project's recorder. Standard library only."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pytest_semantest.protocol.destination import is_on_this_host
from pytest_semantest.protocol.layout import DISCOVERY
from pytest_semantest.protocol.liveness import PID_MAX
from pytest_semantest.protocol.lock_holders import is_abandoned
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.trust import refuse_secret
from pytest_semantest.protocol.whole_file import write_whole

_FIELDS = {"pid": int, "url": str, "token": str, "version": str, "protocolVersion": int}


@dataclass(frozen=True, slots=True)
class Discovery:
    """Where a recorder listens (``url``: http base) and the token that has every role there."""

    pid: int
    url: str
    token: str = field(repr=False)
    version: str
    protocol_version: int


def read_discovery(directory: str | os.PathLike[str]) -> Discovery | None:
    """The discovery file's content, or ``None`` when there is none that can be read and used."""
    try:
        return find_discovery(directory)
    except OSError:
        return None


def serving_recorder(directory: str | os.PathLike[str]) -> Discovery | None:
    """The recorder that the discovery file names, unless it surely is gone: then nobody holds the folder's lock.

    Its port may be another user's by now, who would be sent events and a token.
    """
    found = read_discovery(directory)
    return None if found is None or is_abandoned(Path(directory)) else found


def discard_abandoned(directory: str | os.PathLike[str]) -> None:
    """Removes the discovery file of a recorder that surely is gone, before another one takes the folder's lock.

    It would seem to be that one's until it is replaced. Raises ``OSError``.
    """
    path = Path(directory, DISCOVERY)
    if os.path.lexists(path) and is_abandoned(Path(directory)):
        path.unlink(missing_ok=True)


def find_discovery(directory: str | os.PathLike[str]) -> Discovery | None:
    """As ``read_discovery``; raises ``OSError`` when there may be one that cannot be read now.

    A file that somebody else wrote, or could have written, is none: it would send clients and their events to him.
    So is one that names another machine: no recorder does, but a checkout may hold one that does.
    """
    try:
        data, facts = read_small_file(os.path.join(directory, DISCOVERY))
        if refuse_secret(facts, os.fspath(directory)) is not None:
            return None
        found = json.loads(data)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (ValueError, RecursionError):  # a byte that is no UTF-8 is a ValueError, too
        return None
    if not isinstance(found, dict) or any(type(found.get(name)) is not kind for name, kind in _FIELDS.items()):
        return None
    known = Discovery(*(found[name] for name in _FIELDS))
    return known if 0 < known.pid <= PID_MAX and _is_address(known.url) else None


def write_discovery(directory: str | os.PathLike[str], discovery: Discovery) -> None:
    """Writes the file in one step, readable by its owner only. Raises ``OSError``."""
    values = (discovery.pid, discovery.url, discovery.token, discovery.version, discovery.protocol_version)
    content = json.dumps(dict(zip(_FIELDS, values, strict=True)), separators=(",", ":"))
    write_whole(os.path.join(directory, DISCOVERY), content.encode() + b"\n")


def _is_address(url: str) -> bool:
    """Whether a client of this machine can connect there, as far as the text tells."""
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.port) and is_on_this_host(url)
    except ValueError:  # a bracket that is not closed, a port that is no number
        return False
