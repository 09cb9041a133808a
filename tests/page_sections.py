"""docs/benchmarks.md and docs/reliability.md: each program that measures owns one section and writes only that."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

_DOCS = Path(__file__).resolve().parent.parent / "docs"
BENCHMARKS = _DOCS / "benchmarks.md"
RELIABILITY = _DOCS / "reliability.md"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is left-aligned, the others are right-aligned."""
    lines = [header, [":---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine(versions: Iterable[str]) -> str:
    """One paragraph: when, on what, with which versions (``name version`` each)."""
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    where = f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"Measured {when} on {where}, {'; '.join([python, ', '.join(versions)]).removesuffix('; ')}."


def write_section(name: str, text: str, to: Path = BENCHMARKS) -> None:
    """Replaces the section of that name in the page, or adds it at the end. Raises ``OSError`` without the page."""
    to.write_text(with_section(to.read_text(), name, text))


def with_section(page: str, name: str, text: str) -> str:
    """The page with this section of that name."""
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    known = pattern.search(page) is not None
    return pattern.sub(lambda _: section, page) if known else f"{page.rstrip()}\n\n{section}\n"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.machine()
