from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.redaction import MASK, Redactor, secret_values

# Put together here, so that no scanner takes them for real ones.
TOKENS = [
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "x" * 30,
    "glpat-" + "y" * 20,
    "xoxb-" + "1234567890-abc",
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "AIza" + "b" * 35,
    "sk-" + "c" * 30,
    "sk_live_" + "d" * 20,
    "pypi-" + "e" * 60,
    "npm_" + "f" * 36,
    "smt_" + "g" * 30,
    "eyJ" + "h" * 20 + ".eyJ" + "i" * 20 + "." + "j" * 20,
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("around", ["{}", "x = '{}'", "[{}]", "https://h/?q={}&r=1", "\x1b[1m{}\x1b[0m"])
def test_tokens_of_known_formats(token: str, around: str) -> None:
    text = Redactor().redact(around.format(token))
    assert token not in text
    assert MASK in text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("password=hunter2222", f"password={MASK}"),
        ("{'api_key': 'abcd1234'}", f"{{'api_key': '{MASK}'}}"),
        ("Authorization: Bearer abc.def.ghi", f"Authorization: Bearer {MASK}"),
        ("postgres://me:s3cret@db/x", f"postgres://me:{MASK}@db/x"),
        ("client_secret : zzzzzz", f"client_secret : {MASK}"),
    ],
)
def test_named_values(text: str, redacted: str) -> None:
    assert Redactor().redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "password=geheim99",
        "Authorization: Bearer abcdefgh",
        "https://me:secret@host/",
        "token: 'abcdef'",
        "api_key=abcdef;",
    ],
)
def test_what_is_masked_stays_as_it_is(text: str) -> None:
    once = Redactor().redact(text)
    assert "[REDACTED]" in once
    assert Redactor().redact(once) == once


@pytest.mark.parametrize(
    "text", ["tests/test_tokens.py::test_token[key-1]", "assert token == 3", "http://host:80/a@b", "eyJ", "the secret"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor().redact(text) == text


def test_a_private_key() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK==\n-----END RSA PRIVATE KEY-----"
    assert "MIIEow" not in Redactor().redact(f"before {key} after")


def test_secrets_of_the_environment() -> None:
    environment = {
        "MY_API_TOKEN": "opensesame",
        "DB_PASSWORD": "opensesame-and-more",
        "SECRET_FLAG": "true",
        "TOKEN_FILE": "/etc/hostname",
        "STRIPE_KEY": "/Kabc+slash-first",
        "HOME": "/root/long-enough",
    }
    values = secret_values(environment)
    assert values == ["opensesame-and-more", "/Kabc+slash-first", "opensesame"]
    assert Redactor(values).redact("got opensesame-and-more and opensesame") == f"got {MASK} and {MASK}"


def test_in_ids_only_what_surely_is_a_secret() -> None:
    redactor = Redactor(["opensesame"], [r"CUST-\d+"])
    kept = "a.py::test_url[http://user:pass@host/?password=hunter22]"
    assert redactor.redact_exact(kept) == kept
    for secret in ("opensesame", "CUST-12345", TOKENS[0]):
        assert redactor.redact_exact(f"a.py::test_x[{secret}]") == f"a.py::test_x[{MASK}]"


def test_command_lines() -> None:
    arguments = ["--db-password", "hunter22", "--token=abcdefgh", "tests", "--api-key", "-x"]
    assert Redactor().redact_arguments(arguments) == [
        "--db-password",
        MASK,
        f"--token={MASK}",
        "tests",
        "--api-key",
        "-x",
    ]


def test_own_patterns() -> None:
    assert Redactor(patterns=[r"CUST-\d+"]).redact("for CUST-12345") == f"for {MASK}"
    with pytest.raises(re.error):
        Redactor(patterns=["("])


@given(st.text(max_size=300), st.integers(200, 400))
def test_clip_keeps_what_fits(text: str, limit: int) -> None:
    clipped, dropped = Redactor().clip(text, limit)
    if len(Redactor().redact(text)) <= limit:
        assert (clipped, dropped) == (Redactor().redact(text), 0)
    else:
        assert dropped > 0
        assert clipped.startswith(Redactor().redact(text)[: limit // 3])


@given(st.integers(0, 14000), st.sampled_from(TOKENS))
def test_no_part_of_a_secret_survives_a_cut(position: int, token: str) -> None:
    text = "-" * position + f" {token} " + "-" * (20000 - position)
    clipped, _ = Redactor().clip(text, 600)
    assert token[-12:] not in clipped
    assert token[:12] not in clipped


@pytest.mark.hazard(35)
@pytest.mark.parametrize(
    "text",
    [
        "token" * 200_000,
        "=:" * 500_000,
        "://a:" * 200_000,
        "-----BEGIN PRIVATE KEY-----" * 30_000,
        "eyJaaaaaaaaaa.eyJ" * 60_000,
        "authorization: " * 70_000,
        "token =" + " " * 1_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_is_searched_in_linear_time(text: str) -> None:
    """Quadratic search over a million characters would not end within the test's lifetime."""
    assert isinstance(Redactor().redact(text), str)


@pytest.mark.hazard(35)
@pytest.mark.timeout(40)
def test_beginnings_of_web_tokens_are_not_followed_one_by_one() -> None:
    """Each through the 2,000 characters that a header may have would take minutes."""
    text = "eyJ-" * 10_000_000 + ".eyJ"
    assert Redactor().redact_exact(text) == text


_HEADER, _BODY, _SIGNATURE = "eyJ" + "h" * 20, "eyJ" + "i" * 20, "j" * 20


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"-{_HEADER}-eyJ.{_BODY}.{_SIGNATURE}.more", f"-{MASK}.more"),
        (f"word{_HEADER} {_HEADER}.{_BODY}.{_SIGNATURE}", f"word{_HEADER} {MASK}"),
        (f"word.{_HEADER}.{_BODY}.{_BODY}.{_SIGNATURE}", f"word.{MASK}.{_SIGNATURE}"),
        (f"\x1b[1m{_HEADER}.{_BODY}.{_SIGNATURE}\x1b[0m", f"\x1b[1m{MASK}\x1b[0m"),
        (f"{_HEADER}.{_BODY}", f"{_HEADER}.{_BODY}"),
        (f"word{_HEADER}.{_BODY}.{_SIGNATURE}", f"word{_HEADER}.{_BODY}.{_SIGNATURE}"),
    ],
)
def test_web_tokens_are_found_wherever_they_begin(text: str, left: str) -> None:
    assert Redactor().redact_exact(text) == left
