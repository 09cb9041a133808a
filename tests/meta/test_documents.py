"""Links between our documents lead somewhere, and each page of the design opens with its invariants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    file.relative_to(ROOT)
    for file in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"))
)
#: What is said against whom, which is a page of rows.
WITHOUT_INVARIANTS = {"threats.md"}


def prose(text: str) -> str:
    """The text without blocks of code, in which nothing is a link or a heading."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> Iterator[str]:
    """The names that headings have in addresses."""
    for heading in re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        yield re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_its_links_lead_somewhere(document: Path) -> None:
    file = ROOT / document
    without_code = re.sub(r"`[^`\n]*`", "", prose(file.read_text(encoding="utf-8")))
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        goal = file.parent / path if path else file
        assert goal.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in set(anchors(goal.read_text(encoding="utf-8"))), f"{link} has no such heading"


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "design").glob("*.md")), ids=lambda page: page.name)
def test_a_page_of_the_design_opens_with_its_invariants(page: Path) -> None:
    title, opening, *_ = page.read_text(encoding="utf-8").split("\n\n")
    assert title.startswith("# ")
    assert opening.startswith("Invariants") is (page.name not in WITHOUT_INVARIANTS)
