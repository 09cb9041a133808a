"""A WebSocket server of one's own with the whole recorder inside.

    pip install pytest-semantest websockets
    python server.py --port 8765

Then, from Node or Python: connect to ws://127.0.0.1:8765/ and speak the wire (docs/reference/wire.md).
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import time

import websockets

from semantest_recorder.embedding import create_orchestrator_integration


async def main(port: int, database: str) -> None:
    """Serves until SIGINT or SIGTERM, printing what runs once a second."""
    system = create_orchestrator_integration(
        db_path=database,
        security_policy={"max_events_per_second": 1000, "max_event_size": 1024 * 1024, "require_authentication": False},
    )
    handlers = system.create_websocket_handlers()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    # A program may start runs and say events itself, too.
    await handlers.on_start_test_run({"run_id": f"self-check-{int(time.time())}", "name": "Self check"})

    # Whoever has no token may come in here, so nobody else may: every page in a browser of this machine reaches this
    # port, and says so by an Origin header. Programs send none, which is the None.
    async with websockets.serve(handlers.serve, "127.0.0.1", port, origins=[None]) as server:
        address = server.sockets[0].getsockname()
        print(f"listening on ws://{address[0]}:{address[1]}/", flush=True)
        while not stop.is_set():
            for run in handlers.on_get_active_runs():
                print(f"{run['runId']}: {run['completedTests']} of {run['totalTests']} tests", flush=True)
            try:
                async with asyncio.timeout(1.0):
                    await stop.wait()
            except TimeoutError:
                continue
        await system.shutdown(cancel_runs=True)
    print("stopped", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8765, help="0 for any free one")
    parser.add_argument("--database", default="semantest.db")
    given = parser.parse_args()
    asyncio.run(main(given.port, given.database))
