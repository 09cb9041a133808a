"""The whole recorder inside somebody's own asyncio program.

system = create_orchestrator_integration(db_path="results.db")
handlers = system.create_websocket_handlers()
async with websockets.serve(handlers.serve, "127.0.0.1", 8765, origins=[None]):
...
"""

from __future__ import annotations

from semantest_recorder.embedding.aiohttp_server import aiohttp_routes
from semantest_recorder.embedding.handlers import WebSocketHandlers
from semantest_recorder.embedding.in_process import EventsNotSavedError
from semantest_recorder.embedding.integration import OrchestratorIntegration, create_orchestrator_integration
from semantest_recorder.embedding.orchestrator import Orchestrator
from semantest_recorder.embedding.persistence import Persistence
from semantest_recorder.embedding.security import SecurityMiddleware
from semantest_recorder.embedding.state import TestStateManager
from semantest_recorder.embedding.stream import WebSocket

__all__ = [
    "EventsNotSavedError",
    "Orchestrator",
    "OrchestratorIntegration",
    "Persistence",
    "SecurityMiddleware",
    "TestStateManager",
    "WebSocket",
    "WebSocketHandlers",
    "aiohttp_routes",
    "create_orchestrator_integration",
]
