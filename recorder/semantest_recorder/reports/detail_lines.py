"""Steps, logs and attachments of an attempt as terminal lines, in the order in which they were told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from semantest_recorder.reports.attempt_lines import STYLES
from semantest_recorder.reports.details import STACKS
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import AttachmentInfo, AttemptInfo, LogInfo, StepInfo
from semantest_recorder.reports.wording import duration, plural, size

_LINE_MAX = 500
_LEVELS = {"debug": "dim", "warn": "yellow", "error": "red"}


def detail_lines(attempt: AttemptInfo, most: int = 0) -> Iterator[Text]:
    """The lines; of more than ``most`` (0: all) the first ones, how many follow, and the attachments."""
    lines = list(_lines(attempt))
    shown = lines if not most or len(lines) <= most else lines[:most]
    if lines:
        yield Text("  steps and logs:" if attempt.steps or attempt.logs else "  attachments:")
    yield from shown
    hidden = len(lines) - len(shown)
    if hidden:
        yield Text(f"    ... {plural(hidden, 'more line')} (semantest show has all)", "dim")
        yield from (_attachment(one, 2) for one in attempt.attachments[:most])
    if attempt.events_left_out:
        yield Text(f"    ... and {plural(attempt.events_left_out, 'more event')} that were not read", "dim")


def _lines(attempt: AttemptInfo) -> Iterator[Text]:
    known = {step.step_id for step in _all(attempt.steps)}
    told: dict[str | None, list[LogInfo | AttachmentInfo]] = {}
    entries: list[LogInfo | AttachmentInfo] = [*attempt.logs, *attempt.attachments]
    for entry in entries:
        told.setdefault(entry.step_id if entry.step_id in known else None, []).append(entry)
    yield from _level(attempt.steps, None, told, 2)


def _all(steps: Sequence[StepInfo]) -> Iterator[StepInfo]:
    """Every step of the forest."""
    for step in steps:
        yield step
        yield from _all(step.steps)


def _level(
    steps: Sequence[StepInfo],
    step_id: str | None,
    told: dict[str | None, list[LogInfo | AttachmentInfo]],
    depth: int,
) -> Iterator[Text]:
    inside: list[StepInfo | LogInfo | AttachmentInfo] = [*steps, *told.pop(step_id, ())]
    for entry in sorted(inside, key=lambda one: one.seq):
        if isinstance(entry, LogInfo) and entry.level == STACKS:
            yield from _stacks(entry, depth)
        elif isinstance(entry, LogInfo):
            yield _log(entry, depth)
        elif isinstance(entry, AttachmentInfo):
            yield _attachment(entry, depth)
        else:
            yield from _step(entry, depth)
            yield from _level(entry.steps, entry.step_id, told, depth + 1)


def _step(step: StepInfo, depth: int) -> Iterator[Text]:
    """A line, and one for each further line of its error: a comparison is read line below line."""
    line = Text(_indent(depth)).append(inert_line(step.name)[:_LINE_MAX])
    status = "not finished" if step.status == "open" else inert_line(step.status)[:_LINE_MAX]
    line.append(f"  {status}", STYLES.get(step.status, "bold yellow"))
    if step.duration_ms is not None:
        line.append(f", {duration(step.duration_ms)}", "dim")
    if step.error is None:
        yield line
        return
    first, *more = inert(step.error.message or "").strip("\n").split("\n")
    words = [word for word in (inert_line(step.error.type or ""), inert_line(first)) if word]
    yield line.append(f": {': '.join(words)}"[:_LINE_MAX] if words else "", "red")
    for text in more:
        yield Text(f"{_indent(depth)}| ", "dim").append(inert_line(text)[:_LINE_MAX], "red")


def _log(log: LogInfo, depth: int) -> Text:
    data = f"  {inert_line(msgspec.json.encode(log.data).decode())}" if log.data not in (None, {}) else ""
    words = f"{inert_line(log.level)}: {inert_line(log.message)}"[:_LINE_MAX]
    return Text(_indent(depth)).append(words, _LEVELS.get(log.level, "")).append(data[:_LINE_MAX], "dim")


def _stacks(log: LogInfo, depth: int) -> Iterator[Text]:
    """The stacks of a process as they are: who reads them reads line below line."""
    first, *lines = inert(log.message).split("\n")
    yield Text(_indent(depth)).append(f"{STACKS} {first}"[:_LINE_MAX], "bold")
    for line in lines:
        yield Text(f"{_indent(depth)}| ", "dim").append(inert_line(line)[:_LINE_MAX])


def _attachment(one: AttachmentInfo, depth: int) -> Text:
    line = Text(_indent(depth)).append(f"{inert_line(one.kind)} {inert_line(one.name)}"[:_LINE_MAX], "cyan")
    if one.omitted is not None:
        return line.append(f"  not kept: {inert_line(one.omitted)}"[:_LINE_MAX], "yellow")
    facts = [inert_line(one.media_type)[:100]] if one.media_type else []
    facts += [size(one.size)] if one.size is not None else []
    line.append(f"  {', '.join(facts)}" if facts else "", "dim")
    where = one.place or (f"not on this machine, sha256 {one.sha256}" if one.sha256 else "")
    return line.append(f": {inert_line(where)}"[:_LINE_MAX] if where else "")


def _indent(depth: int) -> str:
    return "  " * depth
