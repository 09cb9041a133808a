"""Where things lie in the ``.semantest`` folder.

::

    .semantest/
        .gitignore                    ``*``
        recorder.json                 discovery file of the project's own recorder, 0600
        recorder.lock recorder.log    held by the recorder for life; its log
        recorder-starting.lock        held by the shipper or the `start` that starts one
        tokens.json tokens.lock       hashes of the tokens that were given out, 0600; held while they are changed
        sign-ins.json                 hashes of the cookies of browsers that are signed in, 0600
        unsent-runs.json              runs that wait for a collector of traces, from the end of a recorder to the next
        open.html                     leads a browser to where it signs in, 0600
        semantest.db semantest.db.lock    the lock is held by who writes the database, for as long as it does
        history.json                  what earlier runs knew of each test, written by the recorder
        test-snapshot.json            the same for selection, which needs more of every test (snapshot.py)
        remote-snapshots/             those of recorders elsewhere by their addresses, as they were last fetched
        pinned-snapshots/             those that the shards of a run share (pinned_snapshot.py)
        sessions/<session>/           one pytest session, until all of it is acknowledged
            main.journal gw0.journal  one append-only journal per process (encoding.py)
            main.status gw0.status    which phase the running test is in (encoding.py)
            shipper.journal           what the shipper itself observed
            ship.json                 how far the shipper is, for pytest's last lines (0600)
            ship.lock                 held by the one shipper that follows this session
            stop                          why pytest is to end after the test that runs
            ship.yield                    asks it to leave the session to a sync when it finds no recorder
            shipper.log               what it met
            artifacts/<sha256>            attachments of tests, until the recorder has them
        artifacts/ab/<sha256>         attachments that the recorder has
        untaken/<session>/<sha256>    attachments, when the server that has the events takes none
        damaged/                      journals with unreadable places, after all else of them was acknowledged
        reports/                      what plugins of the recorder write for people, unless told elsewhere
"""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.trust import is_findable

DIRECTORY = ".semantest"
SESSIONS = "sessions"
DATABASE = "semantest.db"
DISCOVERY = "recorder.json"
RECORDER_LOCK = "recorder.lock"
TOKENS = "tokens.json"
TOKENS_LOCK = "tokens.lock"
SIGN_INS = "sign-ins.json"
OPEN_PAGE = "open.html"
UNSENT_RUNS = "unsent-runs.json"
STARTING_LOCK = "recorder-starting.lock"
RECORDER_LOG = "recorder.log"
HISTORY = "history.json"
TEST_SNAPSHOT = "test-snapshot.json"
REMOTE_SNAPSHOTS = "remote-snapshots"
PINNED_SNAPSHOTS = "pinned-snapshots"
#: Where attachments are kept, by session, when the server that has all the events takes none.
UNTAKEN = "untaken"
#: Where journals with unreadable places are kept when all that could be read of them is acknowledged.
DAMAGED = "damaged"
#: Where plugins of the recorder write files for people, unless they are told another folder.
REPORTS = "reports"
#: What lies in the folder itself and is ours alone to make.
OWN_NAMES = (
    *(DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", f"{DATABASE}.lock"),
    *(DISCOVERY, RECORDER_LOCK, STARTING_LOCK, RECORDER_LOG, f"{RECORDER_LOG}.1"),
    *(TOKENS, TOKENS_LOCK, SIGN_INS, OPEN_PAGE, HISTORY, TEST_SNAPSHOT, REMOTE_SNAPSHOTS, PINNED_SNAPSHOTS),
    *(SESSIONS, "artifacts", UNTAKEN, DAMAGED, REPORTS, ".gitignore"),
)
JOURNAL_SUFFIX = ".journal"
STATUS_SUFFIX = ".status"
SHIP_STATE = "ship.json"
SHIP_LOCK = "ship.lock"
SHIP_YIELD = "ship.yield"
STOP = "stop"


def session_folders(directory: Path) -> list[Path]:
    """The folders of the sessions in ``directory`` that are still there, oldest name first: those with a journal."""
    return [folder for folder in visible_folders(directory) if has_journal(folder)]


def visible_folders(directory: Path) -> list[Path]:
    """All folders in ``sessions``, but for those that are being deleted; with or without a journal."""
    try:
        entries = sorted((directory / SESSIONS).iterdir())
        return [entry for entry in entries if _is_folder(entry) and not entry.name.startswith(".")]
    except OSError:  # they cannot be listed, or not be looked at
        return []


def _is_folder(entry: Path) -> bool:
    """Whether it is one itself: what a link leads to is nobody's session, and is neither sent nor swept."""
    return entry.is_dir() and not entry.is_symlink()


def has_journal(folder: Path) -> bool:
    """Whether the folder is one of a session: it holds a journal."""
    return bool(journal_paths(folder))


def journal_paths(folder: Path) -> list[Path]:
    """The journals in a session's folder; none when it cannot be listed, or goes meanwhile: others ship as well.

    ``Path.glob`` raises for a folder that goes after it has looked for it, before Python 3.13.
    """
    try:
        return [path for path in folder.iterdir() if path.suffix == JOURNAL_SUFFIX]
    except OSError:
        return []


def lost_its_journals(folder: Path) -> bool:
    """Whether a session began in a folder that holds no journal any more, and nobody shipped it.

    What is looked for comes after the journal, and goes before it when a shipper deletes what it has delivered.
    """
    try:
        entries = list(folder.iterdir())
    except OSError:  # gone as well, or closed
        return False
    began = any(entry.name == SHIP_STATE or entry.suffix == STATUS_SUFFIX for entry in entries)
    return began and not any(entry.suffix == JOURNAL_SUFFIX for entry in entries)


def find_directory(explicit: str | None, start: Path) -> Path | None:
    """The ``.semantest`` folder: the one named, else the nearest in ``start`` and its parents, else ``None``.

    One that somebody else put there is passed over (trust.py).
    """
    if explicit:
        return (start / explicit).absolute()
    for folder in (start, *start.parents):
        found = folder / DIRECTORY
        if found.is_dir() and is_findable(str(found), str(start)):
            return found
    return None
