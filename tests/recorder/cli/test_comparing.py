"""Two recorded runs of a user's suite, compared while the recorder runs."""

from __future__ import annotations

from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project

SUITE = """
    import pytest


    @pytest.mark.parametrize("count", [1, 2])
    def test_{name}(count):
        assert count < 3


    class TestSum:
        def test_adds_up(self):
            assert 1 + 1 == {sum}
"""
OLD, NEW = "test_cart.py::test_count", "test_cart.py::test_number_of_articles"


def test_a_renamed_and_a_broken_test(project: Project) -> None:
    project.write("test_cart.py", SUITE.format(name="count", sum=2))
    assert project.pytest().returncode == 0
    project.write("test_cart.py", SUITE.format(name="number_of_articles", sum=3))
    assert project.pytest().returncode == 1
    said = semantest("diff", "--directory", project.folder, "--json")
    assert said.code == 1
    assert [test["id"] for test in said.json["newlyFailing"]] == ["test_cart.py::TestSum::test_adds_up"]
    assert [(one["old"], one["new"], one["evidence"]) for one in said.json["renamed"]] == [(OLD, NEW, "alias")]
    history = semantest("history", "number_of_articles[2]", "--directory", project.folder, "--json").json
    assert [run["test"] for run in history["runs"]] == [f"{NEW}[2]", f"{OLD}[2]"]
    blamed = semantest("blame", "test_adds_up", "--directory", project.folder, "--json").json
    assert (blamed["verdict"], blamed["testEdited"]) == ("broken", True)
    assert (project.folder / "recorder.json").exists()
    assert semantest("alias", "remove", OLD, NEW, "--directory", project.folder).code == 0
    (alias,) = semantest("alias", "list", "--directory", project.folder, "--json").json["aliases"]
    assert (alias["old"], alias["new"], alias["state"]) == (OLD, NEW, "removed")
