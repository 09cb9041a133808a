"""What lies in the ``.semantest`` folder, what waits there, and how much room is left."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from shlex import quote

from pytest_semantest.protocol.layout import (
    DATABASE,
    SESSIONS,
    SHIP_STATE,
    UNTAKEN,
    has_journal,
    journal_paths,
    session_folders,
)
from pytest_semantest.protocol.lock_holders import has_shipper
from pytest_semantest.protocol.small_file import read_object
from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.damaged_databases import set_aside_databases
from semantest_recorder.cli.health.check import Check
from semantest_recorder.cli.health.unread_events import unread_events
from semantest_recorder.cli.health.untold_alerts import untold_alerts
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import plural, size
from semantest_recorder.store.disk_use import bytes_on_disk
from semantest_recorder.store.errors import NoDatabase, StoreError
from semantest_recorder.store.read_only import connect_read_only

_LITTLE_ROOM = 1 << 30
_NO_ROOM = 100 << 20
_LOG_LINES = 3
#: States of a shipper that needs no help, as long as it lives.
_KEEPS_UP = ("connecting", "shipping", "idle", "done")
#: States of one that does not come further, and how its log ends when it gave up: time, process, outcome.
_IN_TROUBLE = ("unreachable", "refused", "stopped")
_LAST_WORD = re.compile(r"^\S+Z \d+ (unreachable|refused|stopped|unexpected:)(?!\w)")


def storage_checks(folder: Path) -> list[Check]:
    """Folder, room, database, leftover sessions and what their shippers said last, attachments that stay."""
    if not os.access(folder, os.R_OK | os.X_OK):
        return [_folder(folder)]
    stored = [_database(folder / DATABASE), *unread_events(folder / DATABASE), *_set_aside(folder)]
    stored += untold_alerts(folder / DATABASE)
    return [_folder(folder), _room(folder), *stored, *_sessions(folder), *_untaken(folder / UNTAKEN)]


def _folder(folder: Path) -> Check:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check(
            "folder",
            "fail",
            f"{folder} cannot be read and written",
            f"Run `chmod u+rwx {quote(str(folder))}` or change its owner.",
        )
    return Check("folder", "ok", str(folder), data={"path": str(folder)})


def _room(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    detail, data = f"{size(free)} free on its disk", {"freeBytes": free}
    if free < _NO_ROOM:
        return Check("room", "fail", detail, "Make room: journals are kept, but nothing more can be stored.", data)
    if free < _LITTLE_ROOM:
        return Check("room", "warn", detail, "Make room soon.", data)
    return Check("room", "ok", detail, data=data)


def _database(path: Path) -> Check:
    try:
        with closing(connect_read_only(path)) as connection:
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
            events = connection.execute("SELECT coalesce(sum(last_seq), 0) FROM sources").fetchone()[0]
    except NoDatabase:
        return Check("database", "ok", "none yet; the first recorded run makes it")
    except StoreError as error:
        return Check("database", "fail", str(error), "See the message: it says what to do.")
    except sqlite3.Error as error:
        start = command_line("start", path.parent, program="semantest-recorder")
        advice = f"Start the recorder (`{start}`): it sets a damaged file aside and says so."
        return Check("database", "fail", f"{path}: {error}", advice)
    total = bytes_on_disk(path)
    detail = f"{path}: {size(total)}, {plural(runs, 'run')}, {plural(events, 'event')}"
    return Check("database", "ok", detail, data={"path": str(path), "bytes": total, "runs": runs, "events": events})


def _set_aside(folder: Path) -> list[Check]:
    """Databases that were damaged: the runs in them are in no report."""
    found = set_aside_databases(folder)
    if not found:
        return []
    names = ", ".join(inert_line(name) for name in found)
    advice = (
        "The runs in it are not shown: bring back a backup (`semantest restore`), or save what can be saved of it "
        "(`sqlite3 FILE .recover`). Remove it when it is useless."
    )
    return [Check("damaged database", "warn", f"set aside: {names}", advice, {"files": found})]


def _sessions(folder: Path) -> list[Check]:
    sessions_folder = folder / SESSIONS
    if sessions_folder.exists() and not os.access(sessions_folder, os.R_OK | os.X_OK):
        return [_not_open(sessions_folder)]
    sessions = session_folders(folder)
    lost = [Check("session", "warn", note, "Make it readable, or remove it.") for note in session_notes(folder)]
    return lost + _waiting(folder, sessions)


def _not_open(path: Path) -> Check:
    return Check(
        "journals", "fail", f"{path} cannot be read", f"Run `chmod u+rwx {quote(str(path))}` or change its owner."
    )


def _waiting(folder: Path, sessions: list[Path]) -> list[Check]:
    entries = [(session, _session(session)) for session in sessions]
    found = [entry for session, entry in entries if has_journal(session)]  # the others were shipped just now
    if not found:
        return [Check("journals", "ok", "every session was taken in", data={"sessions": []})]
    total = sum(entry["bytes"] for entry in found if isinstance(entry["bytes"], int))
    shown = ", ".join(f"{entry['session']} ({_standing(entry)})" for entry in found[:3])
    more = ", ..." if len(found) > 3 else ""
    waiting = [entry for entry in found if _waits(entry)]
    detail = (
        f"{plural(len(found), 'session')} with {size(total)} of journals not taken in or still running: {shown}{more}"
    )
    sync, recover = command_line("sync", folder), command_line("recover --all", folder)
    advice = f"Run `{sync}`; `{recover}` shows what is in them." if waiting else ""
    checks = [Check("journals", "warn" if waiting else "ok", detail, advice, {"sessions": found})]
    checks += [check for session in sessions[-3:] if (check := _log(session)) is not None]
    return checks


def _untaken(place: Path) -> list[Check]:
    """Attachments whose server has the events and takes no attachments: nobody tries them again."""
    files = list(place.glob("*/*"))
    if not files:
        return []
    detail = f"{plural(len(files), 'attachment')} with {size(size_of(files))} in {place}: their server takes none"
    data = {"path": str(place), "files": len(files)}
    return [Check("attachments", "ok", f"{detail}, and they are not sent later; remove what is not needed", data=data)]


def _waits(entry: dict[str, str | int | None]) -> bool:
    return bool(entry["unreadable"]) or not entry["shipperLives"] or entry["state"] not in _KEEPS_UP


def _standing(entry: dict[str, str | int | None]) -> str:
    """``refused: no valid token``: how far the shipper of a session is, and why not further."""
    state, detail = entry["state"], entry["detail"]
    if entry["unreadable"]:
        return f"{entry['unreadable']} cannot be read"
    if state is None:
        return "no shipper"
    told = f"{state}: {detail}" if detail else str(state)
    return told if entry["shipperLives"] or state not in _KEEPS_UP else f"{told}, but its shipper is gone"


def _session(session: Path) -> dict[str, str | int | None]:
    journals = journal_paths(session)
    unreadable = [path.name for path in journals if not (path.is_file() and os.access(path, os.R_OK))]
    told = read_object(session / SHIP_STATE)
    state, detail = told.get("state"), told.get("detail")
    return {
        "session": inert_line(session.name),
        "bytes": size_of(path for path in journals if path.is_file()),
        "unreadable": inert_line(", ".join(unreadable)),
        "state": inert_line(state) if isinstance(state, str) else None,
        "detail": inert_line(detail) if isinstance(detail, str) else None,
        "shipperLives": has_shipper(session),
    }


def size_of(files: Iterable[Path]) -> int:
    """The bytes of all files together; one that was deleted meanwhile has none."""
    total = 0
    for file in files:
        with suppress(OSError):
            total += file.stat().st_size
    return total


def _log(session: Path) -> Check | None:
    """The last lines of a shipper's log."""
    try:
        lines = (session / "shipper.log").read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
    except OSError:
        return None
    last = [inert_line(line) for line in lines]
    if not last:
        return None
    detail, data = f"{inert_line(session.name)}: {' | '.join(last)}", {"lines": last}
    if read_object(session / SHIP_STATE).get("state") not in _IN_TROUBLE and not _LAST_WORD.search(last[-1]):
        return Check("shipper log", "ok", detail, data=data)
    advice = f"The end of the line says why. All it met is in {session / 'shipper.log'}."
    return Check("shipper log", "warn", detail, advice, data)
