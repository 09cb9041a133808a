from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.access import digest_of
from semantest_recorder.core.sign_ins import CODE_MS, SIGN_IN_MS, SignIns, is_own_path

ANNA, BEN = digest_of("smt_anna"), digest_of("smt_ben")


def test_a_code_is_good_once() -> None:
    sign_ins = SignIns()
    sign_ins.offer("code", ANNA, 0.0)
    assert sign_ins.redeem("another", 1.0) is None
    assert sign_ins.redeem("code", 1.0) == ANNA
    assert sign_ins.redeem("code", 1.0) is None


def test_a_code_is_good_for_a_minute() -> None:
    sign_ins = SignIns()
    sign_ins.offer("code", ANNA, 0.0)
    sign_ins.offer("other", ANNA, 0.0)
    assert sign_ins.redeem("code", CODE_MS - 1) == ANNA
    assert sign_ins.redeem("other", CODE_MS) is None


@pytest.mark.parametrize(
    ("asked", "comes", "is_good"),
    [(1, 1, True), (1, 2, False), (1, 0, True), (0, 1, True), (None, 1, True), (1, None, True), (None, None, True)],
)
def test_a_code_is_for_the_user_who_asked_for_it_where_users_are_known(
    asked: int | None, comes: int | None, is_good: bool
) -> None:
    """``semantest open`` as root opens the browser of somebody else; relays as that of WSL come as root."""
    sign_ins = SignIns()
    sign_ins.offer("code", ANNA, 0.0, asked)
    assert sign_ins.redeem("code", 1.0, comes) == (ANNA if is_good else None)


def test_a_cookie_stands_for_a_token_until_its_time_is_over_or_it_is_given_back() -> None:
    sign_ins = SignIns()
    sign_ins.add("annas", ANNA, 0.0)
    sign_ins.add("bens", BEN, 0.0)
    again = SignIns(sign_ins.table(1.0).sign_ins)
    assert (again.credential_of("annas", 1.0), again.credential_of("bens", 1.0)) == (ANNA, BEN)
    assert again.credential_of("annas", SIGN_IN_MS) is None
    assert again.remove("bens")
    assert not again.remove("bens")
    assert again.credential_of("bens", 1.0) is None


def test_what_is_kept_holds_no_cookie_and_nothing_old() -> None:
    sign_ins = SignIns()
    sign_ins.add("annas-cookie", ANNA, 0.0)
    assert "annas-cookie" not in repr(sign_ins.table(1.0))
    assert sign_ins.table(SIGN_IN_MS).sign_ins == ()


def test_neither_codes_nor_browsers_grow_without_bound() -> None:
    sign_ins = SignIns()
    for number in range(1500):
        sign_ins.offer(f"code{number}", ANNA, 0.0)
        sign_ins.add(f"cookie{number}", ANNA, 0.0)
    assert len(sign_ins.table(1.0).sign_ins) == 1000
    assert sign_ins.redeem("code0", 1.0) is None
    assert sign_ins.redeem("code1499", 1.0) == ANNA


@pytest.mark.parametrize("target", ["/", "/runs?state=failed&q=a%20b#x", "/test?id=a.py::b%5Bc%5D"])
def test_own_paths(target: str) -> None:
    assert is_own_path(target)


@pytest.mark.parametrize(
    "target", ["", "runs", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "javascript:1"]
)
def test_other_peoples_addresses(target: str) -> None:
    assert not is_own_path(target)


@given(st.text())
def test_an_own_path_names_no_host(rest: str) -> None:
    if is_own_path(rest):
        assert rest[0] == "/"
        assert rest[1:2] not in ("/", "\\")


def test_who_signs_in_a_thousand_times_and_asks_for_many_codes_signs_nobody_else_out() -> None:
    sign_ins = SignIns()
    anna, mallory = b"a" * 32, b"m" * 32
    sign_ins.add("anna", anna, 0.0)
    sign_ins.offer("code of anna", anna, 0.0)
    for number in range(2000):
        sign_ins.add(f"mallory {number}", mallory, 1.0)
        sign_ins.offer(f"code {number}", mallory, 1.0)
    assert sign_ins.credential_of("anna", 2.0) == anna
    assert sign_ins.redeem("code of anna", 2.0) == anna
    assert sign_ins.credential_of("mallory 0", 2.0) is None
    assert sign_ins.redeem("code 1999", 2.0) == mallory
    assert len(sign_ins.table(2.0).sign_ins) == 1000


def test_a_cookie_is_good_for_the_user_who_got_it() -> None:
    sign_ins = SignIns()
    sign_ins.add("of a known user", ANNA, 0.0, 1000)
    sign_ins.add("of nobody knows whom", ANNA, 0.0)
    again = SignIns(sign_ins.table(1.0).sign_ins)
    assert [again.credential_of("of a known user", 1.0, user) for user in (1000, 1001, None)] == [ANNA, None, None]
    assert [again.credential_of("of nobody knows whom", 1.0, user) for user in (1000, None)] == [ANNA, ANNA]
