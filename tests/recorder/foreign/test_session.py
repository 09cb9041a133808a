"""What becomes of foreign files as a session: its plan."""

from __future__ import annotations

from semantest_recorder.foreign.run import ForeignAttempt, ForeignRun, ForeignTest
from semantest_recorder.foreign.session import ForeignFile, Heading, Texts, foreign_session, overlaps


def test_tests_that_a_file_announces_and_does_not_have_are_missed_in_a_matrix_too() -> None:
    files = [
        ForeignFile(name, name, ForeignRun("ctrf", "a", [ForeignTest(("a",), [ForeignAttempt("passed")])]))
        for name in ("linux", "macos")
    ]
    files[1].run.planned_total = 3
    assert overlaps(files)
    texts = Texts(lambda text: (text, 0), lambda name: name, lambda _name, value: value)
    session = foreign_session(files, ["linux", "macos"], Heading("run", "session", None, {}, 0.0), texts)
    (plan,) = [event["payload"] for event in session.events["main"] if event["type"] == "run/plan"]
    assert (plan["tests"], plan["total"]) == (["a"], 3)
