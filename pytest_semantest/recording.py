"""An active recording: opens the journal, registers the hooks that write it, and tells the user how it went."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_semantest import __version__, forks
from pytest_semantest.attempts import RerunHooks, TestHooks
from pytest_semantest.containment import contained
from pytest_semantest.detail_hooks import DetailHooks
from pytest_semantest.distribution import (
    WORKER_DROPPED,
    WORKER_INPUT,
    WORKER_NOTICES,
    WORKER_OUTPUT,
    ControllerHooks,
    is_grouped,
)
from pytest_semantest.journal import Clock, Journal
from pytest_semantest.launch import Shipper
from pytest_semantest.phase_slot import PhaseSlot, open_phase_slot
from pytest_semantest.place import Place
from pytest_semantest.process import platform_facts, process_facts
from pytest_semantest.protocol.identity import MAIN_WORKER, source_name
from pytest_semantest.protocol.redaction import Redactor, secret_values
from pytest_semantest.protocol.version import PROTOCOL_VERSION
from pytest_semantest.recorded_ids import TestIds
from pytest_semantest.repeated_items import REPEATS
from pytest_semantest.retry import RetryPolicy, reruns_possible
from pytest_semantest.session_folder import make_session_folder, new_session_id
from pytest_semantest.session_summary import Standing
from pytest_semantest.settings import Settings
from pytest_semantest.translate import Translator

if TYPE_CHECKING:
    from pytest_semantest.at_end import AtEnd
    from pytest_semantest.command_at_end import Recorded
    from pytest_semantest.fixtures import Semantest
    from pytest_semantest.stack_signal import StackSignal


def install(config: pytest.Config, settings: Settings) -> None:
    """Register an active recording for this process."""
    recording = Recording(config, settings)
    config.stash[RECORDING] = recording
    config.pluginmanager.register(recording, "semantest-recording")
    if settings.quarantine:
        from pytest_semantest.quarantine import install_quarantine  # noqa: PLC0415 - few need it

        install_quarantine(config, settings, recording.is_complete)
    if settings.retries:
        policy = RetryPolicy(config, settings, recording.notice)
        settings.problems.extend(policy.problems)
        config.pluginmanager.register(policy, "semantest-retry")
    if (settings.fail_on or settings.report or settings.github != "off") and not hasattr(config, "workerinput"):
        from pytest_semantest.at_end import AtEnd  # noqa: PLC0415 - for those who want something of it

        recording.at_end = AtEnd(config, settings)


class Recording:
    """The recording of one process: pytest itself, xdist's controller, or one of its workers."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._problems = settings.problems
        joined: dict[str, str] | None = getattr(config, "workerinput", {}).get(WORKER_INPUT)
        self._is_worker = hasattr(config, "workerinput")
        self._place = Place(
            joined["directory"] if joined else settings.directory,
            joined["session"] if joined else new_session_id(),
            config.workerinput["workerid"] if joined else MAIN_WORKER,  # type: ignore[attr-defined]
            config.invocation_params.dir,
        )
        self._run_id = joined["runId"] if joined else settings.run_id or self._place.session_id
        #: The runs that this one reruns.
        self.rerun_of: list[str] = []
        self._orphan = self._is_worker and joined is None
        self._tests: TestHooks | None = None
        self._shipper: Shipper | None = None
        self._session: pytest.Session | None = None
        self._stopped: dict[str, Any] = {}
        self._last_exit: int | None = None
        self._final: dict[str, Any] | None = None
        self._failed = False
        self._redactor: Redactor | None = None
        self._details: DetailHooks | None = None
        self._stacks: StackSignal | None = None
        self._depth = forks.depth
        #: What is to be judged and written when all is over, if anything is.
        self.at_end: AtEnd | None = None

    def notice(self, line: str) -> None:
        """Tell the user something at the end, once."""
        if self._tests is not None and line not in self._tests.notices:
            self._tests.notices.append(self._tests.translator.text(line, 500))

    def is_complete(self) -> bool:
        """Whether this process has recorded all so far."""
        tests = self._tests
        return tests is not None and not (self._failed or tests.problem or tests.journal.dropped)

    @contained
    def tell_selection(self, facts: dict[str, Any], left_out: Sequence[str]) -> None:
        """Write what was selected, and which tests the budget left out, before the plan."""
        if self._tests is not None:
            self._tests.write("run/selection", facts)
            self._tests.write_left_out("budget", left_out)

    def contain(self, error: BaseException) -> None:
        """Tell the user at the end what stopped the recording; the tests run on."""
        self._failed = True
        self._problems.append(f"recording stopped: {type(error).__name__}: {error}")

    # -- begin ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    @contained
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Open the journal before anything is collected and before xdist starts its workers."""
        self._session = session
        if self._orphan:
            return  # the controller could not record
        try:
            if not self._is_worker:
                make_session_folder(self._place.directory, self._place.folder)
            journal = Journal(self._place.journal)
            slot = open_phase_slot(self._place.status)
        except OSError as error:
            where = error.filename or self._place.folder
            self._problems.append(
                f"not recording: cannot write {where}: {error.strerror}; name a writable folder with --semantest-dir"
            )
            return
        self._start(journal, slot, Clock(journal.created_ms))

    def _start(self, journal: Journal, slot: PhaseSlot, clock: Clock) -> None:
        config, settings = self._config, self._settings
        redactor = Redactor(
            [*secret_values(os.environ), *([settings.token] if settings.token else [])], settings.redact
        )
        self._redactor = redactor
        translator = Translator(
            redactor, rootdir=str(config.rootpath), limit=settings.output_limit, capture=settings.capture
        )
        ids = TestIds(redactor, grouped=is_grouped(config))
        distributing = config.pluginmanager.hasplugin("dsession")
        if not self._is_worker:
            self._shipper = Shipper(self._place.folder, self._place.session_id, settings)
        tests = TestHooks(journal, slot, clock, translator, ids, self._shipper)
        tests.quarantines = settings.quarantine
        self._tests = tests
        self._details = DetailHooks(tests, settings, self._place.folder, redactor, self._items)
        config.pluginmanager.register(self._details, "semantest-details")
        self._hear_event_hook()
        self._offer_stacks()
        tests.write("worker/start" if self._is_worker else "run/start", self._facts(redactor, distributing))
        if distributing:
            workers = {"session": self._place.session_id, "runId": self._run_id, "directory": self._place.directory}
            config.pluginmanager.register(ControllerHooks(tests, workers), "semantest-controller")
        else:
            config.pluginmanager.register(tests, "semantest-tests")
        if self._shipper is not None:
            self._hear_stop_request()
            try:
                self._shipper.launch()
            except OSError as error:
                then = f"run `{self._place.command('sync')}` afterwards"
                self._problems.append(f"no shipper could be started ({error}); {then}")

    def _facts(self, redactor: Redactor, distributing: bool) -> dict[str, Any]:
        """The payload of ``run/start`` or ``worker/start``."""
        config, settings = self._config, self._settings
        facts: dict[str, Any] = {
            "runId": self._run_id,
            "session": self._place.session_id,
            "source": source_name(self._place.session_id, self._place.worker),
            "worker": self._place.worker,
            **process_facts(config, capture=settings.capture != "none"),
        }
        if self._stacks is not None:
            facts["stacks"] = self._stacks.facts
        if self._is_worker:
            return facts
        facts |= platform_facts()
        facts |= {
            "name": redactor.redact(settings.run_name) or None,
            "labels": dict(redactor.redact_pair(key, value) for key, value in settings.labels.items()),
            "rootdir": str(config.rootpath),
            "cwd": str(config.invocation_params.dir),
            "args": redactor.redact_arguments([str(argument) for argument in config.invocation_params.args]),
            "pluginVersion": __version__,
            "protocolVersion": PROTOCOL_VERSION,
        }
        if self.rerun_of:
            facts["rerunOf"] = self.rerun_of
        if distributing:
            facts["distribution"] = {"workers": len(config.option.tx or ()), "mode": config.option.dist}
        if settings.retries:
            facts["retries"] = {"count": settings.retries, "policy": settings.retry}
        return facts

    @pytest.hookimpl(trylast=True)
    @contained
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """The plan; xdist's controller collects nothing and has it from its first worker."""
        tests = self._tests
        if tests is None or self._config.pluginmanager.hasplugin("dsession"):
            return
        self._hear_event_hook()  # conftest files of subfolders are known by now
        ids = tests.ids.collect(session.items)
        if not self._is_worker:
            tests.write_plan(ids)
        if REPEATS in self._config.stash or reruns_possible(self._config, session.items):
            self._config.pluginmanager.register(RerunHooks(tests), "semantest-reruns")
        if self._details is not None and any(
            "semantest" in getattr(item, "fixturenames", ()) for item in session.items
        ):
            self._details.load()

    def _hear_event_hook(self) -> None:
        """Let ``pytest_semantest_event`` see every event from now on, if anybody implements it."""
        tests, redactor = self._tests, self._redactor
        if tests is None or redactor is None or not self._config.hook.pytest_semantest_event.get_hookimpls():
            return
        from pytest_semantest.event_hook import hear  # noqa: PLC0415 - few need it

        hear(self._config, tests, redactor)

    def _offer_stacks(self) -> None:
        """Whoever asks what this process is doing is shown."""
        if self._settings.stacks != "off":
            from pytest_semantest.stack_signal import offer_stacks  # noqa: PLC0415 - it imports faulthandler

            self._stacks = offer_stacks()

    def _hear_stop_request(self) -> None:
        """Where Ctrl-C is ignored, a cancellation comes another way."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and self._session is not None:
            from pytest_semantest.stop_request import StopRequest  # noqa: PLC0415 - few need it

            self._config.pluginmanager.register(StopRequest(self._place.folder, self._session), "semantest-stop")

    def details(self) -> Semantest:
        """What the ``semantest`` fixture gives; without effect when nothing could be recorded."""
        if self._details is None:
            from pytest_semantest.fixtures import Semantest  # noqa: PLC0415 - few need it

            return Semantest()
        return self._details.begin()

    # -- end -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    @contained
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, ``pytest.exit``, or a stop that pytest raises as an interrupt: xdist does so for ``-x``.

        First of all: a second Ctrl-C breaks the terminal's hook, and those after it are not called.
        """
        reason = str(excinfo.value) or excinfo.typename
        # pytest's Session.Interrupted and xdist's class of the same name: a stop by failures or collection errors.
        stopped = excinfo.typename == "Interrupted" and "keyboard-interrupt" not in reason
        self._stopped = {"stopReason": reason, "interrupted": not stopped}
        if self._tests is not None:
            self._tests.interrupt(reason, self._items())

    @pytest.hookimpl
    @contained
    def pytest_internalerror(self, excrepr: object) -> None:
        """Something in pytest or a plugin broke: what runs is over."""
        text = str(excrepr).strip().rpartition("\n")[2]
        self._stopped = {"stopReason": f"internal error: {text}", "interrupted": True}
        if self._tests is not None:
            self._tests.interrupt("internal error", self._items())

    def _items(self) -> Sequence[pytest.Item]:
        return getattr(self._session, "items", ())  # a session that broke while it collected has none

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """After all other plugins had their say about the exit code, and before the terminal summary."""
        result = yield
        self._finish(session)
        return result

    def _finish(self, session: pytest.Session) -> None:
        if self._depth != forks.depth:
            return  # a test's child that left by SystemExit runs the rest of the session
        self._end(session)
        self._require_recording(session)
        if self.at_end is not None:
            self._do_at_end(session, self.at_end)

    @contained
    def _require_recording(self, session: pytest.Session) -> None:
        if self._standing().shortfall():
            self._be_strict(session, "a complete and shipped recording")

    @contained
    def _do_at_end(self, session: pytest.Session, at_end: AtEnd) -> None:
        hits, told = at_end.judge(self._standing().missing(), self._recorded())
        self._problems.extend(told)
        if session.exitstatus == 0 and hits:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._problems.extend(f"exit code 1: {line}" for line in hits)
            self._end(session)
        if not at_end.write_reports(self._recorded()):
            self._be_strict(session, "the reports")
        at_end.tell_github(self._recorded())

    def _recorded(self) -> Recorded | None:
        """The run for commands about it; ``None`` when nothing was recorded."""
        if self._tests is None:
            return None
        from pytest_semantest.command_at_end import Recorded  # noqa: PLC0415 - it is there by now

        shipped = not self._standing().shortfall()
        return Recorded(self._place.directory, self._place.folder, self._run_id, shipped=shipped)

    @contained
    def _end(self, session: pytest.Session) -> None:
        tests = self._tests
        self._write_end(session)
        if self._is_worker:
            output = self._config.workeroutput  # type: ignore[attr-defined]
            output[WORKER_OUTPUT] = self._standing().all_problems()
            output[WORKER_NOTICES] = tests.notices if tests is not None else []
            if tests is None or not tests.is_end_written:
                output[WORKER_DROPPED] = tests.journal.dropped if tests is not None else 1  # at least its start
        elif tests is not None and self._shipper is not None:
            self._shipper.relaunch_if_dead()
            patience = self._settings.flush_timeout if tests.is_end_written else 0.0  # else it is never all
            self._final = self._shipper.wait(patience, tests.journal.seq, self._place.worker)

    def _write_end(self, session: pytest.Session) -> None:
        tests = self._tests
        if tests is None:
            return
        self._last_exit = int(session.exitstatus)
        if self._is_worker:
            payload = {"runId": self._run_id, "worker": self._place.worker, "exitCode": self._last_exit}
            tests.write_end("worker/end", payload)
            return
        stop = _stopped_early(session)
        payload = {"runId": self._run_id, "exitCode": self._last_exit, "stoppedEarly": bool(stop or self._stopped)}
        payload |= {"stopReason": str(stop)} if stop else {}
        payload |= self._stopped
        if "stopReason" in payload:
            payload["stopReason"] = tests.translator.text(str(payload["stopReason"]), 500)
        if tests.workers_dropped:
            payload["workersDropped"] = tests.workers_dropped
        tests.write_end("run/end", payload)

    def _be_strict(self, session: pytest.Session, asked: str) -> None:
        """``--semantest-strict`` asks for what is not there: the exit code is 1 where it would be 0."""
        if self._settings.strict and not self._is_worker and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._problems.append(f"exit code 1: --semantest-strict asks for {asked}")
            if self._tests is not None:
                self._write_end(session)

    @pytest.hookimpl(trylast=True)
    @contained
    def pytest_unconfigure(self) -> None:
        """Correct the exit code that a plugin changed after the end, and close."""
        tests, session = self._tests, self._session
        if tests is not None and session is not None:
            if self._last_exit is not None and int(session.exitstatus) != self._last_exit:
                self._write_end(session)
            tests.journal.close()
            tests.slot.close()
        if self._stacks is not None and self._depth == forks.depth:
            self._stacks.close()

    # -- what the user sees --------------------------------------------------------------------------------------

    @pytest.hookimpl
    @contained
    def pytest_report_header(self) -> str | None:
        """One line above the tests."""
        if self._tests is None:
            return None
        return f"semantest: recording to {self._place.shown_directory()}, run {self._run_id}"

    @pytest.hookimpl(trylast=True)
    @contained
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What was recorded, where to look, what is still to be shipped, what went wrong."""
        if self._depth != forks.depth:
            return
        verbosity = self._config.option.verbose
        for line, colour in self._standing().lines(is_worker=self._is_worker, verbosity=verbosity):
            terminalreporter.write_line(f"semantest: {line}", **({colour: True} if colour else {}))

    def _standing(self) -> Standing:
        stopped = bool(self._stopped) or self._session is None or bool(_stopped_early(self._session))
        return Standing(
            *(self._tests, self._shipper, self._final, self._failed, stopped, self._problems, self._place, self._run_id)
        )


RECORDING = pytest.StashKey[Recording]()


def _stopped_early(session: pytest.Session) -> str | bool:
    """Why pytest stopped before the end of its tests, false when it did not."""
    return session.shouldfail or session.shouldstop
