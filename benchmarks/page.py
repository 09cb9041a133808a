"""docs/benchmarks.md: each benchmark owns one section of it and writes only that."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

Measured by `make bench`, which rewrites the sections below. Compare numbers of one section only: they come from one
interleaved run on one machine.
"""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is left-aligned, the others are right-aligned."""
    lines = [header, [":---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine(versions: Iterable[str]) -> str:
    """One paragraph: when, on what, with which versions (``name version`` each)."""
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    where = f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release()}"
    return f"Measured {when} on {where}, {platform.python_implementation()} {platform.python_version()}; " + (
        ", ".join(versions) + "."
    )


def write_section(name: str, text: str) -> None:
    """Replaces the section of that name in the page, or adds it at the end."""
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    page = PAGE.read_text() if PAGE.exists() else HEAD
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    known = pattern.search(page) is not None
    PAGE.write_text(pattern.sub(lambda _: section, page) if known else f"{page.rstrip()}\n\n{section}\n")


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.machine()
