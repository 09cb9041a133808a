"""Cells below each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def columns(headings: Sequence[str], cells: Sequence[Sequence[Text]], right: Collection[str] = ()) -> list[Text]:
    """The headings and a line for each row; columns whose heading is in ``right`` end below each other."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    rows = [[Text(heading, "bold") for heading in headings], *cells]
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        line = Text()
        for heading, cell, width in zip(headings, row, widths, strict=True):
            room = " " * (width - cell.cell_len)
            line.append("  " if line else "").append(room if heading in right else "").append_text(cell)
            line.append("" if heading in right else room)
        line.rstrip()
        lines.append(line)
    return lines
