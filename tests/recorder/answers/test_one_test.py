from __future__ import annotations

from semantest_recorder.answers.one_test import nearest


def test_a_long_name_is_compared_with_few() -> None:
    """Comparing takes longer with each character, and there may be thousands of tests to compare with."""
    long = "t.py::test_" + "".join(map(chr, range(20_000, 40_000)))
    others = [f"t.py::test_{number}" for number in range(10)]
    assert nearest(long, [f"{long}!", *others]) == [f"{long}!"]
    assert nearest(long, [*others, f"{long}!"]) == []
    assert nearest("t.py::test_sumn", [*others, "t.py::test_sum"]) == ["t.py::test_sum"]
