"""Which plugins there are, and in which order their hooks are called."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

import pluggy

from semantest_recorder.plugins import hookspecs
from semantest_recorder.plugins.builtin import BUILTIN, DEFAULT
from semantest_recorder.plugins.builtin.options import InvalidOptions
from semantest_recorder.plugins.calls import CallCounts, Implementation
from semantest_recorder.plugins.class_style import ClassStylePlugin, is_class_style
from semantest_recorder.plugins.configuration import InvalidPlugins, PluginSettings
from semantest_recorder.plugins.hookspecs import HOOKS, PROJECT

GROUP: Final = "semantest.plugins"
#: From which likeness on a name that nothing has is a slip of the pen.
_ALIKE: Final = 0.8
_log = logging.getLogger(__name__)


def unknown_names(settings: PluginSettings, installed: Iterable[str]) -> Iterator[str]:
    """A line for each plugin, enabled or with options, that is neither built in, installed, nor a module.

    And for each that is disabled, is none of these, and is called almost as one of them: that one would stay on.
    """
    known = _known(settings, installed)
    for name in dict.fromkeys((*settings.enabled, *settings.options)):
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
            yield f"[plugins] no plugin {name!r} is installed; {hint}"
    for name in _disabled_in_vain(settings, known):
        if near := get_close_matches(name, known, 1, _ALIKE):
            yield f"[plugins] disabled: no plugin {name!r} is installed; did you mean {near[0]!r}?"


def absent_names(settings: PluginSettings, installed: Iterable[str]) -> Iterator[str]:
    """A line for each other plugin that is disabled and not there: elsewhere it may be."""
    known = _known(settings, installed)
    for name in _disabled_in_vain(settings, known):
        if not get_close_matches(name, known, 1, _ALIKE):
            yield f"[plugins] disabled: no plugin {name!r} is installed"


def _known(settings: PluginSettings, installed: Iterable[str]) -> Collection[str]:
    return dict.fromkeys((*BUILTIN, *settings.modules, *installed))


def _disabled_in_vain(settings: PluginSettings, known: Collection[str]) -> list[str]:
    return sorted(settings.disabled - {"*", *known})


class Plugin:
    """One plugin. ``origin``: ``built-in``, the distribution that brings it, ``configuration``, or ``registered``.

    ``disabled`` says why it is not called, empty when it is.
    """

    def __init__(self, name: str, origin: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.origin = origin
        self.options = options
        self.disabled = ""
        #: Whether it is yet to be initialized: until then nothing else of it is called.
        self.waits = False
        #: What was loaded, ``None`` when nothing was.
        self.loaded: object = None
        self.implementations: dict[str, Implementation] = {}

    @property
    def guards(self) -> bool:
        """Whether it keeps secrets out of the log."""
        return any(call.guards for call in self.implementations.values())

    def switch_off(self) -> None:
        """None of its hooks but ``destroy`` is called any more, not even by who has them in hand."""
        for call in self.implementations.values():
            call.counts.is_off = True

    def to_wire(self) -> dict[str, Any]:
        """As ``semantest plugins --json`` shows it."""
        return {
            "name": self.name,
            "origin": self.origin,
            "enabled": not self.disabled,
            "disabledBecause": self.disabled or None,
            "hooks": {hook: found.counts.to_wire() for hook, found in self.implementations.items()},
        } | self._exports()

    def _exports(self) -> dict[str, Any]:
        """What a built-in plugin that sends runs somewhere says of its queue; others are not asked, they may hang."""
        told = getattr(self.loaded, "exports", None) if self.origin == "built-in" else None
        found = told() if told is not None else None
        return {"exports": found} if found is not None else {}


class PluginRegistry:
    """Holds the plugins; not safe for use by several threads at once but for ``calls`` and ``to_wire``."""

    def __init__(self, settings: PluginSettings | None = None) -> None:
        self.settings = settings or PluginSettings()
        #: Never changed in place: other threads may be going through it.
        self.plugins: tuple[Plugin, ...] = ()
        self._hooks = pluggy.PluginManager(PROJECT)
        self._hooks.add_hookspecs(hookspecs)
        self._calls: dict[str, tuple[Implementation, ...]] = {}

    def load(self, found: Iterable[EntryPoint] | None = None) -> None:
        """Loads the plugins that the settings enable, their modules, what is installed, and the default built-in ones.

        One that cannot be loaded is there, disabled, with the reason. Raises ``InvalidPlugins`` for a name, enabled or
        with options, that nothing has, for one, disabled, that is almost another's, and for a module called as another
        plugin is.
        """
        installed = _by_name(entry_points(group=GROUP) if found is None else found)
        modules = {name: EntryPoint(name, name, GROUP) for name in self.settings.modules}
        for name in modules:
            if name in installed or name in BUILTIN:
                raise InvalidPlugins(f"[plugins] modules: there is a plugin {name!r} already; write {name}:NAME")
        if modules:
            self._make_importable()
        for problem in unknown_names(self.settings, installed):
            raise InvalidPlugins(problem)
        for note in absent_names(self.settings, installed):
            _log.warning("%s", note)
        self._refuse_blind_guards()
        for name in dict.fromkeys((*self.settings.enabled, *modules, *sorted(installed), *DEFAULT)):
            if name in modules:
                self._take(Plugin(name, "configuration", self._options(name)), modules[name].load)
            elif name in installed:
                self._load_installed(installed[name])
            else:
                self._take(Plugin(name, "built-in", self._options(name)), BUILTIN[name])

    def register(self, plugin: object, name: str | None = None, *, waits: bool = False) -> Plugin:
        """Adds an object: a module, an instance with ``hookimpl`` methods, or a class-style plugin.

        With ``waits`` none of its hooks is among ``calls`` before ``admit``. Raises ``InvalidPlugins`` when it has no
        usable hooks or the name is taken.
        """
        name = name or getattr(plugin, "name", None) or type(plugin).__name__
        if any(other.name == name for other in self.plugins):
            raise InvalidPlugins(f"there is a plugin {name!r} already")
        taken = Plugin(name, "registered", self._options(name))
        taken.waits = waits
        self._take(taken, lambda: plugin)
        if taken.disabled:
            self._remove(taken)
            raise InvalidPlugins(f"plugin {name!r}: {taken.disabled}")
        return taken

    def admit(self, plugin: Plugin) -> None:
        """The plugin waits no more: its hooks are called from now on."""
        plugin.waits = False
        self._calls = {}

    def unregister(self, name: str) -> None:
        """Removes a plugin. Raises ``InvalidPlugins`` for a name that there is not."""
        plugin = next((plugin for plugin in self.plugins if plugin.name == name), None)
        if plugin is None:
            names = [other.name for other in self.plugins]
            near = get_close_matches(name, names, 3)
            found = f"did you mean {', '.join(map(repr, near))}?" if near else f"there are {', '.join(names) or 'none'}"
            raise InvalidPlugins(f"there is no plugin {name!r}; {found}")
        self._let_go(name)
        plugin.switch_off()
        self._remove(plugin)

    def disable(self, name: str, reason: str) -> None:
        """Takes a plugin out of the game; it stays visible with the reason."""
        for plugin in self.plugins:
            if plugin.name == name:
                plugin.disabled = plugin.disabled or reason
                plugin.switch_off()
        self._calls = {}

    def retire(self, name: str) -> None:
        """Nothing of a plugin is called any more but its ``destroy``; the recorder ends."""
        for plugin in self.plugins:
            if plugin.name == name:
                plugin.switch_off()

    def calls(self, hook: str) -> tuple[Implementation, ...]:
        """The implementations of a hook in the order in which they are called: those that guard behind all others."""
        kept = self._calls  # another thread may begin a new one, for which this is too old
        found = kept.get(hook)
        if found is None:
            active = [plugin for plugin in self.plugins if not (plugin.disabled or plugin.waits)]
            known = [plugin.implementations[hook] for plugin in active if hook in plugin.implementations]
            known.sort(key=lambda call: (call.guards, call.rank))  # it keeps the order of those that are alike
            found = kept[hook] = tuple(known)
        return found

    def to_wire(self) -> list[dict[str, Any]]:
        """All plugins as ``semantest plugins --json`` shows them."""
        return [plugin.to_wire() for plugin in sorted(self.plugins, key=lambda plugin: plugin.guards)]

    def _options(self, name: str) -> Mapping[str, Any]:
        return self.settings.options.get(name, {})

    def _make_importable(self) -> None:
        """Modules beside the configuration are found, behind all others: none can stand in for one of ours."""
        folder = str(Path(self.settings.folder).absolute()) if self.settings.folder is not None else None
        if folder is not None and folder not in sys.path:
            sys.path.append(folder)

    def _load_installed(self, point: EntryPoint) -> None:
        origin = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "installed"
        self._take(Plugin(point.name, origin, self._options(point.name)), point.load)

    def _take(self, plugin: Plugin, load: Callable[[], object]) -> None:
        self.plugins = (*self.plugins, plugin)
        if self.settings.rules_out(plugin.name):
            plugin.disabled = "switched off in the configuration"
            return
        try:
            loaded = load()
            made = loaded() if inspect.isclass(loaded) else loaded
            made = ClassStylePlugin(made) if is_class_style(made) else made
            self._refuse_unknown_hooks(made)
            self._hooks.register(made, plugin.name)
            plugin.loaded = made
            self._find_implementations(plugin)
        except BaseException as error:  # noqa: BLE001 - whatever a module raises at import, the recorder starts
            plugin.disabled = f"cannot be loaded: {type(error).__name__}: {error}"
            self._let_go(plugin.name)
        self._calls = {}

    def _refuse_blind_guards(self) -> None:
        """What keeps secrets out of the log must not be off because of a misspelt option. Raises ``InvalidPlugins``."""
        for name in DEFAULT:
            found = None if self.settings.rules_out(name) else BUILTIN[name]()
            if found is not None and getattr(found, "guards", False):
                try:
                    found.read(self._options(name))
                except InvalidOptions as error:
                    raise InvalidPlugins(f"[plugins.{name}] {error}") from None

    def _remove(self, plugin: Plugin) -> None:
        self.plugins = tuple(other for other in self.plugins if other is not plugin)
        self._calls = {}

    def _let_go(self, name: str) -> None:
        """Frees a name: one that could not be loaded may have it, or not."""
        if self._hooks.has_plugin(name):
            self._hooks.unregister(name=name)

    def _refuse_unknown_hooks(self, made: object) -> None:
        """Raises ``TypeError`` for what is marked as a hook and has a name that is none: it would never be called."""
        for name in dir(made):
            options = self._hooks.parse_hookimpl_opts(made, name)
            hook = None if options is None else options.get("specname") or name
            if hook is not None and hook not in HOOKS:
                near = get_close_matches(hook, HOOKS, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(HOOKS)}"
                raise TypeError(f"{hook} is no hook; {hint}")

    def _find_implementations(self, plugin: Plugin) -> None:
        for hook in HOOKS:
            for found in getattr(self._hooks.hook, hook).get_hookimpls():
                if found.plugin_name != plugin.name:
                    continue
                if found.wrapper or found.hookwrapper:
                    raise TypeError(f"{hook} is a wrapper, which the recorder does not support")
                plugin.implementations[hook] = Implementation(
                    plugin=plugin.name,
                    hook=hook,
                    function=found.function,
                    arguments=found.argnames,
                    rank=-1 if found.tryfirst else 1 if found.trylast else 0,
                    counts=CallCounts(),
                    # Asked outside of the watch over plugins: for our own only.
                    concerns=getattr(found.plugin, "concerns", None) if plugin.origin == "built-in" else None,
                    guards=plugin.origin == "built-in" and getattr(found.plugin, "guards", False),
                )
        if not plugin.implementations:
            raise TypeError(f"it implements no hook; there are {', '.join(HOOKS)}")


def _by_name(points: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    """Installed plugins; none takes the place of a built-in one, or of another."""
    found: dict[str, EntryPoint] = {}
    for point in points:
        if point.name in BUILTIN or point.name in found:
            _log.error("plugin %s (%s) is not loaded: there is another one of this name", point.name, point.value)
        else:
            found[point.name] = point
    return found
