"""From the cart to the paid order."""

from __future__ import annotations

import shutil
import time

import pytest

from shop.cart import Cart
from shop.payment import Gateway

pytestmark = pytest.mark.checkout


def test_pays(cart: Cart, gateway: Gateway) -> None:
    """Flaky: the first call of a session meets a cold connection; with a retry it passes."""
    assert gateway.charge(cart.total()) == "R-1850"


@pytest.mark.skipif(shutil.which("no-such-label-printer") is None, reason="no label printer here")
def test_prints_the_label() -> None:
    raise AssertionError("never reached without a printer")


def test_stock_is_counted_at_night() -> None:
    """Slow, so that `semantest watch` in a second terminal has something to show."""
    for shelf in range(1, 9):
        print(f"shelf {shelf} counted")
        time.sleep(0.25)
