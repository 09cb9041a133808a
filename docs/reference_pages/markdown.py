"""What the pages are written with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTE = "<!-- made by docs/generate.py (`make docs`); edit the code, not this page -->"


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|").replace("<", "&lt;")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
