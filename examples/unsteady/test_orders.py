"""Tests that pass and fail although nobody changed anything: what `semantest flaky` is for."""

from __future__ import annotations

import random
import time
from threading import Thread


def test_adds_up() -> None:
    """Steady."""
    assert sum([1250, 120]) == 1370


def test_first_article_is_the_mug() -> None:
    """The order of a set of texts differs from process to process; a retry in the same one meets the same order."""
    articles = {"mug", "pen", "scarf", "cap"}
    assert next(iter(articles)) != "pen"


def test_receipt_is_mailed_in_time() -> None:
    """Mostly the mail is out before anybody looks; when it is not, it is so at the second look."""
    sent: list[str] = []

    def mail() -> None:
        time.sleep(random.uniform(0.0, 0.025))
        sent.append("receipt")

    Thread(target=mail).start()
    time.sleep(0.02)
    assert sent, "no receipt after 20 ms"


def test_prices_are_loaded() -> None:
    """Takes long, and longer with each article."""
    articles = 40
    time.sleep(articles * 0.001)
