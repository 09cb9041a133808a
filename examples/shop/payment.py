"""Paying through a gateway whose first connection of the day often fails, as they do."""

from __future__ import annotations

from decimal import Decimal


class GatewayTimeoutError(Exception):
    """The gateway did not answer in time."""


class Gateway:
    """A connection to the payment provider. It is cold until somebody knocked once."""

    def __init__(self) -> None:
        self._warm = False

    def charge(self, amount: Decimal) -> str:
        """Charges the amount and gives the receipt number; raises GatewayTimeoutError while the connection is cold."""
        if not self._warm:
            self._warm = True
            raise GatewayTimeoutError(f"no answer in 3 s for a charge of {amount}")
        return f"R-{amount * 100:.0f}"
