"""The table of tokens: who holds one, until when, under which name."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.access import Credentials, Denied, Identity, Role, digest_of
from semantest_recorder.core.tokens import InvalidName, NameTaken, NoSuchToken, TokenTable

ROLES = st.sets(st.sampled_from(list(Role)), min_size=1)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(
    lambda n: n not in ("owner", "anonymous")
)


@given(st.dictionaries(NAMES, ROLES, min_size=1, max_size=6))
def test_each_token_has_its_own_holder_until_it_is_revoked(given: dict[str, set[Role]]) -> None:
    table = TokenTable()
    for name, roles in given.items():
        table = table.with_token(name, roles, digest_of(f"smt_{name}"), 1.0, None)
    for name, roles in given.items():
        digest = digest_of(f"smt_{name}")
        assert table.holder(digest, 2.0) == Identity(name, frozenset(roles), digest)
        table = table.without(name)
        assert table.holder(digest, 2.0) is None


def test_a_token_ends_at_the_very_moment_and_makes_room_for_its_name() -> None:
    digest = digest_of("smt_a")
    table = TokenTable().with_token("ci", [Role.READ], digest, 0.0, 100.0)
    assert table.holder(digest, 99.9) is not None
    assert table.holder(digest, 100.0) is None
    with pytest.raises(NameTaken):
        table.with_token("ci", [Role.READ], digest_of("smt_b"), 99.9, None)
    assert len(table.with_token("ci", [Role.READ], digest_of("smt_b"), 100.0, None).tokens) == 1


NO_NAMES = ["", "a b", "-x", "é", "a\n", "x" * 65, "../x", "\x1b[31m", "a\u202e"]


@pytest.mark.parametrize("name", ["owner", "anonymous", *NO_NAMES])
def test_names_that_pass_for_others_or_break_a_line_are_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        TokenTable().with_token(name, [Role.READ], digest_of("smt_a"), 0.0, None)


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_file_that_somebody_else_wrote_has_no_such_names_either(name: str) -> None:
    def table(named: str) -> bytes:
        return msgspec.json.encode(
            {"tokens": [{"name": named, "roles": ["read"], "digest": "0" * 64, "createdMs": 1.0}]}
        )

    assert msgspec.json.decode(table("ci"), type=TokenTable).tokens[0].name == "ci"
    with pytest.raises(msgspec.ValidationError, match="name"):
        msgspec.json.decode(table(name), type=TokenTable)


def test_what_is_not_there_cannot_be_revoked_and_the_others_are_named() -> None:
    table = TokenTable().with_token("ci", [Role.READ], digest_of("smt_a"), 0.0, None)
    with pytest.raises(NoSuchToken) as caught:
        table.without("cj")
    assert caught.value.args[1] == ["ci"]


def test_an_identity_is_valid_as_long_as_its_very_token_is() -> None:
    table = TokenTable().with_token("ci", [Role.READ], digest_of("smt_a"), 0.0, None)
    credentials = Credentials("smt_owners-own-token", anonymous=True, holder=lambda digest: table.holder(digest, 1.0))
    mine = credentials.identify(["Bearer smt_a"])
    owner = credentials.identify(["Bearer smt_owners-own-token"])
    nobody = credentials.identify([])
    for identity in (mine, owner, nobody):
        assert isinstance(identity, Identity)
        assert credentials.still_valid(identity)
    assert isinstance(credentials.identify(["Bearer smt_b"]), Denied)
    # The same name with another token is somebody else.
    table = table.without("ci").with_token("ci", [Role.READ], digest_of("smt_b"), 0.0, None)
    assert isinstance(mine, Identity)
    assert not credentials.still_valid(mine)
    assert "ci" in repr(mine)
    assert digest_of("smt_a").hex() not in repr(mine)
    assert "credential" not in repr(mine)
