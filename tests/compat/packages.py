"""The well-known packages whose own suites are run bare and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Package:
    """A pinned source distribution that carries its tests, and what they need.

    ``own_distribution``: its configuration uses xdist, so it is run as it is, too. ``why`` says what it adds.
    """

    name: str
    version: str
    why: str
    requirements: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    own_distribution: bool = False
    build_environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def pin(self) -> str:
        """As pip reads it."""
        return f"{self.name}=={self.version}"


PACKAGES = (
    Package("more-itertools", "11.2.1", "unittest classes and their subtests", arguments=("tests",)),
    Package(
        "packaging",
        "26.3",
        "more than 10,000 parametrized tests, warnings are errors",
        requirements=("hypothesis", "pretend", "tomli_w", "pip"),
        # 51,523 tests of one kind that would take most of the campaign's time and add nothing to it.
        arguments=("--ignore=tests/test_version.py",),
    ),
    Package(
        "yarl",
        "1.25.1",
        "xdist, pytest-cov and doctests in its own configuration",
        requirements=("covdefaults", "cython", "pytest-cov", "hypothesis", "pydantic"),
        own_distribution=True,
        build_environment={"YARL_NO_EXTENSIONS": "1"},
    ),
    Package(
        "attrs",
        "26.1.0",
        "strict configuration, importlib mode, hypothesis",
        requirements=("cloudpickle", "hypothesis", "pympler"),
    ),
    Package("click", "8.5.1", "captures and replaces standard streams, warnings are errors"),
    Package("boltons", "26.2.0", "doctests of all modules", arguments=("--doctest-modules", "boltons", "tests")),
    Package("pyparsing", "3.3.3", "one large unittest hierarchy", requirements=("railroad-diagrams", "jinja2")),
    Package("jinja2", "3.1.6", "async tests, warnings are errors", requirements=("trio",)),
    Package(
        "python-dateutil",
        "4.0.0",
        "freezegun, hypothesis, xfail_strict",
        requirements=("freezegun", "hypothesis", "attrs", "pytest-cov"),
        arguments=("tests",),
    ),
)

#: Small and without further requirements: what `make test` runs.
SHORT = Package("toolz", "1.2.0", "live logging on, doctests", arguments=("--doctest-modules", "toolz"))
