"""Which plugins are loaded, in which order, and what is said of those that cannot be."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.plugins import Event, hookimpl
from semantest_recorder.plugins.builtin import BUILTIN, DEFAULT
from semantest_recorder.plugins.configuration import InvalidPlugins, read_section
from semantest_recorder.plugins.hookspecs import HOOKS
from semantest_recorder.plugins.registry import GROUP, PluginRegistry
from tests.recorder.store.ingesting import MAIN, begin

from .plugged import plugged, wait_for


class First:
    """Wants to be first."""

    @hookimpl(tryfirst=True)
    def on_event(self, event: Event) -> None: ...


class Last:
    """Wants to be last."""

    @hookimpl(trylast=True)
    def on_event(self, event: Event) -> None: ...


class Plain:
    """Wants nothing; several of these keep the order of the configuration."""

    @hookimpl
    async def on_event(self) -> None: ...


class Wrapper:
    """Something that is not supported."""

    @hookimpl(wrapper=True)
    def on_event(self, event: Event) -> Any:
        return (yield)


class Misspelt:
    """Wants an argument that there is not."""

    @hookimpl
    def on_event(self, evnt: Event) -> None: ...


class Unheard:
    """Marks something whose name is no hook, beside something that is one."""

    @hookimpl
    def on_event(self, event: Event) -> None: ...

    @hookimpl
    def after_tests(self) -> None: ...


class Renamed:
    """Has a method of another name for a hook that there is not."""

    @hookimpl(specname="xyz")
    def on_event(self, event: Event) -> None: ...


class Nothing:
    """Implements nothing."""


def point(name: str, kind: type) -> EntryPoint:
    return EntryPoint(name, f"{kind.__module__}:{kind.__qualname__}", GROUP)


def registry(section: dict[str, Any], *points: EntryPoint) -> PluginRegistry:
    found = PluginRegistry(read_section(section))
    found.load(points)
    return found


def test_the_order_is_that_of_the_configuration_then_of_names_but_for_first_and_last() -> None:
    points = [point(name, Plain) for name in ("a", "b", "c", "d")] + [point("z", First), point("0", Last)]
    found = registry({"enabled": ["c", "0", "a"]}, *points)
    assert [call.plugin for call in found.calls("on_event")] == ["z", "c", "a", "b", "d", "0", *DEFAULT]


def test_what_guards_comes_behind_all_others_whatever_the_configuration_says() -> None:
    found = registry({"enabled": ["event-filter", "0"]}, point("0", Last), point("a", Plain))
    assert [call.plugin for call in found.calls("on_event")] == ["a", "0", "event-filter"]
    assert [plugin["name"] for plugin in found.to_wire()] == ["0", "a", "event-filter"]


def test_who_goes_through_the_plugins_misses_none_when_one_leaves_meanwhile() -> None:
    found = PluginRegistry()
    for name in ("a", "b", "c"):
        found.register(Plain(), name)
    passing = iter(found.plugins)
    assert next(passing).name == "a"
    found.unregister("a")
    assert [plugin.name for plugin in passing] == ["b", "c"]
    assert [call.plugin for call in found.calls("on_event")] == ["b", "c"]


def test_built_in_ones_are_off_unless_named_but_for_the_filter() -> None:
    assert [plugin.name for plugin in registry({}).plugins] == ["event-filter"]
    everything = registry({"enabled": list(BUILTIN)}).plugins
    assert [(plugin.name, plugin.origin, plugin.disabled) for plugin in everything] == [
        (name, "built-in", "") for name in BUILTIN
    ]


def test_what_is_disabled_is_never_imported() -> None:
    absent = EntryPoint("absent", "no_such_module", GROUP)
    found = registry({"disabled": ["absent", "event-filter"]}, absent)
    assert {plugin.name: plugin.disabled for plugin in found.plugins} == dict.fromkeys(
        ("absent", "event-filter"), "switched off in the configuration"
    )
    everything = registry({"enabled": ["plain"], "disabled": ["*"]}, absent, point("plain", Plain))
    assert [plugin.name for plugin in everything.plugins if not plugin.disabled] == ["plain"]


def test_modules_come_behind_what_is_enabled_and_before_what_is_installed_unless_they_are_disabled() -> None:
    own = f"{__name__}:Plain"
    found = registry({"enabled": ["b"], "modules": [own]}, point("a", Plain), point("b", Plain))
    assert [call.plugin for call in found.calls("on_event")] == ["b", own, "a", *DEFAULT]
    first = registry({"enabled": [own, "b"], "modules": [own]}, point("a", Plain), point("b", Plain))
    assert [call.plugin for call in first.calls("on_event")] == [own, "b", "a", *DEFAULT]
    absent = registry({"modules": ["no_such_module"], "disabled": ["no_such_module"]})
    assert absent.plugins[0].disabled == "switched off in the configuration"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Wrapper, "is a wrapper"),
        (Misspelt, "evnt"),
        (Unheard, "after_tests is no hook; did you mean after_test?"),
        (Renamed, "xyz is no hook; there are initialize, on_event"),
        (Nothing, "implements no hook; there are initialize"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_off_with_the_reason_and_others_are_on(kind: type, said: str) -> None:
    found = registry({}, point("bad", kind), point("good", Plain))
    assert said in next(plugin.disabled for plugin in found.plugins if plugin.name == "bad")
    assert [call.plugin for call in found.calls("on_event")] == ["good", "event-filter"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"enabled": ["consol"]}, "did you mean 'console'"),
        (
            {"disabled": ["event-filtr"]},
            r"disabled: no plugin 'event-filtr' is installed; did you mean 'event-filter'\?",
        ),
        ({"disabled": ["*", "Console"]}, "did you mean 'console'"),
        ({"enabled": "console"}, "enabled is a list of plugin names"),
        ({"modules": ["no module"]}, "'no module' is neither package.module nor package.module:name"),
        ({"modules": ["console"]}, "there is a plugin 'console' already; write console:NAME"),
        ({"timeout": "5"}, "timeout is a number of seconds"),
        ({"timeout": True}, "timeout is a number of seconds"),
        ({"enable": ["console"]}, "there are the keys enabled, disabled, modules, timeout"),
    ],
)
def test_a_section_that_means_nothing_is_refused(section: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidPlugins, match=said):
        registry(section)


def test_what_is_disabled_and_not_there_may_be_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    own = f"{__name__}:Plain"
    registry({"disabled": ["*", "console", "team", "chat", own], "modules": [own]}, point("team", Plain))
    assert [record.message for record in caplog.records] == ["[plugins] disabled: no plugin 'chat' is installed"]


def test_plugins_come_and_go_while_the_recorder_runs(tmp_path: Path) -> None:
    calls: list[str] = []

    class Late:
        name = "late"

        def initialize(self) -> None:
            calls.append("initialize")

        def on_event(self, event: dict[str, Any]) -> dict[str, Any]:
            calls.append(event["type"])
            return event

        def destroy(self) -> None:
            calls.append("destroy")

    with plugged(tmp_path / "semantest.db") as recorder:
        recorder.send("a.main", 1, [begin("a")])
        recorder.dispatcher.register(Late())
        with pytest.raises(InvalidPlugins, match="there is a plugin 'late' already"):
            recorder.dispatcher.register(Late())
        recorder.send(MAIN, 1, [begin()])
        recorder.dispatcher.unregister("late")
        recorder.send("b.main", 1, [begin("b")])
        wait_for(lambda: "destroy" in calls)
        with pytest.raises(InvalidPlugins, match="no plugin 'late'"):
            recorder.dispatcher.unregister("late")
    assert calls == ["initialize", "run/start", "destroy"]


def test_every_hook_is_specified_in_the_order_that_is_documented() -> None:
    from semantest_recorder.plugins import hookspecs  # noqa: PLC0415

    specified = {name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), "semantest_spec")}
    assert specified == set(HOOKS)
