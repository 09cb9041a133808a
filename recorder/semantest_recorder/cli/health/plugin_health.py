"""Whether the plugins of the running recorder do what they are there for."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.health.check import Check
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import plural

#: What is switched off on purpose needs no action.
_ON_PURPOSE = "switched off"


def plugin_checks(folder: Path) -> list[Check]:
    """One check for all plugins that are well, and one for each that is not; none when no recorder answers."""
    from semantest_recorder.cli import daemon  # noqa: PLC0415 - 20 ms
    from semantest_recorder.cli.stop import Stop  # noqa: PLC0415

    try:
        present = daemon.running(folder)
    except Stop:  # the check of the recorder says so
        return []
    found = present[1].get("plugins") if present is not None else None
    if not isinstance(found, dict):
        return []
    details = command_line("plugins", folder)
    checks, well = list[Check](), 0
    for plugin in found["plugins"]:
        name, reason = inert_line(plugin["name"]), plugin["disabledBecause"] or ""
        failures = sum(counts["failures"] for counts in plugin["hooks"].values())
        if reason and not reason.startswith(_ON_PURPOSE):
            advice = f"Look at `{details}`; mend or disable it, then start the recorder anew."
            checks.append(Check(f"plugin {name}", "warn", inert_line(reason), advice))
        elif failures:
            detail = f"{plural(failures, 'call')} failed"
            checks.append(Check(f"plugin {name}", "warn", detail, f"Look at `{details}`.", {"failures": failures}))
        else:
            well += not reason
    if found["skippedEvents"]:
        detail = f"they lagged behind: hooks of {plural(found['skippedEvents'], 'event')} were left out"
        checks.append(Check("plugins", "warn", detail, f"`{details}` shows which of them takes how long."))
    if well:
        checks.append(Check("plugins", "ok", f"{plural(well, 'plugin')} without failures"))
    return checks
