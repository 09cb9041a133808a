"""A server that says what cannot be: the connection is closed, and all is sent again over another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_semantest.shipper.link import Link
from pytest_semantest.shipper.outbox import Outbox
from pytest_semantest.shipper.rendezvous import Rendezvous
from pytest_semantest.shipper.stopping import Stopping
from tests.shipper.ingest_server import TOKEN, IngestServer, Misbehaviour
from tests.shipper.test_silence import Sending

DEEP = "[" * 900 + "]" * 900
TOO_DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.hazard(27)
@pytest.mark.parametrize(
    "nonsense",
    [
        '{"type": "throttle", "source": SOURCE, "retryAfterMs": 20, "credit": NaN}',
        '{"type": "throttle", "source": SOURCE, "retryAfterMs": 20, "credit": 1e999}',
        '{"type": "throttle", "source": SOURCE, "retryAfterMs": NaN, "credit": 1}',
        f'{{"type": "throttle", "source": SOURCE, "retryAfterMs": {10**400}, "credit": 1}}',
        '{"type": "ack", "source": SOURCE, "seq": Infinity}',
        '{"type": "cancel", "payload": {"runId": "r", "reason": "so", "graceMs": -Infinity}}',
        f'{{"type": "ack", "source": SOURCE, "seq": {DEEP}}}',
        f'{{"type": "ping", "id": {TOO_DEEP}}}',
        TOO_DEEP,
        "1" * 5000,
    ],
    ids=["NaN", "1e999", "NaN wait", "large wait", "Infinity", "grace", "nested seq", "nested id", "nested", "digits"],
)
def test_nonsense_costs_the_connection_only(directory: Path, server: IngestServer, nonsense: str) -> None:
    server.behaviour = Misbehaviour(nonsense=[nonsense])
    log: list[str] = []
    link = Link(Rendezvous(directory, log.append, url=server.url, token=TOKEN), "instance", log.append, 0.0)
    sending = Sending(link, Outbox("s"), log=log)
    for seq in range(1, 4):
        sending.outbox.push(seq, b'{"type":"log","timestamp":0,"payload":%d}' % seq)
    sending.until_acked(3)
    assert link.cancelled is None
    assert len(server.handshakes) == 2, log
    assert [event["payload"] for event in server.events["s"]] == [1, 2, 3]
    link.close()


def test_a_reason_that_is_no_text_cancels_all_the_same(tmp_path: Path) -> None:
    Stopping(tmp_path, "half a pair: \ud83d", 10.0, 0.0)
    assert (tmp_path / "stop").read_text() == "half a pair: ?"
