"""The snapshot of the tests for a pytest elsewhere: one for all shards of a run, pinned by those who may record it."""

from __future__ import annotations

from semantest_recorder.core.access import Role
from tests.recorder.cli_recorder.daemons import answer_of
from tests.recorder.server.running import RunningServer


def test_shards_get_the_one_of_the_first_and_a_reader_pins_nothing(server: RunningServer) -> None:
    url, folder = f"http://127.0.0.1:{server.port}", server.database.parent
    reader, shard = server.token("reader", Role.READ), server.token("ci", Role.READ, Role.INGEST)

    def asked(token: str, run: str) -> tuple[int, bytes]:
        return answer_of(url, "GET", f"/api/v1/test-snapshot?run={run}", token)

    def write(text: str) -> None:
        (folder / "new").write_text(text)
        (folder / "new").replace(folder / "test-snapshot.json")

    assert asked(shard, "of-none") == (200, b"")
    assert asked(reader, "another")[0] == 404
    write("old")
    assert asked(reader, "build-7") == (200, b"old")
    assert asked(shard, "build-8") == (200, b"old")
    for number in range(5):
        assert asked(reader, f"any-{number}") == (200, b"old")
    write("new")
    assert asked(shard, "of-none") == asked(reader, "of-none") == (200, b"")
    assert asked(shard, "build-8") == asked(reader, "build-8") == (200, b"old")
    assert asked(shard, "build-7") == asked(reader, "build-9") == (200, b"new")
    assert len(list((folder / "pinned-snapshots").iterdir())) == 3
