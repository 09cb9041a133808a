"""Runs benchmarks that print their own numbers and keeps what they printed in docs/benchmarks.md.

python -m benchmarks.publish ingest latency per_test subscribers
"""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from tests.page_sections import machine, write_section

HEADINGS = {
    "ingest": "What the recorder takes in",
    "rebuild": "How fast the log becomes a database again",
    "commands": "What commands take on a million results",
    "api": "What calls of the REST API take on a million results",
    "html_report": "A run as a page",
    "recovery": "How long nobody takes events after a kill",
    "slowdown": "What a recorder in trouble costs a suite",
    "plugins": "What guard and plugins cost",
    "per_test": "What one recorded test costs",
    "latency": "From the end of a test to a subscriber",
    "selection": "How soon a failure shows, and how even shards are",
    "pages": "What pages of the dashboard take on a million results",
    "subscribers": "A thousand readers, one of them stuck",
    "live_pages": "What open live pages cost",
}
VERSIONS = ("pytest-semantest", "aiohttp", "msgspec")


def main() -> int:
    """Runs each benchmark named; gives the exit code of the first that failed."""
    for name in sys.argv[1:] or HEADINGS:
        program = [sys.executable, "-m", f"benchmarks.{name}"]
        done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout)
        if done.returncode:
            return done.returncode
        versions = [f"{package} {metadata.version(package)}" for package in VERSIONS]
        text = f"## {HEADINGS[name]}\n\n{machine(versions)}\n\n```\n{done.stdout.strip()}\n```"
        write_section(name, f"{text}\n\nHow it is measured: `python -m benchmarks.{name} --help`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
