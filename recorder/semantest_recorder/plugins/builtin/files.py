"""One file per run, written whole or not at all."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from pytest_semantest.protocol import whole_file

#: ``x.screenshots`` + ``.json`` would be ``x`` + ``.screenshots.json``; some file systems do not tell capitals apart.
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?<!\.screenshots)", re.IGNORECASE)


def file_name(run_id: str, suffix: str) -> str:
    """A file name for a run; an id that is none (clients choose them) is shortened and told apart by its hash."""
    if _SAFE.fullmatch(run_id):
        return run_id + suffix
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", run_id).strip("-")[:60] or "run"
    return f"{plain}-{sha256(run_id.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}{suffix}"


def write_whole(path: Path, value: Any) -> None:
    """Writes ``value`` as JSON in the place of the file. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.write_whole(path, _json(value) + b"\n", mode=0o666)  # a report for whoever the umask lets read it


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a path that is no text: its bytes become escapes
        return json.dumps(msgspec.to_builtins(value)).encode()
