"""Which tests share fixtures, so that running them apart would set these up again."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest

#: Scopes between a test and its session.
_SCOPES = ("package", "module", "class")


class Places:
    """What items share, asked in the order of collection: cases of one function are looked at once."""

    def __init__(self) -> None:
        self._function: object = None
        self._scopes: frozenset[str] = frozenset()

    def of(self, item: pytest.Item) -> tuple[tuple[Hashable, ...], tuple[Hashable, ...]]:
        """``(shares, variant)`` of the item, as ``Collected`` has them.

        A test shares its package, module or class when it uses a fixture of that scope, autouse and xunit style ones
        included, or has a parameter of it. What has session scope and no parameters is there once in any order.
        """
        info = getattr(item, "_fixtureinfo", None)
        if info is None or info is not self._function:
            self._function = info
            self._scopes = _scopes_used(info)
        callspec: Any = getattr(item, "callspec", None)
        wide = {name: str(getattr(scope, "value", scope)) for name, scope in _scopes_of(callspec).items()}
        scopes = self._scopes.union(wide.values())
        return (
            tuple((scope, _node_of(item, scope)) for scope in _SCOPES if scope in scopes),
            tuple((name, callspec.indices.get(name)) for name, scope in wide.items() if scope == "session"),
        )


def _scopes_used(info: Any) -> frozenset[str]:
    definitions = getattr(info, "name2fixturedefs", None) or {}
    return frozenset(str(getattr(found[-1], "scope", "")) for found in definitions.values() if found)


def _scopes_of(callspec: Any) -> dict[str, Any]:
    """The scopes of a test's parameters; a private attribute, without which none is wider than the test."""
    return getattr(callspec, "_arg2scope", None) or {}


def _node_of(item: pytest.Item, scope: str) -> str:
    """What the fixtures of a scope live as long as; outside of a class those of a class live as long as the module."""
    if scope == "package":
        return str(item.path.parent)
    if scope == "class" and (node := item.getparent(pytest.Class)) is not None:
        return node.nodeid
    module = item.getparent(pytest.Module)
    return module.nodeid if module is not None else str(item.path)
