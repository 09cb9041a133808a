"""Named statements out of the ``.sql`` files of this folder."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of ``file`` by the name in the ``-- name: ...`` line above each."""
    parts = _NAME.split(sql_text(file))
    return {name: sql.strip() for name, sql in zip(parts[1::2], parts[2::2], strict=True)}


def sql_text(file: str) -> str:
    """The text of ``file``, a path below this folder."""
    return (_FOLDER / file).read_text("utf-8")  # importlib.resources takes 8 ms of a command to be imported
