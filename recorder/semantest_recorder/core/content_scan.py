"""Signs of an injection in texts: markup that runs, scripts, SQL, paths upwards (pure).

The signs are those that the original Semantest server looked for. They prove nothing: tracebacks and test data are full
of them. So they refuse only what a client may send again in other words, and mark the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

#: Bounded repetitions only: hostile text must cost linear time. Texts are in lower case.
_SIGNS = re.compile(
    r"<script\b|<iframe\b|javascript:|\bon[a-z]{2,20}\s{0,8}=|\beval\s{0,8}\(|\balert\s{0,8}\(|\bdocument\s{0,8}\."
    r"|\bwindow\s{0,8}\.|';\s{0,8}drop\s{1,8}table|\bunion\s{1,8}select\b|\.\./"
)
#: What each sign begins with or holds: looked for first, since that costs a hundredth of the expression above.
_CORES = ("<script", "<iframe", "javascript:", "eval", "alert", "document", "window", "drop", "union", "../")
_HANDLER = re.compile(r"on[a-z]{2,20}\s{0,8}=")
#: What an error says is text of the tested program, and a result must not be refused for it.
_FREE = ("error",)
_DEPTH = 64
#: Batches of pytest's shippers have half a MiB; hostile ones of 16 would hold up everybody for seconds.
_SCANNED = 2 * 1024 * 1024
_KEY = 50
_PATH = 200


def is_suspicious(text: str) -> bool:
    """Whether the text holds one of the signs; of a longer one the first 2 MiB are looked at."""
    text = text[:_SCANNED].lower()
    if not any(core in text for core in _CORES) and not ("=" in text and _HANDLER.search(text)):
        return False
    return _SIGNS.search(text) is not None


def suspicious_fields(value: object, path: str) -> Iterator[str]:
    """The paths of texts that hold a sign, such as ``payload.tags[0]``; texts below a key ``error`` are passed over."""
    waiting: list[tuple[object, str, int]] = [(value, path, 0)]
    while waiting:
        item, at, depth = waiting.pop()
        if isinstance(item, str):
            if is_suspicious(item):
                yield at
        elif depth >= _DEPTH:
            continue
        elif isinstance(item, Mapping):
            waiting += [
                (held, _below(at, f".{key[:_KEY]}"), depth + 1) for key, held in item.items() if key not in _FREE
            ]
            if any(is_suspicious(key) for key in item if isinstance(key, str)):
                yield f"{at} (a key)"
        elif isinstance(item, Sequence):
            waiting += [(held, _below(at, f"[{number}]"), depth + 1) for number, held in enumerate(item)]


def _below(path: str, step: str) -> str:
    """Cut where it gets long: each of a million items has a path of its own."""
    return path if len(path) > _PATH else path + step
