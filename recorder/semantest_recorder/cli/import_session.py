"""A foreign run on its way into the history: which run and session it becomes, and its journals in the folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from pytest_semantest.protocol.artifacts import ARTIFACTS
from pytest_semantest.protocol.effective import named, resolve_key
from pytest_semantest.protocol.events import Event
from pytest_semantest.protocol.identity import CLIENT_WORKER, MAIN_WORKER, SHIPPER_WORKER, source_name
from pytest_semantest.protocol.layout import DATABASE, JOURNAL_SUFFIX, SESSIONS
from pytest_semantest.protocol.private_folder import make_private_folder
from pytest_semantest.protocol.record import encode
from pytest_semantest.protocol.redaction import Redactor, secret_values
from semantest_recorder.cli.configured import nearest_configuration
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState
from semantest_recorder.foreign.naming import settle_ids, uncertain
from semantest_recorder.foreign.session import ForeignFile, Heading, Session, Texts, foreign_session, overlaps
from semantest_recorder.store.errors import NoDatabase
from semantest_recorder.store.known import deleted_source, known_names, run_of_source
from semantest_recorder.store.read_only import connect_read_only

#: As of what pytest records, unless it is told otherwise.
_TEXT_MAX = 65_536
#: Files that tell of the same tests are a source each; of more of them the rest counts as further tests.
_SOURCES_MAX = 200
_DRAFT = ".importing-"
_UNSAFE = re.compile(r"[^A-Za-z0-9_\-]+")


class Asked(msgspec.Struct):
    """What the user said of the run."""

    run_id: str | None
    name: str | None
    labels: dict[str, str]
    started_ms: float | None
    branch: str | None
    commit: str | None


class Imported(msgspec.Struct):
    """A run that was read: its session with all events, and the state that follows from them.

    ``known``: the run that the history has these files in already; ``waits``: their journals lie in the folder.
    """

    run_id: str
    session_name: str
    files: list[ForeignFile]
    session: Session
    state: RunState
    known: str | None
    waits: bool


def prepare(
    folder: Path, files: Sequence[ForeignFile], asked: Asked, modified_ms: float, missing: Sequence[str] = ()
) -> Imported:
    """What importing these files, at least one, into this folder comes to; nothing is written.

    ``modified_ms``: when the newest of them was changed. ``missing``: why others could not be read at all. The same
    files give the same names, whenever and wherever they are imported. Raises what reading the database raises, except
    when there is none.
    """
    parts = [*sorted(file.sha256 for file in files), *("?" for _ in missing)]
    content = hashlib.sha256("".join(parts).encode()).hexdigest()
    run_id = asked.run_id or f"import-{content[:12]}"
    base = f"import-{hashlib.sha256(f'{run_id} {content}'.encode()).hexdigest()[:16]}"
    known_run, session_name, texts = None, base, _texts(folder)
    try:
        with closing(connect_read_only(folder / DATABASE)) as connection:
            _settle_names(files, connection, texts)
            known_run = run_of_source(connection, source_name(base, MAIN_WORKER))
            session_name = _free_name(connection, base) if known_run is None else base
            if session_name != base:
                known_run = run_of_source(connection, source_name(session_name, MAIN_WORKER))
    except NoDatabase:
        for file in files:
            settle_ids(file.run.tests, (), (), texts.name)
    heading = Heading(
        run_id,
        session_name,
        asked.name,
        asked.labels,
        asked.started_ms if asked.started_ms is not None else modified_ms,
        asked.branch,
        asked.commit,
        missing,
    )
    if asked.started_ms is not None:
        _move(files, asked.started_ms)
    session = foreign_session(files, _workers(files), heading, texts)
    waits = (folder / SESSIONS / session_name).is_dir()
    return Imported(run_id, session_name, list(files), session, _state(run_id, session_name, session), known_run, waits)


def write_journals(folder: Path, imported: Imported) -> None:
    """Writes the session as pytest would have left it: all of it is there at once, or nothing. Raises ``OSError``."""
    make_private_folder(str(folder))
    sessions = folder / SESSIONS
    sessions.mkdir(mode=0o700, exist_ok=True)
    draft = sessions / f"{_DRAFT}{imported.session_name}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if imported.session.artifacts:
        (draft / ARTIFACTS).mkdir(mode=0o700)
        for name, data in imported.session.artifacts.items():
            _write(draft / ARTIFACTS / name, [data])
    for worker, events in imported.session.events.items():
        lines = [encode(seq, _body(event)) for seq, event in enumerate(events, 1)]
        _write(draft / f"{worker}{JOURNAL_SUFFIX}", lines)
    draft.rename(sessions / imported.session_name)


def forget_journals(folder: Path, imported: Imported) -> None:
    """Removes journals that the recorder has otherwise, and will not take. Raises ``OSError``."""
    shutil.rmtree(folder / SESSIONS / imported.session_name)


def _write(path: Path, parts: Sequence[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def _body(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":"), allow_nan=False).encode()


def _settle_names(files: Sequence[ForeignFile], connection: sqlite3.Connection, texts: Texts) -> None:
    wanted = [test_id for file in files for test_id in uncertain(file.run.tests)]
    ids, suites = known_names(connection, wanted)
    for file in files:
        settle_ids(file.run.tests, ids, suites, texts.name)


def _free_name(connection: sqlite3.Connection, base: str) -> str:
    """The session's name; another one when a run of that was deleted: of a deleted source nothing is taken again."""
    name, number = base, 1
    while deleted_source(connection, source_name(name, MAIN_WORKER)):
        number += 1
        name = f"{base}-{number}"
    return name


def _move(files: Sequence[ForeignFile], started_ms: float) -> None:
    """Moves all times so that the run starts when the user says; runs without times start then anyway."""
    starts = [file.run.started_ms for file in files if file.run.started_ms is not None]
    if not starts:
        return
    by = started_ms - min(starts)
    for run in (file.run for file in files):
        run.started_ms = None if run.started_ms is None else run.started_ms + by
        run.ended_ms = None if run.ended_ms is None else run.ended_ms + by
        for attempt in (attempt for test in run.tests for attempt in test.attempts):
            attempt.started_ms = None if attempt.started_ms is None else attempt.started_ms + by


def _workers(files: Sequence[ForeignFile]) -> list[str]:
    """Main for all, when no test is in two files; else a worker for each file, by its name."""
    if not overlaps(files) or len(files) > _SOURCES_MAX:
        return [MAIN_WORKER] * len(files)
    names: list[str] = []
    for path in _short_names([file.name for file in files]):
        name = _UNSAFE.sub("-", path).strip("-")[:80] or "file"
        number, unique = 1, name
        while unique in (*names, MAIN_WORKER, SHIPPER_WORKER, CLIENT_WORKER):
            number += 1
            unique = f"{name}-{number}"
        names.append(unique)
    return names


def _short_names(paths: Sequence[str]) -> list[str]:
    """Of ``linux/junit.xml`` and ``macos/junit.xml`` the parts that tell them apart."""
    whole = [Path.cwd() / os.path.normpath(path) for path in paths]  # "." has no name
    parts = [(*path.parent.parts, path.stem) for path in whole]
    if len({one[-1] for one in parts}) == len(parts):
        return [one[-1] for one in parts]
    shared = {part for part in parts[0] if all(part in one for one in parts)}
    return ["-".join(part for part in one if part not in shared) for one in parts]


def _texts(folder: Path) -> Texts:
    """What is kept of texts: as of what pytest records beside the folder. Raises ``Stop``."""
    try:
        patterns = resolve_key(named("redact"), os.environ, nearest_configuration(folder.absolute().parent))
        redactor = Redactor(secret_values(os.environ), patterns.setting.value)
    except (ValueError, re.error) as error:
        raise Stop(f"redact: {error}", EXIT_USAGE) from None

    def value(name: str, text: str) -> str:
        return redactor.redact_pair(name, "")[1] or text

    return Texts(lambda text: redactor.clip(text, _TEXT_MAX), redactor.redact_exact, value)


def _state(run_id: str, session_name: str, session: Session) -> RunState:
    """What the recorder will make of the events."""
    decode: Callable[[bytes], RawEvent] = msgspec.json.Decoder(RawEvent).decode
    state = RunState(run_id)
    for worker, events in session.events.items():
        state.apply_all(source_name(session_name, worker), 1, [decode(_body(event)) for event in events])
    state.settle()
    return state
