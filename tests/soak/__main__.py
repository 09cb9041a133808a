"""``python -m tests.soak``: hours of a team's recorder in minutes; does anything that it uses grow?

    python -m tests.soak --seconds 600 --seed 7
    python -m tests.soak --seconds 3600 --hours 48 --json soak.json --write

Runs, clients, readers, questions, cleanups, backups and tokens come and go; the clock of all of them goes faster, so
that hours pass. Now and then everybody leaves, and memory, descriptors, threads, log and database are compared with the
times before. The same seed gives the same steps in the same order. The exit code is 1 when something grew, or when
something that was acknowledged is not stored once, 2 when there was no recorder to look at, or no compiler: its clock
needs one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.page_sections import RELIABILITY, write_section
from tests.soak.campaign import run_soak
from tests.soak.page import as_json, page_section, text_lines
from tests.soak.place import CommandFailedError, NoClockError

_SPEED = 72.0
#: An event whose time is five minutes off is refused, and on a busy machine it may be some seconds on its way.
_SPEED_MAX = 100.0
#: What is shorter is warm-up from beginning to end.
_SHORTEST_S = 120.0


def main() -> int:
    """Soaks, prints, and gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0, help="how long it takes (default: 600)")
    parser.add_argument("--hours", type=float, help="how long that is for the recorder (default: 12 in 10 minutes)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples there")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/reliability.md")
    parser.add_argument("--directory", type=Path, help="where the soak's folder is made (default: the temporary one)")
    options = parser.parse_args()
    if options.seconds < _SHORTEST_S:
        parser.error(f"what grows for good shows after {_SHORTEST_S:.0f} seconds at the earliest")
    hours = options.seconds * _SPEED / 3600 if options.hours is None else options.hours
    if hours * 3600 > _SPEED_MAX * options.seconds:
        parser.error(f"{hours:g} hours need {hours * 3600 / _SPEED_MAX:.0f} seconds: live events would come too late")
    folder = Path(tempfile.mkdtemp(prefix=f"soak-{options.seed}-", dir=options.directory))
    try:
        outcome = asyncio.run(run_soak(folder, options.seed, options.seconds, hours, _tell))
    except (CommandFailedError, NoClockError, OSError) as error:
        print(f"there is nothing to judge: {error}; kept: {folder}", file=sys.stderr)
        return 2
    print("\n".join(text_lines(outcome)))
    print(f"kept: {folder}")
    if options.json:
        options.json.write_text(json.dumps(as_json(outcome), indent=2) + "\n")
    if options.write and outcome.is_good:
        write_section("soak", page_section(outcome), to=RELIABILITY)
    return 0 if outcome.is_good else 1


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
