"""XML from strangers: what it declares is refused before it is used, and what it nests is bounded."""

from __future__ import annotations

import pytest

from semantest_recorder.foreign.errors import UnreadableError
from semantest_recorder.foreign.junit import read_junit
from semantest_recorder.foreign.xml_tree import DEPTH_MAX

_LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "head",
    [
        f'<!DOCTYPE t [<!ENTITY a0 "ha">{_LAUGHS}]>',
        '<!DOCTYPE t [<!ENTITY a11 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE t [<!ATTLIST testcase name CDATA "made up">]>',
        '<!DOCTYPE t [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]>',
    ],
)
def test_entities_and_what_is_elsewhere_are_refused(head: str) -> None:
    data = f'{head}<testsuite><testcase name="a">&a11;</testcase></testsuite>'.encode()
    with pytest.raises(UnreadableError, match="which no test report needs"):
        read_junit(data)


def test_a_document_type_elsewhere_is_not_fetched() -> None:
    data = b'<!DOCTYPE testsuite SYSTEM "file:///etc/passwd"><testsuite><testcase name="a"/></testsuite>'
    assert [test.test_id for test in read_junit(data).tests] == ["a"]
    run = read_junit(data.replace(b'"a"/>', b'"a">&b;</testcase>'))
    assert run.tests[0].attempts[0].output == []


def test_depth_is_bounded() -> None:
    deep = b"<testsuite>" * DEPTH_MAX
    assert read_junit(deep).problem is not None
    with pytest.raises(UnreadableError, match="nested deeper than 100"):
        read_junit(deep + b"<testsuite>")
