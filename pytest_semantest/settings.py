"""What the user asked for: command line before environment before ini file before default; a bad value is one line."""

from __future__ import annotations

import math
import os
import re
from typing import NamedTuple

import pytest

from pytest_semantest.options import FALSE, OPTIONS, TRUE, Option, is_nested
from pytest_semantest.protocol.artifacts import MAX_ARTIFACT
from pytest_semantest.protocol.layout import DIRECTORY

CAPTURE_POLICIES = ("failed", "all", "none")
SCREENSHOTS = ("on-failure", "off")
RETRY_POLICIES = ("all", "known-flaky")


class Settings(NamedTuple):
    """Resolved settings; times in seconds, ``output_limit`` in characters. ``problems`` are lines for the user."""

    directory: str
    url: str
    token: str
    run_name: str
    run_id: str
    labels: dict[str, str]
    strict: bool
    flush_timeout: float
    capture: str
    output_limit: int
    redact: list[str]
    screenshots: str
    attachment_limit: int
    retries: int
    retry: str
    retry_match: list[str]
    retry_delay: float
    problems: list[str]


class _Source:
    """Looks one option up in its three places and collects what is wrong with its value."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._options = {option.key: option for option in OPTIONS}
        self._environment: dict[str, str] = {} if is_nested(config) else dict(os.environ)
        self.problems: list[str] = []

    def values(self, key: str) -> tuple[list[str], str]:
        """``(values, where)``: what was given, with the name of the place that gave it."""
        option: Option = self._options[key]
        given = getattr(self._config.option, key, None)
        if given is not None:
            return [str(value) for value in given] if isinstance(given, list) else [str(given)], option.flag
        text = self._environment.get(option.variable)
        if text is not None:
            separated = text.replace(",", "\n") if key == "semantest_labels" else text
            return separated.splitlines() if option.kind == "list" else [text], option.variable
        try:
            ini = self._config.getini(key)
        except (ValueError, pytest.UsageError) as error:
            self.problem(f"ini {key}: {error}", "using the default")
            ini = None
        if ini is not None and ini != []:
            return [str(value) for value in ini] if isinstance(ini, list) else [str(ini)], f"ini {key}"
        return [option.default] if option.default else [], "default"

    def text(self, key: str) -> str:
        values, _ = self.values(key)
        return values[-1].strip() if values else ""

    def flag(self, key: str) -> bool:
        values, where = self.values(key)
        value = values[-1].strip().lower() if values else ""
        if value not in TRUE + FALSE:
            self.problem(f"{where}: {value!r} is neither true nor false", "using false")
        return value in TRUE

    def number(self, key: str, default: float) -> float:
        """A number not below 0, or the default and a problem."""
        values, where = self.values(key)
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

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        values, where = self.values(key)
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


def resolve(config: pytest.Config) -> Settings:
    """The settings of this process. Never raises for a wrong value: it takes the default and says so."""
    source = _Source(config)
    run_id = source.text("semantest_run_id")
    if run_id and not re.fullmatch(r"[\w.:/@+-]{1,200}", run_id):
        source.problem(
            f"run id {run_id!r} may hold letters, digits and . : / @ + - _ only", "starting a run of its own"
        )
        run_id = ""
    url = source.text("semantest_url")
    if url and not re.match(r"(?i)(?:https?|wss?)://[^\s/]+", url):
        source.problem(f"{url!r} is no recorder URL such as http://127.0.0.1:8765", "recording for the project's own")
        url = ""
    return Settings(
        directory=_directory(config, source),
        url=url,
        token=source.text("semantest_token"),
        run_name=source.text("semantest_run_name"),
        run_id=run_id,
        labels=source.labels(),
        strict=source.flag("semantest_strict"),
        flush_timeout=source.number(
            "semantest_flush_timeout", 15.0 if os.environ.get("CI", "").lower() not in FALSE else 2.0
        ),
        capture=source.choice("semantest_capture", CAPTURE_POLICIES),
        output_limit=max(200, int(source.number("semantest_output_limit", 65536))),
        redact=source.patterns("semantest_redact"),
        screenshots=source.choice("semantest_screenshots", SCREENSHOTS),
        attachment_limit=min(MAX_ARTIFACT, int(source.number("semantest_attachment_limit", 20 * 1024 * 1024))),
        retries=int(source.number("semantest_retries", 0)),
        retry=source.choice("semantest_retry", RETRY_POLICIES),
        retry_match=source.patterns("semantest_retry_match"),
        retry_delay=source.number("semantest_retry_delay", 0.0),
        problems=source.problems,
    )


def _directory(config: pytest.Config, source: _Source) -> str:
    """The ``.semantest`` folder: relative to the rootdir from an ini file, else to where pytest was called."""
    text = source.text("semantest_dir")
    if not text:
        return str(config.rootpath / DIRECTORY)
    _, where = source.values("semantest_dir")
    base = config.rootpath if where.startswith("ini") else config.invocation_params.dir
    return str(base / text)
