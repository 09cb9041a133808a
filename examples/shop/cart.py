"""What a customer is about to buy."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

DISCOUNTS = {"WELCOME": Decimal("0.10"), "FRIENDS": Decimal("0.25")}


@dataclass
class Cart:
    """Articles with their price and how many of each."""

    lines: dict[str, tuple[Decimal, int]] = field(default_factory=dict)

    def add(self, article: str, price: str, count: int = 1) -> None:
        """Puts ``count`` more of an article into the cart; raises ValueError for a count below one."""
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        before = self.lines.get(article, (Decimal(0), 0))[1]
        self.lines[article] = (Decimal(price), before + count)

    def total(self, code: str = "") -> Decimal:
        """The price of everything, after the discount of ``code``."""
        full = sum((price * count for price, count in self.lines.values()), Decimal(0))
        return (full * (1 - DISCOUNTS.get(code, Decimal(0)))).quantize(Decimal("0.01"))


def shipping(weight_grams: int) -> Decimal:
    """What the parcel costs. It has a bug: exactly 2 kg is still a small parcel."""
    return Decimal("4.90") if weight_grams < 2000 else Decimal("9.90")
