"""docs/reference/sql.md: every public view."""

from __future__ import annotations

from docs.reference_pages.markdown import NOTE, cell, table
from semantest_recorder.core.views import VIEWS, VIEWS_VERSION, View, kind_of


def view_section(name: str, view: View) -> str:
    """A public view: its columns, and what can be asked of it."""
    rows = ((f"`{column}`", kind_of(column), cell(text)) for column, text in view.columns.items())
    columns = table(("column", "kind", "meaning"), rows)
    examples = (f"{what}:\n\n```sql\n{sql}\n```" for what, sql in view.examples.items())
    return "\n\n".join((f"## `{name}`", view.text, columns, *examples))


def sql_page() -> str:
    """Every public view."""
    sections = (view_section(name, view) for name, view in VIEWS.items())
    return f"""{NOTE}
# SQL

`semantest sql "SELECT ..."` asks these views of `.semantest/semantest.db`; [the guide](../guide/sql.md) shows how. They
are public, version {VIEWS_VERSION}: within a version views, and columns at the end of one, are only added; so name the
columns that you want instead of counting them. What is removed or gets another meaning makes a new version, which the
change log tells. The tables behind them are not public, and change with any release.

Columns that end in `_ms` are milliseconds: moments since 1970 in UTC (`datetime(started_ms / 1000, 'unixepoch')` is one
to read), durations as they are. What is not known is NULL. Names, messages and payloads are what tests said: text that
nobody should trust. `run` and `test` join the views with each other.

{(chr(10) * 2).join(sections)}
"""
