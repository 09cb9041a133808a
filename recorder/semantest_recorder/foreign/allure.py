"""Allure 2: a folder with a ``<uuid>-result.json`` for each attempt, ``-container.json`` for fixtures, attachments."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from semantest_recorder.foreign.amounts import moment_ms
from semantest_recorder.foreign.decoding import text_of
from semantest_recorder.foreign.errors import Problem, UnreadableError
from semantest_recorder.foreign.json_values import mapping, objects, text
from semantest_recorder.foreign.python_names import node_ids
from semantest_recorder.foreign.run import (
    ForeignAttachment,
    ForeignAttempt,
    ForeignFailure,
    ForeignOutput,
    ForeignRun,
    ForeignTest,
)

RESULT = "-result.json"
CONTAINER = "-container.json"
_OUTCOMES = {"passed": "passed", "failed": "failed", "broken": "error", "skipped": "skipped"}
_STREAMS = {"stdout": "stdout", "stderr": "stderr", "log": "log"}
_UNSAFE = re.compile(r"[/\\]|^\.")


def read_allure(files: Mapping[str, bytes]) -> ForeignRun:
    """The run of a folder; ``files``: its content by name, attachments included.

    Results of the same test are its attempts, by ``historyId`` and in the order in which they started. A result that
    cannot be read is a problem of the run. Raises ``UnreadableError`` when there is no result that can be.
    """
    run = ForeignRun("allure", "Allure")
    results, fixtures = list[dict[str, Any]](), defaultdict[str, list[dict[str, Any]]](list)
    for name, data in sorted(files.items()):
        if not name.endswith((RESULT, CONTAINER)):
            continue
        try:
            told = json.loads(text_of(data))
        except (ValueError, RecursionError) as error:
            run.problem = run.problem or Problem(f"{name}: no JSON: {error}")
            continue
        if name.endswith(RESULT):
            results.append(mapping(told))
            continue
        container = mapping(told)
        children = container.get("children")
        for child in children if isinstance(children, list) else ():
            fixtures[str(child)] += [*objects(container.get("befores")), *objects(container.get("afters"))]
    if not results:
        raise UnreadableError(f"no *{RESULT} of it can be read" if run.problem else f"it holds no *{RESULT}")
    _tests(run, results, fixtures, files)
    return run


def _tests(
    run: ForeignRun,
    results: list[dict[str, Any]],
    fixtures: Mapping[str, list[dict[str, Any]]],
    files: Mapping[str, bytes],
) -> None:
    by_test: dict[str, list[dict[str, Any]]] = {}
    for told in sorted(results, key=lambda told: (moment_ms(told.get("start")) or 0.0, str(told.get("uuid")))):
        key = text(told.get("historyId")) or f"{told.get('name')} {_ids(told, _labels(told))}"
        by_test.setdefault(key, []).append(told)
    for attempts in by_test.values():
        labels = _labels(attempts[0])
        if "framework" in labels:
            run.tool = labels["framework"]
        test = ForeignTest(_ids(attempts[0], labels), [])
        for told in attempts:
            test.attempts.append(_attempt(told, fixtures.get(str(told.get("uuid")), []), files))
        run.tests.append(test)
        for told in attempts:
            start, stop = moment_ms(told.get("start")), moment_ms(told.get("stop"))
            if start is not None:
                run.started_ms = min(start, run.started_ms or start)
            if stop is not None:
                run.ended_ms = max(stop, run.ended_ms or stop)


def _labels(told: dict[str, Any]) -> dict[str, str]:
    return {str(label.get("name")): str(label.get("value")) for label in objects(told.get("labels"))}


def _ids(told: dict[str, Any], labels: Mapping[str, str]) -> tuple[str, ...]:
    """allure-pytest says ``tests.test_cart.TestTotal#test_sum`` and gives the parameters in ``name``."""
    full, name = text(told.get("fullName")) or "", text(told.get("name")) or ""
    if labels.get("framework") == "pytest" and "#" in full:
        dotted, _, method = full.rpartition("#")
        dotted = dotted.partition("[")[0].removesuffix(f".{method}")  # so it writes parameters that hold "::"
        return node_ids(dotted, name if name.partition("[")[0] == method else method)
    group = labels.get("testClass") or labels.get("suite") or ""
    if not full:
        return (f"{group}::{name}" if group else name or "unnamed",)
    if group and full.startswith(f"{group}."):
        return (f"{group}::{full[len(group) + 1 :]}{_parameters(told)}",)
    return (f"{full}{_parameters(told)}",)


def _parameters(told: dict[str, Any]) -> str:
    values = [
        str(one.get("value")) for one in objects(told.get("parameters")) if not one.get("excluded") and "value" in one
    ]
    return f"[{'-'.join(values)}]" if values else ""


def _attempt(told: dict[str, Any], fixtures: list[dict[str, Any]], files: Mapping[str, bytes]) -> ForeignAttempt:
    start, stop = moment_ms(told.get("start")), moment_ms(told.get("stop"))
    status, details = text(told.get("status")), mapping(told.get("statusDetails"))
    attempt = ForeignAttempt(_OUTCOMES.get(status or "", "error"), started_ms=start)
    if start is not None and stop is not None:
        attempt.duration_ms = max(0.0, stop - start)
    message = text(details.get("message"))
    if attempt.outcome == "skipped":
        attempt.reason = (message or "").removeprefix("Skipped: ") or None
        if (message or "").startswith("XFAIL"):
            attempt.outcome = "xfailed"
    elif attempt.outcome != "passed":
        if status not in _OUTCOMES:
            message = message or f"the file calls it {status or 'nothing'}, which says nothing"
        attempt.failure = ForeignFailure(message, stack=text(details.get("trace")))
    for part in (told, *fixtures):
        _add_attachments(attempt, part, files, 0)
    return attempt


def _add_attachments(attempt: ForeignAttempt, part: dict[str, Any], files: Mapping[str, bytes], depth: int) -> None:
    """Attachments of a result or a fixture and of its steps; captured output comes as attachments, too."""
    for told in objects(part.get("attachments")):
        name, source = text(told.get("name")) or "attachment", text(told.get("source")) or ""
        data = None if _UNSAFE.search(source) else files.get(source)
        media_type = text(told.get("type")) or "application/octet-stream"
        if name in _STREAMS and media_type == "text/plain" and data is not None:
            attempt.output.append(ForeignOutput(_STREAMS[name], data.decode("utf-8", "replace")))
        else:
            omitted = "" if data is not None else "its file is not in the folder, or too large, or cannot be read"
            attempt.attachments.append(ForeignAttachment(name, media_type, data, omitted))
    if depth < 50:
        for step in objects(part.get("steps")):
            _add_attachments(attempt, step, files, depth + 1)
