"""Fixtures of the shop's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shop.cart import Cart
from shop.payment import Gateway


@pytest.fixture
def cart() -> Iterator[Cart]:
    """A cart with two articles."""
    cart = Cart()
    cart.add("mug", "12.50")
    cart.add("pen", "1.20", 5)
    print(f"cart: {cart.lines}")
    yield cart
    cart.lines.clear()


@pytest.fixture(scope="session")
def gateway() -> Gateway:
    """One connection for the whole session, as in production."""
    return Gateway()
