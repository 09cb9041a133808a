"""Which test a name that is gone may mean now."""

from __future__ import annotations

import pytest

from pytest_semantest.present_names import present_names

NAMES = (
    *("a.py", "a.py::test_total", "a.py::test_total[1-x::y]", "a.py::TestCart", "a.py::TestCart::test_adds"),
    *("shop/b.py", "shop/b.py::TestCart", "shop/b.py::TestCart::test_adds", "shop/b.py::test_pays_by_ann", "shop/c.py"),
)


@pytest.mark.parametrize(
    ("gone", "now"),
    [
        ("shop/b.py::test_total", "a.py::test_total"),  # moved
        ("gone.py::test_total[1-x::y]", "a.py::test_total[1-x::y]"),
        ("till/c.py", "shop/c.py"),
        ("a.py::test_totals", "a.py::test_total"),  # renamed
        ("shop/b.py::test_ann_pays", "shop/b.py::test_pays_by_ann"),
        ("a.py::test_total[1-x::z]", "a.py::test_total[1-x::y]"),
        ("a.py::TestCarts", "a.py::TestCart"),
        ("a.py::TestCart::test_added", "a.py::TestCart::test_adds"),
        ("shop/bb.py", "shop/b.py"),
        ("shop/d.py", None),
        ("c.py::TestCart", None),  # two have this name
        ("a.py::test_sells", None),  # nothing is like it
        ("a.py::test_pay", None),  # both another name and another file
        ("a.py::test_adds", None),  # a function is no method
        ("a.py::test_total", None),  # it is there, and its cases are other names
    ],
)
def test_only_what_is_likely_is_named(gone: str, now: str | None) -> None:
    assert present_names([gone], [name for name in NAMES if name != gone]) == {gone: now}
