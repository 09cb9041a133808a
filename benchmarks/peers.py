"""The environment of the overhead benchmark: this project and the reporting plugins people use today, side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("pytest-reportlog", "pytest-json-report", "pytest-html", "allure-pytest")

# Without these no Semantest: they are in every measurement, the bare one too.
COMPANIONS = frozenset({"xdist", "xdist.looponfail", "rerunfailures"})


@dataclass(frozen=True)
class Case:
    """One way to run pytest: its options, and the plugins (entry point names) that are loaded for it."""

    name: str
    options: tuple[str, ...] = ()
    plugins: frozenset[str] = frozenset()


CASES = (
    Case("bare"),
    Case("semantest", ("--semantest",), frozenset({"semantest"})),
    Case("junitxml", ("--junitxml=out/junit.xml",)),
    Case("reportlog", ("--report-log=out/report.jsonl",), frozenset({"pytest_reportlog"})),
    Case(
        "json-report",
        ("--json-report", "--json-report-file=out/report.json"),
        frozenset({"pytest_jsonreport", "metadata"}),
    ),
    Case("html", ("--html=out/report.html", "--self-contained-html"), frozenset({"html", "html_fixtures", "metadata"})),
    Case("allure", ("--alluredir=out/allure", "--clean-alluredir"), frozenset({"allure_pytest"})),
)
INACTIVE = Case("inactive", (), frozenset({"semantest"}))


@dataclass(frozen=True)
class BenchEnvironment:
    """A virtual environment with everything installed; ``plugins`` and ``versions`` as its metadata has them."""

    python: Path
    plugins: frozenset[str]
    versions: Mapping[str, str]

    def command(self, case: Case) -> list[str]:
        """The pytest command of a case: every plugin that is not part of it stays unimported."""
        unknown = case.plugins - self.plugins
        if unknown:
            raise LookupError(f"{case.name}: no such plugin in the bench environment: {', '.join(sorted(unknown))}")
        blocked = sorted(self.plugins - COMPANIONS - case.plugins)
        options = [part for name in blocked for part in ("-p", f"no:{name}")]
        return [str(self.python), "-m", "pytest", "-q", *options, *case.options]


def bench_environment(folder: Path) -> BenchEnvironment:
    """Makes or updates the environment in ``folder`` and reads what is in it."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *REQUIREMENTS], check=True)
    # A copy, not an editable install: what users have, and pip rebuilds it from the checkout each time.
    subprocess.run([*pip, "--force-reinstall", "--no-deps", str(ROOT)], check=True)
    subprocess.run([*pip, str(ROOT)], check=True)
    found = json.loads(subprocess.run([str(python), "-c", _INVENTORY], check=True, capture_output=True).stdout)
    return BenchEnvironment(python, frozenset(found["plugins"]), found["versions"])


def clean_environment(**extra: str) -> dict[str, str]:
    """The caller's environment without what would change pytest's behaviour."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "PYTHON", "SEMANTEST", "COV", "CI", "VIRTUAL_ENV"))
    }
    return {**kept, "PYTHONHASHSEED": "0", **extra}


_INVENTORY = """
import importlib.metadata as metadata, json
print(json.dumps({
    "plugins": sorted({entry.name for entry in metadata.entry_points(group="pytest11")}),
    "versions": {found.metadata["Name"].lower(): found.version for found in metadata.distributions()},
}))
"""
