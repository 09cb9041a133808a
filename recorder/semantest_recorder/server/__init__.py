"""The aiohttp application: WebSocket connections, the guard in front of everything, health."""
