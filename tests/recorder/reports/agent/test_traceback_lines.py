"""The project's own lines of tracebacks as pytest and Python write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.reports.agent.traceback_lines import Frame, is_own, traceback_lines

LONG = """\
    def test_load():
>       assert shop.load("{bad") == {}
               ^^^^^^^^^^^^^^^^^

tests/test_cart.py:7:\x20
_ _ _ _ _ _ _ _ _ _ _ _ _
shop/__init__.py:5: in load
    return json.loads(text)
           ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/json/__init__.py:346: in loads
    return _default_decoder.decode(s)
_ _ _ _ _ _ _ _ _ _ _ _ _

self = <json.decoder.JSONDecoder object>, s = '{bad'

    def raw_decode(self, s, idx=0):
>           obj, end = self.scan_once(s, idx)
E           json.decoder.JSONDecodeError: Expecting property name
E             at: line 1
E

.venv/lib/python3.11/site-packages/json/decoder.py:353: JSONDecodeError"""
SHORT = """\
tests/test_cart.py:7: in test_load
    assert shop.load("{bad") == {}
E   assert 1 == 2
E    +  where 1 = f()"""
NATIVE = """\
Traceback (most recent call last):
  File "/home/dev/project/tests/test_cart.py", line 7, in test_load
    assert shop.load("{bad") == {}
AssertionError"""


def test_the_long_form_with_frames_that_are_not_the_projects() -> None:
    told = traceback_lines(LONG)
    assert told.own == [
        Frame("tests/test_cart.py", 7, 'assert shop.load("{bad") == {}'),
        Frame("shop/__init__.py", 5, "return json.loads(text)"),
    ]
    assert [frame.line for frame in told.frames] == [7, 5, 346, 353]
    assert told.error == ["json.decoder.JSONDecodeError: Expecting property name", "  at: line 1", ""]


@pytest.mark.parametrize(
    ("text", "file", "error"),
    [
        (SHORT, "tests/test_cart.py", ["assert 1 == 2", " +  where 1 = f()"]),
        (NATIVE, "/home/dev/project/tests/test_cart.py", []),
    ],
)
def test_other_forms(text: str, file: str, error: list[str]) -> None:
    told = traceback_lines(text)
    assert told.own == [Frame(file, 7, 'assert shop.load("{bad") == {}')]
    assert told.error == error


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("src/shop.py", True),
        ("../shop.py", True),
        ("lib/python_tools.py", True),
        ("/home/dev/lib/python/shop.py", True),
        (".venv/lib/python3.12/site-packages/django/db.py", False),
        ("/usr/lib/python3/dist-packages/apt.py", False),
        ("../../usr/lib/python3.11/json/decoder.py", False),
        (r"C:\venv\Lib\site-packages\x.py", False),
    ],
)
def test_which_files_may_be_the_projects(file: str, own: bool) -> None:
    assert is_own(file) is own


@given(st.lists(st.sampled_from([*LONG.split("\n"), *SHORT.split("\n"), *NATIVE.split("\n"), ">", "E", ":1:"])))
def test_any_order_of_lines_is_read(lines: list[str]) -> None:
    told = traceback_lines("\n".join(lines))
    assert len(told.error) == sum(line.startswith("E") for line in lines)
    assert set(told.own) <= set(told.frames)
