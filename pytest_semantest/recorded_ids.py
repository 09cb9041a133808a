"""What tests are called in a recording: node ids that are alike in every process of a run, and free of secrets."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import pytest

from pytest_semantest.protocol.identity import distinct_ids, strip_group
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.translate import spell_surrogates

#: Characters. A plan's chunk of such ids, each character escaped to 12 bytes, still is a record that can be shipped.
_ID_MAX = 1900


class TestIds:
    """Test ids of this process: like in every other process of the run, and free of secrets."""

    __test__ = False

    def __init__(self, redactor: Redactor, *, grouped: bool) -> None:
        self._redactor = redactor
        self._grouped = grouped
        #: Only the few that differ from their node id: 20,000 tests must not cost memory.
        self._renamed: dict[str, str] = {}
        self._repeated: dict[pytest.Item, str] = {}

    def collect(self, items: Sequence[pytest.Item]) -> list[str]:
        """The ids of the collected items, in order."""
        names = [item.nodeid for item in items]
        ids = self.distinct(names)
        if len(set(names)) != len(names) or len(self._renamed) > 1:
            self._repeated = {
                item: test_id
                for item, name, test_id in zip(items, names, ids, strict=True)
                if test_id != self.of_name(name)
            }
        return ids

    def distinct(self, node_ids: Sequence[str]) -> list[str]:
        """The ids for node ids in collection order, repeated ones numbered."""
        if self._grouped:
            ids = [self._make(node_id) for node_id in node_ids]
        else:
            ids = [self._make(node_id) if "[" in node_id or not node_id.isascii() else node_id for node_id in node_ids]
        self._renamed.update({name: made for name, made in zip(node_ids, ids, strict=True) if made is not name})
        return distinct_ids(ids)

    def of_item(self, item: pytest.Item, node_id: str) -> str:
        """The id of a collected item with this node id."""
        if self._repeated:
            repeated = self._repeated.get(item)
            if repeated is not None:
                return repeated
        return self._renamed.get(node_id, node_id) if self._renamed else node_id

    def of_name(self, node_id: str) -> str:
        """The id for a node id that was collected, or that never was (an item made while tests run)."""
        return self._renamed.get(node_id, node_id) if self._renamed else node_id

    def _make(self, node_id: str) -> str:
        if self._grouped:
            node_id = strip_group(node_id)
        if "[" in node_id:
            node_id = self._redactor.redact_exact(node_id)
        if len(node_id) > _ID_MAX:
            checksum = crc32(node_id.encode(errors="replace"))
            node_id = f"{node_id[:_ID_MAX]}...[{len(node_id)} characters, {checksum:08x}]"
        return node_id if node_id.isascii() else spell_surrogates(node_id)
