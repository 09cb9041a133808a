"""Whether a test of earlier runs is there no more, or was merely not collected: by its file, and what is in it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_semantest.protocol.identity import split_params, without_number

_ABSENT = object()


class Gone:
    """Asked by ids of tests; ``items`` are those that were collected.

    Paths, node ids, ``-k`` and ``--lf`` leave out tests that exist: so a test is gone when its file is, or when its
    file was imported and has no such function.
    """

    def __init__(self, items: Sequence[pytest.Item], rootdir: Path) -> None:
        self._items, self._rootdir = items, rootdir
        self._modules: dict[str, object] | None = None

    def __call__(self, test_id: str) -> bool:
        """Whether there is no test of this id any more."""
        file, *names = without_number(split_params(test_id)[0]).split("::")
        if self._modules is None:
            modules = (item.getparent(pytest.Module) for item in self._items)
            self._modules = {module.nodeid: module.obj for module in modules if module is not None}
        found = self._modules.get(file)
        if found is None:
            return not os.path.exists(self._rootdir / file)
        for name in names:  # never by getattr: that may run anything
            found = inspect.getattr_static(found, name, _ABSENT)
        return found is _ABSENT
