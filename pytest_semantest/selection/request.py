"""What the user asks of selection, from the texts of the options. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pytest_semantest.protocol.keys import ORDERS, RUN_ID
from pytest_semantest.protocol.owed import OWED_RUNS
from pytest_semantest.selection.shard import Shard

_SHARDS_MAX = 10_000
_TIMES_MAX = 1000
_UNITS = {"s": 1e3, "m": 60e3, "h": 3600e3, "d": 86_400e3, "w": 604_800e3}


class Request(NamedTuple):
    """``order`` is a policy or empty, ``budget_ms`` milliseconds of running tests, ``rerun`` names of runs.

    ``times``: how often tests run that never passed.
    """

    order: str = ""
    shard: Shard | None = None
    budget_ms: float | None = None
    rerun: tuple[str, ...] = ()
    times: int = 1

    @property
    def goes_by_history(self) -> bool:
        """Whether the snapshot of earlier runs is of use."""
        return bool(self.order or self.shard is not None or self.budget_ms is not None or self.times > 1)

    @property
    def goes_by_code(self) -> bool:
        """Whether the fingerprints of the tests' functions are of use."""
        return bool(self.order == "likely-to-fail" or self.budget_ms is not None or self.times > 1 or self.rerun)


def parse_request(order: str, shard: str, budget: str, rerun: Sequence[str] = (), repeat_new: str = "") -> Request:
    """The request; empty texts ask for nothing. Raises ``ValueError``: what is run must not be guessed."""
    if order and order not in ORDERS:
        raise ValueError(f"--semantest-order: {order!r} is not one of {', '.join(ORDERS)}")
    return Request(
        "" if order == ORDERS[0] else order, _shard(shard), _budget(budget), _runs(rerun), _times(repeat_new)
    )


def _runs(texts: Sequence[str]) -> tuple[str, ...]:
    named = [name for text in texts for name in re.split(r"[,\s]+", text) if name]
    for name in named:
        if not re.fullmatch(RUN_ID, name):
            raise ValueError(f"--semantest-rerun: {name!r} is no id of a run; `semantest runs` lists them")
    if len(set(named)) > OWED_RUNS:
        raise ValueError(f"--semantest-rerun: {len(set(named))} runs, at most {OWED_RUNS} can be named")
    return tuple(dict.fromkeys(named))


def _shard(text: str) -> Shard | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text, re.ASCII)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of <= _SHARDS_MAX:
        raise ValueError(f"--semantest-shard: {text!r} is no shard; the second of four is 2/4")
    return Shard(number, of)


def _budget(text: str) -> float | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([smhdw])", text, re.ASCII)
    if not found or not float(found[1]):
        raise ValueError(f"--semantest-budget: {text!r} is no time such as 90s, 2m or 1.5h")
    return float(found[1]) * _UNITS[found[2]]


def _times(text: str) -> int:
    if not text:
        return 1
    times = int(text) if re.fullmatch(r"\d{1,6}", text, re.ASCII) else 0
    if not 1 <= times <= _TIMES_MAX:
        raise ValueError(f"--semantest-repeat-new: {text!r} is no number from 1 to {_TIMES_MAX}")
    return times
