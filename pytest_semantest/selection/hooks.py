"""The hooks of selection: the snapshot before anything is collected, the choice after all others had theirs.

Under xdist the controller finds the snapshot once and hands it to each worker, replacements included: all apply the
same pure function to the same tests and so come to the same list.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_semantest.containment import CONTAINED
from pytest_semantest.distribution import is_grouped
from pytest_semantest.fingerprint import Fingerprints
from pytest_semantest.options import SELECTION_INPUT
from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.protocol.redaction import Redactor, secret_values
from pytest_semantest.recorded_ids import TestIds
from pytest_semantest.repetition import RepetitionSummary, install_repetition, why_not
from pytest_semantest.selection.candidate import Collected
from pytest_semantest.selection.choice import Debt, choose
from pytest_semantest.selection.gone import Gone
from pytest_semantest.selection.lines import NAMED, header_line, missing_line, summary_lines
from pytest_semantest.selection.owed import Owed, parse_owed
from pytest_semantest.selection.owed_source import ask_what_is_owed
from pytest_semantest.selection.places import Places
from pytest_semantest.selection.renamed import renamed_since
from pytest_semantest.selection.request import Request, parse_request
from pytest_semantest.selection.rerun_lines import is_elsewhere, is_unrelated, rerun_facts, rerun_lines
from pytest_semantest.selection.shard import Shard
from pytest_semantest.selection.snapshot import Snapshot, parse_snapshot
from pytest_semantest.selection.source import find_snapshot
from pytest_semantest.settings import Settings

if TYPE_CHECKING:
    from pytest_semantest.recording import Recording


def install_selection(config: pytest.Config, settings: Settings) -> None:
    """Register selection for this process. Raises ``UsageError`` for what cannot be understood."""
    handed_over: dict[str, Any] | None = getattr(config, "workerinput", {}).get(SELECTION_INPUT)
    if handed_over is not None:
        shard = handed_over["shard"]
        request = Request(
            handed_over["order"],
            Shard(*shard) if shard else None,
            handed_over["budgetMs"],
            handed_over["rerun"],
            handed_over["times"],
        )
    else:
        try:
            request = parse_request(
                settings.order, settings.shard, settings.budget, settings.rerun, settings.repeat_new
            )
        except ValueError as error:
            raise pytest.UsageError(f"semantest: {error}") from None
    if request != Request():
        selection = Selection(config, settings, request, handed_over)
        if request.rerun and not (config.option.help or config.option.version):
            selection.find_debt()
        config.pluginmanager.register(selection, "semantest-selection")


class Selection:
    """Selection in one process: pytest itself, xdist's controller, or one of its workers (``handed_over``)."""

    def __init__(
        self, config: pytest.Config, settings: Settings, request: Request, handed_over: dict[str, Any] | None
    ) -> None:
        self._config = config
        self._settings = settings
        self._request = request
        self._handed_over = handed_over
        self._content = b""
        self._snapshot: Snapshot | None = None
        self._workers = 1
        self._debt = b""
        self._owed: Owed | None = None
        #: Lines for the user; those of a choice come from ``_told``.
        self._notes: list[str] = []
        self._told: dict[str, Any] | None = None
        self._first_worker = True

    @property
    def _is_worker(self) -> bool:
        return self._handed_over is not None

    @property
    def _recording(self) -> Recording | None:
        found: Recording | None = self._config.pluginmanager.get_plugin("semantest-recording")
        return found

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """The snapshot, before xdist starts its workers; the hook on items last, so that it has the last word."""
        if self._handed_over is not None:
            self._workers = self._handed_over["workers"]
            content = self._handed_over["snapshot"]
            self._snapshot = parse_snapshot(zlib.decompress(content)) if content else None
        else:
            self._find()
            if self._request.times > 1:
                self._config.pluginmanager.register(RepetitionSummary(), "semantest-repetition-summary")
        if self._config.pluginmanager.hasplugin("dsession"):
            each = self._config.option.dist == "each"  # all of them run all tests
            self._workers = 1 if each else max(len(self._config.option.tx or ()), 1)
            self._config.pluginmanager.register(_Controller(self), "semantest-selection-controller")
        else:
            self._config.pluginmanager.register(_Items(self), "semantest-selection-items")

    def find_debt(self) -> None:
        """What the runs to rerun owe; before xdist starts its workers. Raises ``UsageError`` when nobody knows."""
        try:
            if self._handed_over is not None:
                self._owed = parse_owed(zlib.decompress(self._handed_over["debt"]))
                return
            answer = ask_what_is_owed(self._settings, self._request.rerun)
        except ValueError as error:
            raise pytest.UsageError(f"semantest: --semantest-rerun: {printable_line(str(error))}") from None
        self._debt, self._owed = answer.content, answer.owed
        self._notes += answer.notes
        if self._recording is not None:
            self._recording.rerun_of = list(answer.owed.runs)

    def _find(self) -> None:
        if not self._request.goes_by_history:
            return
        found = find_snapshot(self._settings, for_shards=self._request.shard is not None)
        self._content, self._snapshot = found.content, found.snapshot
        if found.snapshot is None:
            self._notes.append(missing_line(self._request, found.note))
        elif found.note:
            self._notes.append(found.note)

    def worker_input(self) -> dict[str, Any]:
        """What each worker needs to choose as all others do; the first one tells the recording what was left out."""
        tells, self._first_worker = self._first_worker, False
        return {
            "order": self._request.order,
            "shard": tuple(self._request.shard or ()),
            "budgetMs": self._request.budget_ms,
            "snapshot": zlib.compress(self._content, 1) if self._snapshot is not None else b"",
            "workers": self._workers,
            "rerun": self._request.rerun,
            "times": self._request.times,
            "namesTests": self._names_tests(),
            "debt": zlib.compress(self._debt, 1),
            "tells": tells,
        }

    @property
    def is_rerun(self) -> bool:
        """Whether it matters what others leave out."""
        return self._owed is not None

    def select(self, items: list[pytest.Item], before: Sequence[str] = ()) -> None:
        """Leaves out and orders the items in place; whatever goes wrong leaves them as they were, and is told.

        ``before``: the node ids of all that pytest collected, for a rerun. That one ends with a ``UsageError`` instead:
        who asked for the rest must not get all.
        """
        try:
            chosen, left_out = self._choose(items, before)
        except CONTAINED as error:
            if self._owed is not None:
                raise pytest.UsageError(f"semantest: --semantest-rerun: {type(error).__name__}: {error}") from error
            self._notes.append(f"nothing was selected: {type(error).__name__}: {error}")
            self._tell()
            return
        items[:] = chosen
        if left_out:
            self._config.hook.pytest_deselected(items=left_out)

    def _choose(
        self, items: Sequence[pytest.Item], before: Sequence[str]
    ) -> tuple[list[pytest.Item], list[pytest.Item]]:
        ids = self._ids()
        collected = self._collected(items, ids)
        debt = None
        if self._owed is not None:
            elsewhere = frozenset(ids.distinct(before)) - {test.id for test in collected}
            debt = Debt(self._owed, elsewhere, not elsewhere and not self._names_tests())
        known = self._snapshot.tests if self._snapshot is not None else {}
        renamed = renamed_since(collected, known, Gone(items, self._config.rootpath))
        choice = choose(collected, self._possible(), self._snapshot, self._workers, debt, renamed)
        beyond = [collected[at].id for at in choice.beyond_budget]
        self._told = {"facts": choice.facts, "leftOut": beyond[:NAMED]}
        if choice.rest is not None:
            self._told["rerun"] = rerun_facts(
                choice.rest,
                choice.runs,
                choice.of_other_shards,
                names_tests=self._names_tests(),
                settles=bool(choice.facts["rerun"]["mended"]),
            )
        self._tell()
        recording = self._recording
        if recording is not None:
            tells = self._handed_over is None or self._handed_over["tells"]
            recording.tell_selection(choice.facts, beyond if tells else ())
        if choice.repeated:
            install_repetition(self._config, [items[at] for at in choice.repeated], self._request.times)
        left_out = sorted([*choice.of_other_shards, *choice.not_owed, *choice.beyond_budget])
        return [items[at] for at in choice.runs], [items[at] for at in left_out]

    def _possible(self) -> Request:
        """The request, without repetitions where this session cannot have them: a budget then is for one time each."""
        obstacle = why_not(self._config) if self._request.times > 1 else ""
        if not obstacle:
            return self._request
        self._notes.append(f"tests run once each: --semantest-repeat-new does not go with {obstacle}")
        return self._request._replace(times=1)

    def _names_tests(self) -> bool:
        """Whether the command line says where tests are; that of a worker is made by xdist."""
        if self._handed_over is not None:
            return bool(self._handed_over["namesTests"])
        return self._config.args_source is pytest.Config.ArgsSource.ARGS

    def _ids(self) -> TestIds:
        secrets = [*secret_values(os.environ), *([self._settings.token] if self._settings.token else [])]
        return TestIds(Redactor(secrets, self._settings.redact), grouped=is_grouped(self._config))

    def _collected(self, items: Sequence[pytest.Item], ids: TestIds) -> list[Collected]:
        """The tests under the ids that a recording gives them."""
        names, places, fingerprints = ids.distinct([item.nodeid for item in items]), Places(), Fingerprints()
        of_item = fingerprints.of if self._request.goes_by_code else _nothing
        return [
            Collected(name, name.partition("::")[0], *places.of(item), of_item(item))
            for item, name in zip(items, names, strict=True)
        ]

    def _tell(self) -> None:
        """A worker's controller is told what came of it."""
        if self._is_worker:
            told = {"told": self._told, "notes": self._notes}
            self._config.workeroutput[SELECTION_INPUT] = told  # type: ignore[attr-defined]

    def hear(self, told: dict[str, Any]) -> None:
        """What a worker tells: all of them the same."""
        self._told = self._told or told["told"]
        self._notes += [note for note in told["notes"] if note not in self._notes]

    def pytest_report_header(self) -> str | None:
        """What selects, and by what."""
        return None if self._is_worker else header_line(self._request, self._snapshot, self._owed)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A rerun with nothing to run is as green as what it reran, or its shard: pytest would call it a failure."""
        if self._told is None or self._owed is None or session.exitstatus != pytest.ExitCode.NO_TESTS_COLLECTED:
            return
        facts, told = self._told["facts"], self._told["rerun"]
        settled = is_elsewhere(told) or (self._owed.green and not facts["rerun"]["chosen"])
        if settled and facts["collected"] and not is_unrelated(told):
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What was selected, what was left out, and why nothing could be."""
        problems = self._settings.problems if self._recording is None else []
        for note in [*problems, *self._notes]:
            terminalreporter.write_line(f"semantest: {printable_line(note)}", yellow=True)
        if self._told is not None:
            lines = list(summary_lines(self._told["facts"], self._told["leftOut"]))
            if self._owed is not None and "rerun" in self._told:
                lines += rerun_lines(self._owed, self._told["rerun"], recorded=self._recording is not None)
            for line in lines:
                terminalreporter.write_line(f"semantest: {printable_line(line)}", yellow=line.startswith("NOT RUN"))


def _nothing(_item: pytest.Item) -> str:
    return ""


class _Items:
    """The hook of the processes that collect."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, object, object]:
        """Outermost, since registered last: behind ``-k``, ``-m``, ``--lf``, ``--ff`` and what shuffles."""
        before = [item.nodeid for item in items] if self._selection.is_rerun else ()
        result = yield
        self._selection.select(items, before)
        return result


class _Controller:
    """The hooks of xdist's controller."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Before a worker starts, replacements for crashed ones included."""
        node.workerinput[SELECTION_INPUT] = self._selection.worker_input()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended; one that died tells nothing."""
        told = (getattr(node, "workeroutput", None) or {}).get(SELECTION_INPUT)
        if told is not None:
            self._selection.hear(told)
