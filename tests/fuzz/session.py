"""Clients that say anything, in any order."""

from __future__ import annotations

from tests.choices import Choices
from tests.recorder.session.exchange import Exchange
from tests.recorder.store.memory_folder import memory_folder


def check(choose: Choices) -> None:
    """Sessions, writer and database stay of one mind: what is acknowledged is stored, what is asked is answered."""
    with memory_folder() as folder:
        Exchange(choose, folder).play()
