"""What the user asked for: command line, environment, files, ini file, default. A bad value is one line."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_semantest.options import is_nested
from pytest_semantest.protocol.artifacts import MAX_ARTIFACT
from pytest_semantest.protocol.keys import FALSE, RECORDING, RUN_ID, TRUE, URL, Key, default_of
from pytest_semantest.protocol.layout import DIRECTORY
from pytest_semantest.protocol.small_file import read_small_file

if TYPE_CHECKING:
    from pytest_semantest.protocol.configuration import Configuration


_TOKEN_BYTES = 4096


class Settings(NamedTuple):
    """Resolved settings; times in seconds, ``output_limit`` in characters. ``problems`` are lines for the user.

    ``order``, ``shard``, ``budget``, ``rerun`` and ``repeat_new`` are the texts that were given:
    selection/request.py reads them.
    """

    directory: str
    url: str
    token: str
    run_name: str
    run_id: str
    labels: dict[str, str]
    strict: bool
    flush_timeout: float
    report: list[str]
    report_timeout: float
    fail_on: list[str]
    github: str
    capture: str
    output_limit: int
    redact: list[str]
    screenshots: str
    attachment_limit: int
    stacks: str
    retries: int
    retry: str
    retry_match: list[str]
    retry_delay: float
    quarantine: bool
    quarantine_file: str
    #: ``None`` where none was given; an empty one is no revision, and no reason to believe the work tree.
    quarantine_base: str | None
    quarantine_days: int
    order: str
    shard: str
    budget: str
    rerun: list[str]
    repeat_new: str
    problems: list[str]


class _Found(NamedTuple):
    """What was given for an option, and by which place. ``rank``: 0 for the command line, 4 for the default."""

    values: list[str]
    where: str
    rank: int


class _Source:
    """Looks one option up in its places and collects what is wrong with its value."""

    def __init__(self, config: pytest.Config, files: Configuration | None) -> None:
        self._config = config
        self._files = files
        self._keys = {key.ini: key for key in RECORDING}
        self._environment: dict[str, str] = {} if is_nested(config) else dict(os.environ)
        self.problems: list[str] = []

    def find(self, name: str) -> _Found:
        """What was given for the option with this ini key."""
        key = self._keys[name]
        given = getattr(self._config.option, name, None)
        if given is not None:
            return _Found([str(value) for value in given] if isinstance(given, list) else [str(given)], key.flag, 0)
        text = self._environment.get(key.variable)
        if text is not None:
            separated = text.replace(",", "\n") if key.kind == "labels" else text
            return _Found(separated.splitlines() if key.is_list else [text], key.variable, 1)
        setting = self._files.get(key.path) if self._files is not None else None
        if setting is not None:
            return _Found(_texts(setting.value), f"{setting.place}: {key.path}", 2)
        return self._find_ini(key)

    def _find_ini(self, key: Key) -> _Found:
        try:
            ini = self._config.getini(key.ini)
        except (ValueError, pytest.UsageError) as error:
            self.problem(f"ini {key.ini}: {error}", "using the default")
            ini = None
        if ini is not None and ini != []:
            return _Found(_texts(ini), f"ini {key.ini}", 3)
        default = default_of(key, os.environ)
        return _Found([] if default is None else _texts(default), "default", 4)

    def values(self, name: str) -> tuple[list[str], str]:
        """``(values, where)``: what was given, with the name of the place that gave it."""
        return self.find(name)[:2]

    def text(self, key: str) -> str:
        values, _ = self.values(key)
        return values[-1].strip() if values else ""

    def text_if_given(self, key: str) -> str | None:
        return self.text(key) if self.values(key)[0] else None

    def flag(self, key: str) -> bool:
        values, where = self.values(key)
        value = values[-1].strip().lower() if values else ""
        if value not in TRUE + FALSE:
            self.problem(f"{where}: {value!r} is neither true nor false", "using false")
        return value in TRUE

    def number(self, key: str) -> float:
        """A number not below 0, or the default and a problem."""
        values, where = self.values(key)
        default = float(default_of(self._keys[key], os.environ))
        if not values or values[-1] == "":
            return default
        try:
            number = float(values[-1])
        except ValueError:
            number = math.nan
        if not 0 <= number < 1e9:
            self.problem(f"{where}: {values[-1]!r} is no number from 0 up", f"using {default:g}")
            return default
        return number

    def choice(self, key: str) -> str:
        values, where = self.values(key)
        choices = self._keys[key].choices
        if values[-1] not in choices:
            self.problem(f"{where}: {values[-1]!r} is not one of {', '.join(choices)}", f"using {choices[0]}")
            return choices[0]
        return values[-1]

    def labels(self) -> dict[str, str]:
        values, where = self.values("semantest_labels")
        labels = {}
        for text in values:
            key, separator, value = text.strip().partition("=")
            if separator and key.strip():
                labels[key.strip()] = value.strip()
            elif text.strip():
                self.problem(f"{where}: {text!r} is no label of the form key=value", "left out")
        return labels

    def patterns(self, key: str) -> list[str]:
        values, where = self.values(key)
        good = []
        for text in values:
            try:
                re.compile(text)
            except (re.error, OverflowError, RecursionError) as error:
                self.problem(f"{where}: {text!r} is no regular expression ({error})", "left out")
            else:
                if text:
                    good.append(text)
        return good

    def problem(self, what: str, instead: str) -> None:
        self.problems.append(f"{what}; {instead}")


def _texts(value: Any) -> list[str]:
    """A value of a file as the texts that a command line would give."""
    if isinstance(value, dict):
        return [f"{name}={one}" for name, one in value.items()]
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]


def resolve(config: pytest.Config, files: Configuration | None) -> Settings:
    """The settings of this process; ``files``: what the configuration files say.

    Never raises for a wrong value: it takes the default and says so.
    """
    source = _Source(config, files)
    run_id = source.text("semantest_run_id")
    if run_id and not re.fullmatch(RUN_ID, run_id):
        source.problem(
            f"run id {run_id!r} may hold letters, digits and . : / @ + - _ only", "starting a run of its own"
        )
        run_id = ""
    url = source.text("semantest_url")
    if url and not re.match(URL, url):
        source.problem(f"{url!r} is no recorder URL such as http://127.0.0.1:8765", "recording for the project's own")
        url = ""
    return Settings(
        directory=_path(config, source, "semantest_dir") or str(config.rootpath / DIRECTORY),
        url=url,
        token=_token(config, source),
        run_name=source.text("semantest_run_name"),
        run_id=run_id,
        labels=source.labels(),
        strict=source.flag("semantest_strict"),
        flush_timeout=source.number("semantest_flush_timeout"),
        report=_reports(config, source),
        report_timeout=source.number("semantest_report_timeout"),
        fail_on=[name for text in source.values("semantest_fail_on")[0] for name in text.replace(",", " ").split()],
        github=source.choice("semantest_github"),
        capture=source.choice("semantest_capture"),
        output_limit=max(200, int(source.number("semantest_output_limit"))),
        redact=source.patterns("semantest_redact"),
        screenshots=source.choice("semantest_screenshots"),
        stacks=source.choice("semantest_stacks"),
        attachment_limit=min(MAX_ARTIFACT, int(source.number("semantest_attachment_limit"))),
        retries=int(source.number("semantest_retries")),
        retry=source.choice("semantest_retry"),
        retry_match=source.patterns("semantest_retry_match"),
        retry_delay=source.number("semantest_retry_delay"),
        quarantine=source.flag("semantest_quarantine"),
        quarantine_file=_path(config, source, "semantest_quarantine_file"),
        quarantine_base=source.text_if_given("semantest_quarantine_base"),
        quarantine_days=max(1, int(source.number("semantest_quarantine_days"))),
        order=source.text("semantest_order"),
        shard=source.text("semantest_shard"),
        budget=source.text("semantest_budget"),
        rerun=source.values("semantest_rerun")[0],
        repeat_new=source.text("semantest_repeat_new"),
        problems=source.problems,
    )


def _path(config: pytest.Config, source: _Source, key: str) -> str:
    """A path: relative to the rootdir from a file, else to where pytest was called; empty when there is none."""
    text = source.text(key)
    return os.path.join(_base(config, source, key), text) if text else ""


def _reports(config: pytest.Config, source: _Source) -> list[str]:
    """``FORMAT:PATH`` of each report with a whole path; what has no path as it is."""
    found = []
    for text in source.values("semantest_report")[0]:
        form, colon, path = text.strip().partition(":")
        base = _base(config, source, "semantest_report")
        found.append(f"{form}:{os.path.join(base, os.path.expanduser(path))}" if path else f"{form}{colon}")
    return [text for text in found if text]


def _base(config: pytest.Config, source: _Source, key: str) -> str:
    """Where relative paths of this option begin."""
    return str(config.rootpath if source.find(key).rank > 1 else config.invocation_params.dir)


def _token(config: pytest.Config, source: _Source) -> str:
    """The token, or the content of its file; of both the one that was given by the nearer place."""
    token, path = source.text("semantest_token"), _path(config, source, "semantest_token_file")
    if not path or (token and source.find("semantest_token").rank <= source.find("semantest_token_file").rank):
        return token
    try:
        found = read_small_file(path, _TOKEN_BYTES)[0].decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        source.problem(f"token file {path}: it cannot be read: {reason}", "shipping without a token")
        return ""
    if not found or not found.isascii() or not found.isprintable() or " " in found:
        source.problem(f"token file {path}: it is not one line of visible ASCII", "shipping without a token")
        return ""
    return found
