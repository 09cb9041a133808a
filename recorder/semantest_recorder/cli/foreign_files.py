"""Files of other tools off the disk: which ones a name means, and what is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pytest_semantest.protocol.artifacts import MAX_ARTIFACT
from pytest_semantest.protocol.reading import open_to_read
from semantest_recorder.cli.stop import EXIT_NOTHING, Stop
from semantest_recorder.foreign.allure import read_allure
from semantest_recorder.foreign.errors import NotThisFormatError, Problem, UnreadableError
from semantest_recorder.foreign.formats import ALLURE, FORMATS, format_of, is_of_allure
from semantest_recorder.foreign.run import ForeignRun
from semantest_recorder.foreign.session import ForeignFile
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import size

#: A file of more bytes is no report of tests: 100,000 tests with tracebacks are some 50 MB.
BYTES_MAX = 256 * 1024 * 1024
#: All files of a folder of Allure together, attachments included.
_FOLDER_MAX = 1024 * 1024 * 1024
_FILES_MAX = 10_000
_SUFFIXES = (".xml", ".json", ".jsonl")


class Unread(msgspec.Struct):
    """A file that cannot be read, or not all of it."""

    file: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


class Found(msgspec.Struct):
    """What was read: ``files`` of which all or something could be read, ``unread`` those of which not all could be.

    ``passed_over`` are files of folders that are of no format.
    """

    files: list[ForeignFile] = msgspec.field(default_factory=list)
    unread: list[Unread] = msgspec.field(default_factory=list)
    passed_over: list[str] = msgspec.field(default_factory=list)


def read_files(path: Path, wanted: str | None) -> Found:
    """What a file or a folder holds; ``wanted``: the name of the format, ``None`` to find it out.

    Raises ``Stop`` when there is nothing of that name, or nothing to import in it.
    """
    if not path.exists():
        raise Stop(f"{inert_line(str(path))} does not exist: name a file or a folder with results", EXIT_NOTHING)
    found = Found()
    if not path.is_dir():
        _take(found, path, wanted, in_folder=False)
        return found
    names = _names(path)
    results = [one for one in names if is_of_allure(one.name)]
    if results and wanted in (None, ALLURE):
        _take_allure(found, path)
    for one in names if wanted != ALLURE else ():
        if one.suffix.lower() in _SUFFIXES and not is_of_allure(one.name):
            _take(found, one, wanted, in_folder=True)
    if not found.files and not found.unread:
        title = FORMATS[wanted].title if wanted else ", ".join(known.title for known in FORMATS.values())
        raise Stop(f"{inert_line(str(path))} holds no results of tests that can be read ({title})", EXIT_NOTHING)
    return found


def _names(folder: Path) -> list[Path]:
    """The files below, in the order of their names. Raises ``Stop`` for more than anybody means."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(place, name) for name in sorted(names)]
        if len(found) > _FILES_MAX:
            raise Stop(f"{folder} holds more than {_FILES_MAX} files: name the folder with the results")
    return found


def _take(found: Found, path: Path, wanted: str | None, *, in_folder: bool) -> None:
    try:
        data = _content(path if in_folder else path.resolve())  # a link that the user names is meant
        name = wanted or format_of(data)
        reader = FORMATS[name].read
        run = reader(data) if reader is not None else read_allure({path.name: data})
    except UnreadableError as error:
        if in_folder and wanted is None and isinstance(error, NotThisFormatError):
            found.passed_over.append(str(path))
        else:
            found.unread.append(Unread(str(path), error.problem))
        return
    _keep(found, str(path), hashlib.sha256(data).hexdigest(), run)


def _take_allure(found: Found, folder: Path) -> None:
    """An attachment that cannot be read is left out, and its attempt says so; a result is a problem of the run."""
    files: dict[str, bytes] = {}
    digest, total, problem = hashlib.sha256(), 0, None
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            data = _content(path, BYTES_MAX if is_of_allure(path.name) else MAX_ARTIFACT)
        except UnreadableError as error:
            if is_of_allure(path.name):
                problem = problem or Problem(f"{path.name}: {error.problem}")
            continue
        files[path.name] = data
        total += len(data)
        if total > _FOLDER_MAX:
            raise Stop(f"{folder} holds more than {size(_FOLDER_MAX)}: name a folder of one run")
        digest.update(path.name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(data).digest())
    try:
        run = read_allure(files)
    except UnreadableError as error:
        found.unread.append(Unread(str(folder), problem or error.problem))
        return
    run.problem = run.problem or problem
    _keep(found, str(folder), digest.hexdigest(), run)


def _keep(found: Found, name: str, sha256: str, run: ForeignRun) -> None:
    found.files.append(ForeignFile(name, sha256, run))
    if run.problem is not None:
        found.unread.append(Unread(name, run.problem))


def _content(path: Path, most: int = BYTES_MAX) -> bytes:
    """Raises ``UnreadableError``, for a file of more than ``most`` bytes without reading it."""
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            too_large = os.fstat(file.fileno()).st_size > most
            data = b"" if too_large else file.read(most + 1)
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from None
    if too_large or len(data) > most:
        raise UnreadableError(f"it is larger than {size(most)}")
    return data


def all_of(paths: list[Path], wanted: str | None) -> Iterator[Found]:
    """What each of the names holds. Raises ``Stop``."""
    for path in paths:
        yield read_files(path, wanted)
