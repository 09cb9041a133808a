"""docs/reference/client.md: the Python clients."""

from __future__ import annotations

from docs.reference_pages.interface import api_text, class_section, signature_text
from docs.reference_pages.markdown import NOTE, cell
from semantest_recorder.client import AsyncClient, Client, CommandError, EventsRefusedError, NotConnectedError


def client_page() -> str:
    """The Python clients, from their docstrings."""
    calls = [
        f"- `{signature_text(getattr(found, '__func__', found))}`"
        for name, found in vars(Client).items()
        if not name.startswith("_")
    ]
    errors = (CommandError, EventsRefusedError, NotConnectedError)
    told = [f"- `{error.__name__}`: {cell(api_text(error))}" for error in errors]
    made = f"`AsyncClient({signature_text(AsyncClient.__init__).partition('(')[2].partition(') ->')[0]})`"
    return f"""{NOTE}
# Python clients

`from semantest_recorder.client import AsyncClient, Client`. How they are used: [guide/clients.md](../guide/clients.md).

Both raise, all of them a `ClientError` with the `code` of [errors.md](errors.md):

{chr(10).join(told)}

{class_section(AsyncClient, made)}

## `Client`

{api_text(Client)} It is made as `AsyncClient` is, and has the same calls:

{chr(10).join(calls)}
"""
