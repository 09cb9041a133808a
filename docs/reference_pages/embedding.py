"""docs/reference/embedding.md: every class and method of the embedding API."""

from __future__ import annotations

from docs.reference_pages.interface import class_section, function_section
from docs.reference_pages.markdown import NOTE
from semantest_recorder import embedding

#: The classes of the embedding API in the order of the page, and how one gets an object of each.
EMBEDDING = {
    "OrchestratorIntegration": "`create_orchestrator_integration(...)` gives it.",
    "Orchestrator": "`system.get_orchestrator()`",
    "TestStateManager": "`system.get_orchestrator().get_state_manager()`",
    "Persistence": "`system.get_persistence()`",
    "SecurityMiddleware": "`system.get_security()`",
    "WebSocketHandlers": "`system.create_websocket_handlers()`",
    "WebSocket": "What your server gives to `handlers.serve`.",
    "EventsNotSavedError": "",
}


def embedding_page() -> str:
    """Every class and method of the embedding API."""
    parts = [function_section(embedding.create_orchestrator_integration, "##")]
    parts += [class_section(getattr(embedding, name), origin) for name, origin in EMBEDDING.items()]
    parts.append(function_section(embedding.aiohttp_routes, "##"))
    return f"""{NOTE}
# Embedding

`from semantest_recorder.embedding import create_orchestrator_integration`; [the guide](../guide/embedding.md) says how
it is used. What stands behind `await` is a coroutine: without it nothing happens. Times are in milliseconds since 1970.

{(chr(10) * 2).join(parts)}
"""
