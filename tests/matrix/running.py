"""The project's tests in a cell's environment, and what came of them."""

from __future__ import annotations

import os
import subprocess
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.compat.outcomes import BAD, parse_junit
from tests.matrix.environment import ROOT, Environment

#: A pytest that hangs is not waited for longer.
_TIMEOUT_S = 3 * 3600
_TOLD_BYTES = 3000


@dataclass(frozen=True)
class Outcome:
    """What the tests of one cell came to; ``problem`` says why there are none, or why their counts are not all."""

    passed: int = 0
    failed: tuple[str, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str | None = None

    @property
    def good(self) -> bool:
        """Whether tests ran and none of them failed."""
        return self.problem is None and not self.failed and self.passed > 0


def run_tests(environment: Environment, tests: Sequence[str], results: Path, workers: int) -> Outcome:
    """Runs pytest in the checkout against the cell's wheel; log and JUnit file lie in ``results``."""
    results.mkdir(parents=True, exist_ok=True)
    junit = results / f"{environment.folder.name}.xml"
    log = results / f"{environment.folder.name}.log"
    junit.unlink(missing_ok=True)
    command: list[str | Path] = [environment.programs / "pytest", "-p", "no:cacheprovider", "-v", "-n", str(workers)]
    # Browsers, pyarrow, apprise, and the environments of the peers, of Datasette and of the MCP SDK are not the cell's.
    elsewhere = ("test_dump_parquet.py", "test_mcp.py", "test_open_datasette.py")
    ignored = ["--ignore=tests/browsers", "--ignore=tests/acceptance/test_peers.py"]
    ignored += [f"--ignore=tests/recorder/cli/{name}" for name in elsewhere]
    ignored += ["--ignore=tests/recorder/notify/test_through_apprise.py"]
    options = ["-m", "not slow", f"--junitxml={junit}", *ignored]
    begin = time.monotonic()
    with open(log, "wb") as output:
        try:
            code: int | None = subprocess.run(
                [*command, *options, *tests],
                cwd=ROOT,
                env=_variables(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
    seconds = time.monotonic() - begin
    try:
        return read_outcome(junit.read_bytes(), code, seconds)
    except (OSError, ET.ParseError):
        end = log.read_bytes()[-_TOLD_BYTES:].decode(errors="replace")
        return Outcome(seconds=seconds, problem=f"pytest ended with {code} and wrote no results:\n{end}")


def read_outcome(junit: bytes, exit_code: int | None, seconds: float) -> Outcome:
    """The outcome that a JUnit file tells, held against pytest's exit code; raises ``ET.ParseError``."""
    passed, failed = 0, []
    for (place, name), outcomes in parse_junit(junit).items():
        failed += [f"{place}::{name}"] * any(outcome in BAD for outcome in outcomes)
        passed += outcomes.count("passed")
    expected = 1 if failed else 0
    problem = None if exit_code == expected else f"pytest's exit code is {exit_code}, its tests say {expected}"
    return Outcome(passed, tuple(failed), skip_reasons(junit), seconds, problem)


def skip_reasons(junit: bytes) -> dict[str, int]:
    """How many tests were skipped for which reason; expected failures are none."""
    skips = [skip for skip in ET.fromstring(junit).iter("skipped") if skip.get("type") == "pytest.skip"]
    return dict(Counter(skip.get("message", "") for skip in skips).most_common())


def _variables(environment: Environment) -> dict[str, str]:
    dropped = ("SEMANTEST", "PYTEST", "PYTHON", "COV", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    path = f"{environment.programs}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {"PATH": path, "SEMANTEST_TEST_WHEEL": "1"}
