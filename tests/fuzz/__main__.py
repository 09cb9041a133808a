"""``python -m tests.fuzz``: looks for bytes that break a target, guided by the coverage of what they reach.

    python -m tests.fuzz journal --seconds 600
    python -m tests.fuzz all --seconds 60

Needs atheris, which `make fuzz` installs into an environment of its own. What breaks a target is kept in
``tests/fuzz/findings/<target>/``, and from then on is a case of ``make test``; what takes too long or too much memory
lies in ``.fuzz/``. The exit code is 1 when something was found. What was reached before is kept in
``.fuzz/<target>/``, where the next run goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

NAMES = ("configuration", "decoder", "expressions", "foreign", "journal", "projection", "redaction", "session")
_HERE = Path(__file__).parent
_REACHED = Path(".fuzz")
#: One case that takes longer, in seconds, or more memory, in MiB, is a finding as well.
_SLOW_S = 20
_MEMORY_MB = 2048
_BEGINNINGS = 16


def main() -> int:
    """Fuzzes one target in this process, or each of them in one of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=(*NAMES, "all"))
    parser.add_argument("--seconds", type=int, default=60, help="for how long each target is fuzzed (default: 60)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        fuzz(options.target, options.seconds)
    names = NAMES if options.target == "all" else (options.target,)
    broken = [name for name in names if not _survives(name, options.seconds)]
    print(f"fuzzed {', '.join(names)}, {options.seconds} s each: {', '.join(broken) or 'nothing'} broke")
    return 1 if broken else 0


def _survives(name: str, seconds: int) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), "--here"]
    return subprocess.run(command, check=False).returncode == 0


def fuzz(name: str, seconds: int) -> None:
    """Does not return: the fuzzer ends the process."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["pytest_semantest", "semantest_recorder"]):
        targets = importlib.import_module("tests.fuzz.targets")
    choices = importlib.import_module("tests.choices")
    target = targets.TARGETS[name]
    reached, found = _REACHED / name, _HERE / "findings" / name
    for folder in (reached, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number in range(_BEGINNINGS):  # or it would begin with a few bytes, and take long to come to long cases
        (reached / f"beginning-{number}").write_bytes(random.Random(number).randbytes(target.size))

    def once(data: bytes) -> None:
        try:
            target.check(choices.Choices(data))
        except Exception:
            (found / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
            raise

    limits = [f"-max_total_time={seconds}", f"-max_len={target.size}", f"-timeout={_SLOW_S}"]
    limits += [f"-rss_limit_mb={_MEMORY_MB}", "-len_control=0", f"-artifact_prefix={_REACHED}{os.sep}{name}-"]
    atheris.Setup([sys.argv[0], *limits, str(reached), str(found)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
