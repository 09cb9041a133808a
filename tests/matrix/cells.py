"""The cells of the matrix: which Python with which ages of what the distribution requires (pure)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: CPython 3.N that are looked for; the first is what `requires-python` names.
MINORS = range(11, 16)
_PLUGINS = frozenset({"pytest-xdist", "pytest-rerunfailures"})
#: The oldest that go with pytest 9, where their lower bounds do not: before 16.2 rerunfailures leaves finalizers behind
#: at which pytest 9 stops (its changelog, #323).
_OLDEST_WITH_NEW_PYTEST = {"pytest-rerunfailures": "16.2"}


class Age(StrEnum):
    """Which release of a requirement a cell takes: the lower bound's, the newest, or the newest pre-release."""

    OLDEST = "oldest"
    NEWEST = "newest"
    PRE = "pre"


@dataclass(frozen=True)
class Cell:
    """CPython ``3.<minor>`` with releases of pytest, of its plugins xdist and rerunfailures, and of all others."""

    minor: int
    others: Age
    pytest: Age
    plugins: Age

    @property
    def name(self) -> str:
        """``3.11-oldest`` when all are of one age, else ``3.11-oldest-pytest-newest-plugins-oldest``."""
        name = f"3.{self.minor}-{self.others}"
        return name if self.uniform else f"{name}-pytest-{self.pytest}-plugins-{self.plugins}"

    @property
    def uniform(self) -> bool:
        """Whether all requirements are of one age."""
        return self.others == self.pytest == self.plugins

    def age_of(self, requirement: str) -> Age:
        """The age of one requirement by its canonical name."""
        if requirement == "pytest":
            return self.pytest
        return self.plugins if requirement in _PLUGINS else self.others


def all_cells(minors: Iterable[int], *, pre_release: bool) -> list[Cell]:
    """Every combination; with the pre-release of pytest only where everything else is newest."""
    ages = (Age.OLDEST, Age.NEWEST)
    found = []
    for minor in minors:
        found += [Cell(minor, *chosen) for chosen in itertools.product(ages, repeat=3)]
        if pre_release:
            found.append(Cell(minor, Age.NEWEST, Age.PRE, Age.NEWEST))
    return found


def usual_cells(cells: Sequence[Cell]) -> list[Cell]:
    """All of one age and the pre-release on every Python; mixed ages, which say less, on the oldest Python only."""
    first = min((cell.minor for cell in cells), default=0)
    return [cell for cell in cells if cell.uniform or cell.pytest is Age.PRE or cell.minor == first]


def named_cells(cells: Sequence[Cell], patterns: Sequence[str]) -> list[Cell]:
    """The cells whose names match one of the shell patterns; raises LookupError for a pattern that matches none."""
    for pattern in patterns:
        if not any(fnmatchcase(cell.name, pattern) for cell in cells):
            raise LookupError(f"no cell is called {pattern}; --list shows all that can be had here")
    return [cell for cell in cells if any(fnmatchcase(cell.name, pattern) for pattern in patterns)]


def requirements_of(
    cell: Cell, requires: Iterable[str], oldest: Mapping[str, str], pre_release: str | None
) -> list[str]:
    """What the cell asks an index for: a pin for what is old or a pre-release, the lower bound for what is newest.

    ``oldest``: versions by canonical name. Raises KeyError when one that is needed is not in it.
    """
    wanted = []
    for text in requires:
        name = canonicalize_name(Requirement(text).name)
        age = cell.age_of(name)
        if age is Age.OLDEST:
            new = cell.pytest is not Age.OLDEST
            wanted.append(f"{name}=={(new and _OLDEST_WITH_NEW_PYTEST.get(name)) or oldest[name]}")
        else:
            wanted.append(f"{name}=={pre_release}" if age is Age.PRE else text)
    return wanted


def pinned(compiled: str) -> dict[str, str]:
    """Versions by canonical name of a list of ``name==version`` lines, comments left out."""
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in compiled.splitlines())
    pairs = (line.split("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version for name, version in pairs}
