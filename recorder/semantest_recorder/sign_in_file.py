"""``sign-ins.json``: the browsers that are signed in, so that they still are when the recorder comes back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from pytest_semantest.protocol.layout import SIGN_INS
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.trust import refuse_secret
from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.core.sign_ins import SignIns, SignInTable

_log = logging.getLogger(__name__)


def read_sign_ins(directory: Path) -> SignIns:
    """Those in the folder's file. One that cannot be used holds none: people sign in again."""
    path = directory / SIGN_INS
    try:
        data, facts = read_small_file(path)
        if refuse_secret(facts, str(directory)) is not None:
            return SignIns()
        return SignIns(msgspec.json.decode(data, type=SignInTable).sign_ins)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return SignIns()


def keeper_of(directory: Path, sign_ins: SignIns, clock: Callable[[], float]) -> Callable[[], None]:
    """Writes the file. Should that fail they hold until the recorder ends, and the log says so."""

    def keep() -> None:
        try:
            write_whole(directory / SIGN_INS, msgspec.json.encode(sign_ins.table(clock())))
        except OSError as error:
            _log.warning("who is signed in will not be known after a restart: %s", error.strerror)

    return keep
