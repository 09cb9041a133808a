"""Which cells there are and what each asks an index for."""

from __future__ import annotations

import pytest

from tests.matrix.cells import Age, Cell, all_cells, named_cells, pinned, requirements_of, usual_cells
from tests.matrix.environment import required

OLD, NEW, PRE = Age.OLDEST, Age.NEWEST, Age.PRE
REQUIRES = ["aiohttp>=3.1", "pytest>=8.2", "Pytest_XDist>=3.6"]
OLDEST = {"aiohttp": "3.1.0", "pytest": "8.2.0", "pytest-xdist": "3.6.1"}


def test_every_combination_is_a_cell_with_a_name_of_its_own() -> None:
    cells = all_cells([11, 13], pre_release=True)
    assert len(cells) == len({cell.name for cell in cells}) == 2 * (2**3 + 1)
    assert {(cell.others, cell.plugins) for cell in cells if cell.pytest is PRE} == {(NEW, NEW)}
    assert all(cell.pytest is not PRE for cell in all_cells([11], pre_release=False))


def test_usual_cells_hold_both_ends_everywhere_and_all_mixtures_once() -> None:
    usual = usual_cells(all_cells([11, 12], pre_release=True))
    assert {cell.name for cell in usual if cell.minor == 12} == {
        "3.12-oldest",
        "3.12-newest",
        "3.12-newest-pytest-pre-plugins-newest",
    }
    assert len([cell for cell in usual if cell.minor == 11]) == 9
    assert usual_cells([]) == []


def test_cells_are_chosen_by_patterns() -> None:
    cells = all_cells([11, 12], pre_release=False)
    assert [cell.name for cell in named_cells(cells, ["3.1?-newest"])] == ["3.11-newest", "3.12-newest"]
    with pytest.raises(LookupError, match=r"3\.10-oldest"):
        named_cells(cells, ["3.11-*", "3.10-oldest"])


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        (Cell(11, OLD, OLD, OLD), ["aiohttp==3.1.0", "pytest==8.2.0", "pytest-xdist==3.6.1"]),
        (Cell(11, OLD, NEW, NEW), ["aiohttp==3.1.0", *REQUIRES[1:]]),
        (Cell(11, NEW, NEW, OLD), [*REQUIRES[:2], "pytest-xdist==3.6.1"]),
        (Cell(11, NEW, PRE, NEW), [REQUIRES[0], "pytest==10.0.0rc1", REQUIRES[2]]),
    ],
)
def test_what_is_old_is_pinned_and_what_is_new_bounded(cell: Cell, wanted: list[str]) -> None:
    assert requirements_of(cell, REQUIRES, OLDEST, "10.0.0rc1") == wanted


def test_an_oldest_release_that_nobody_told_is_no_newest_one() -> None:
    with pytest.raises(KeyError):
        requirements_of(Cell(11, OLD, OLD, OLD), REQUIRES, {"pytest": "8.2.0"}, None)


def test_requirements_of_this_project_have_all_three_ages() -> None:
    """A plugin under another name would be counted among the others without a word."""
    names = {text.partition(">=")[0] for text in required()}
    mixed = Cell(11, OLD, PRE, NEW)
    assert {name for name in names if mixed.age_of(name) is PRE} == {"pytest"}
    assert {name for name in names if mixed.age_of(name) is NEW} == {"pytest-xdist", "pytest-rerunfailures"}


def test_pins_are_read_from_what_uv_prints() -> None:
    printed = (
        "# made by uv\nRich==13.9.0  # via\nPy_X==1.0 ; sys_platform == 'linux'\npytest-semantest @ file:///x.whl\n"
    )
    assert pinned(printed) == {"rich": "13.9.0", "py-x": "1.0"}
