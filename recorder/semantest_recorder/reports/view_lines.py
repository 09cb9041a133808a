"""The public views with their columns, for ``semantest sql --schema``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from semantest_recorder.core.views import VIEWS_VERSION, View, kind_of

if TYPE_CHECKING:
    from rich.text import Text

#: Version of ``semantest sql --schema --json``.
SCHEMA: Final = 1


def view_lines(views: Mapping[str, View]) -> Iterator[Text]:
    """Each view with what a row of it is, its columns below."""
    from rich.text import Text  # noqa: PLC0415

    width = max(len(column) for view in views.values() for column in view.columns)
    for name, view in views.items():
        yield Text.assemble((name, "bold"), "  ", plain(view.text))
        for column, text in view.columns.items():
            yield Text.assemble("  ", column.ljust(width), "  ", kind_of(column).ljust(7), "  ", (plain(text), "dim"))


def schema_document(views: Mapping[str, View]) -> dict[str, Any]:
    """The same as JSON is made of."""
    told = [
        {
            "name": name,
            "text": plain(view.text),
            "columns": [
                {"name": column, "kind": kind_of(column), "text": plain(text)} for column, text in view.columns.items()
            ],
        }
        for name, view in views.items()
    ]
    return {"schema": SCHEMA, "viewsVersion": VIEWS_VERSION, "views": told}


def plain(text: str) -> str:
    """What is told of a view or column, in one line, without what Markdown marks as code."""
    return text.replace("`", "").replace("\n", " ")
