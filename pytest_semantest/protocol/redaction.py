"""Secrets and size caps: what leaves a text before its bytes reach the disk, the database or a client.

Three rules, all linear in the text: values of environment variables whose names say that they are secret; tokens
whose published formats can be told from other text; values that follow a name such as ``password=``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring_ascii
from os.path import exists

MASK = "[REDACTED]"

_SECRET_NAMES = (
    *("token", "secret", "password", "passwd", "passphrase", "credential", "apikey", "api_key", "private"),
    *("access_key", "accesskey", "signing_key", "auth_key", "encryption_key"),
)
#: Shorter values are words such as "true" or "test", which would blank out half of every text.
_MIN_SECRET = 8
_LITERALS_MAX = 200

# Every quantifier below is bounded or runs over a class that its successor does not start with, so that no text makes
# the search more than linear (HAZARDS 35). A rule is tried only when one of its literal beginnings is in the text, and
# compiled when it is first tried: compiling all of them would cost every recorded pytest 10 ms.
_TOKENS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36,255}"),  # GitHub
    (("github_pat_",), r"github_pat_[A-Za-z0-9_]{22,255}"),
    (("glpat-",), r"glpat-[A-Za-z0-9_\-]{20,255}"),  # GitLab
    (("xox",), r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}"),  # Slack
    (("AKIA", "ASIA"), r"(?:AKIA|ASIA)[A-Z0-9]{16}"),  # AWS access key id
    (("AIza",), r"AIza[A-Za-z0-9_\-]{35}"),  # Google
    (("sk-",), r"sk-[A-Za-z0-9_\-]{20,200}"),  # OpenAI, Anthropic
    (("k_live_", "k_test_"), r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,200}"),  # Stripe
    (("pypi-",), r"pypi-[A-Za-z0-9_\-]{50,255}"),
    (("npm_",), r"npm_[A-Za-z0-9]{36}"),
    (("smt_",), r"smt_[A-Za-z0-9_\-]{20,100}"),  # our own
)
# Not in the middle of a word; the end of a colour sequence such as ESC[1m is no word.
_BEGIN = r"(?:(?<![A-Za-z0-9_])|(?<=[\d\[]m))"
# JSON Web Tokens: what follows the first part is looked for first, for a text may hold a beginning at every fourth
# character, each of which would be followed through the whole part.
_JWT_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_JWT_HEADER_MIN, _JWT_HEADER_MAX = len("eyJ") + 8, len("eyJ") + 2000
_JWT_BEGIN = rf"{_BEGIN}eyJ"
_JWT_REST = r"\.(?=(eyJ[A-Za-z0-9_\-]{8,4000}+\.[A-Za-z0-9_\-]{8,1000}+))"
_PRIVATE_KEY = r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s\\:,\-]{0,20000}"
_NAMED = (
    r"(?i)((?:password|passwd|passphrase|secret|token|api[_\-]?key|access[_\-]?key|private[_\-]?key|client[_\-]?secret)"
    r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?)(?!\[REDACTED\])([^\s\"',;&)\]}]{4,512})"
)
_NAMED_WORDS = ("passw", "passphrase", "secret", "token", "key")
_BEARER = (
    r"(?i)(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token)\s{1,3})(?!\[REDACTED\])"
    r"([^\s\"',]{4,2000})"
)
_URL_USER = r"(://[^\s:/@]{0,100}:)([^\s/@]{1,200})(?=@)"


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """The values of variables that are named like a secret, longest first; the path of a file is none."""
    values = {
        value
        for name, value in environment.items()
        if len(value) >= _MIN_SECRET and _is_secret(name.lower()) and not exists(value)
    }
    return sorted(values, key=len, reverse=True)[:_LITERALS_MAX]


def _is_secret(name: str) -> bool:
    return name.endswith(("_key", "-key")) or any(word in name for word in _SECRET_NAMES)


class Redactor:
    """Masks secrets in texts and cuts texts to a size.

    ``literals`` are exact secrets; ``patterns`` are further regular expressions, whose linear cost is their
    author's duty. Raises ``re.error`` for a pattern that does not compile.
    """

    def __init__(self, literals: Iterable[str] = (), patterns: Iterable[str] = ()) -> None:
        self._literals = _with_escaped_forms([text for text in literals if text])
        self._extra = [re.compile(pattern) for pattern in patterns]

    def redact(self, text: str) -> str:
        """The text with every secret that the rules know replaced by ``[REDACTED]``."""
        text = self.redact_exact(text)
        if "://" in text:
            text = re.sub(_URL_USER, rf"\1{MASK}", text)
        if "=" in text or ":" in text:
            text = _redact_named(text)
        return text

    def redact_exact(self, text: str) -> str:
        """The text without what surely is a secret: values of the environment, known formats, own patterns.

        For test ids: what merely looks like ``password=x`` or ``user:x@host`` there is test data of a URL or parser
        library, and a masked id cannot be run again.
        """
        for literal in self._literals:
            if literal in text:
                text = text.replace(literal, MASK)
        for starts, pattern in _TOKENS:
            for start in starts:
                if start in text:
                    text = re.sub(_BEGIN + pattern, MASK, text)
                    break
        if ".eyJ" in text:
            text = _redact_web_tokens(text)
        if "PRIVATE KEY" in text:
            text = re.sub(_PRIVATE_KEY, MASK, text)
        for extra in self._extra:
            text = extra.sub(MASK, text)
        return text

    def redact_pair(self, name: str, value: str) -> tuple[str, str]:
        """A name and its value, which is masked when the name says that it is a secret."""
        return self.redact(name), MASK if _is_secret(name.lower()) else self.redact(value)

    def redact_arguments(self, arguments: Sequence[str]) -> list[str]:
        """A command line; the value that follows an option such as ``--db-password`` is masked."""
        secret, redacted = False, []
        for argument in arguments:
            redacted.append(MASK if secret and not argument.startswith("-") else self.redact(argument))
            secret = argument.startswith("--") and "=" not in argument and _is_secret(argument.lower())
        return redacted

    def clip(self, text: str, limit: int) -> tuple[str, int]:
        """``(text, dropped)``: redacted, and cut to ``limit`` characters with head and tail kept.

        ``dropped`` counts the characters that were left out, 0 for a text that fits. A text far over the limit is
        cut with a margin before it is searched, so that 100 MB of output cost no more than its head and tail.
        """
        margin = limit + 4096
        if len(text) <= 2 * margin:
            return _cut(self.redact(text), limit)
        head, tail = self.redact(text[:margin]), self.redact(text[-margin:])
        keep_head, keep_tail = limit // 3, limit - limit // 3
        # A secret that the margin's edge cut in two lies outside what is kept of either half.
        dropped = len(text) - keep_head - keep_tail
        return f"{head[:keep_head]}{_gap(dropped)}{tail[len(tail) - keep_tail :]}", dropped


def _with_escaped_forms(literals: Sequence[str]) -> tuple[str, ...]:
    """The secrets as they are and as ``repr`` and JSON write them, longest first: one may be a part of another."""
    forms = {form for text in literals for form in (text, repr(text)[1:-1], encode_basestring_ascii(text)[1:-1])}
    return tuple(sorted(forms, key=len, reverse=True))


def _redact_web_tokens(text: str) -> str:
    begin = re.compile(_JWT_BEGIN)
    kept, end = [], 0
    for rest in re.finditer(_JWT_REST, text):
        dot = rest.start()
        if dot < end:
            continue
        part = text[max(end, dot - _JWT_HEADER_MAX) : dot]
        header = begin.search(text, dot - len(part) + len(part.rstrip(_JWT_CHARACTERS)), dot)
        if header is not None and dot - header.start() >= _JWT_HEADER_MIN:
            kept += [text[end : header.start()], MASK]
            end = rest.end(1)
    return "".join((*kept, text[end:])) if kept else text


def _redact_named(text: str) -> str:
    lowered = text.lower()
    if "authorization" in lowered:
        text = re.sub(_BEARER, rf"\1{MASK}", text)
    if any(word in lowered for word in _NAMED_WORDS):
        text = re.sub(_NAMED, rf"\1{MASK}", text)
    return text


def _cut(text: str, limit: int) -> tuple[str, int]:
    dropped = len(text) - limit
    if dropped <= 0:
        return text, 0
    head = limit // 3
    return f"{text[:head]}{_gap(dropped)}{text[len(text) - (limit - head) :]}", dropped


def _gap(dropped: int) -> str:
    return f"\n... [{dropped} characters left out] ...\n"
