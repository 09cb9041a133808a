"""``python -m tests.chaos``: breaks everything around recorded runs, and says whether anything was lost.

    python -m tests.chaos --seconds 60 --seed 7
    python -m tests.chaos --faults 1000 --seconds 3600 --json chaos.json --write

The same seed gives the same faults in the same order; when exactly they meet the processes is up to the machine. The
exit code is 1 when something was lost, doubled or wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from tests.chaos.campaign import Outcome, run_campaign
from tests.chaos.plan import MEANINGS
from tests.page_sections import RELIABILITY, machine, table, write_section


def main() -> int:
    """Runs one campaign and prints its table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long things break (default: 30)")
    parser.add_argument("--faults", type=int, help="end after so many faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there")
    parser.add_argument(
        "--directory", type=Path, help="where the campaign's folder is made (default: the temporary one)"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{options.seed}-", dir=options.directory))
    outcome = run_campaign(folder, options.seed, options.seconds, _tell, options.faults)
    print(as_text(outcome))
    print(f"kept: {folder}")
    if options.json:
        options.json.write_text(json.dumps(as_json(outcome), indent=2) + "\n")
    if options.write and outcome.is_good:
        write_section("faults", page_section(outcome), to=RELIABILITY)
    return 0 if outcome.is_good else 1


def page_section(outcome: Outcome) -> str:
    """The outcome as a section of docs/reliability.md."""
    verdict = outcome.verdict
    survived = sum(outcome.faults.values())
    rows = [(f"{fault}: {meaning}", str(outcome.faults.get(fault, 0))) for fault, meaning in MEANINGS.items()]
    said = (
        f"`python -m tests.chaos --faults {survived} --seed {outcome.seed}`: {survived} faults in "
        f"{outcome.seconds:.0f} s, {verdict.runs} runs of pytest, {verdict.attempts} attempts of tests by their own "
        f"account, {verdict.cut_off} of them cut off. Lost {verdict.count('lost')}, doubled "
        f"{verdict.count('doubled')}, wrong {verdict.count('wrong')}."
    )
    return "\n\n".join(
        [
            "## Faults survived",
            machine([f"pytest-semantest {metadata.version('pytest-semantest')}"]),
            said,
            table(("fault", "survived"), rows),
        ]
    )


def as_text(outcome: Outcome) -> str:
    """The outcome as text."""
    verdict = outcome.verdict
    lines = [
        f"seed {outcome.seed}, {outcome.seconds:.0f} s, {sum(outcome.faults.values())} faults, {verdict.runs} runs"
    ]
    lines += [f"  {fault:<20}{number:>6}" for fault, number in outcome.faults.items()]
    lines += [f"  {fault:<20}  impossible here: {reason}" for fault, reason in outcome.impossible.items()]
    lines += [f"attempts {verdict.attempts}, cut off {verdict.cut_off}"]
    lines += [f"lost {verdict.count('lost')}, doubled {verdict.count('doubled')}, wrong {verdict.count('wrong')}"]
    lines += [
        f"  {one.kind}: {one.place.run} {one.place.test} (pid {one.place.pid}): {one.text}" for one in verdict.problems
    ]
    lines += [f"  broken: {line}" for line in outcome.broken]
    return "\n".join(lines)


def as_json(outcome: Outcome) -> dict[str, object]:
    """The outcome for programs."""
    verdict = outcome.verdict
    counts = {kind: verdict.count(kind) for kind in ("lost", "doubled", "wrong")}
    return {
        "seed": outcome.seed,
        "seconds": round(outcome.seconds, 1),
        "faults": outcome.faults,
        "impossible": outcome.impossible,
        "runs": verdict.runs,
        "attempts": verdict.attempts,
        "cutOff": verdict.cut_off,
        **counts,
        "broken": outcome.broken,
    }


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
