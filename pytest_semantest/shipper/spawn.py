"""The command line and environment of a run's own shipper. Standard library only: pytest imports this module.

The caller detaches it: a session of its own, standard streams to ``/dev/null``, no child of pytest's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_semantest.protocol.spawning import isolated_environment, module_command, shipper_command

#: The variable in which the recorder's token is handed over; a command line can be read by every user.
TOKEN_VARIABLE = "SEMANTEST_TOKEN"  # noqa: S105  a name, not a token
#: The variable in which the user's own patterns are handed over, a JSON list.
REDACT_VARIABLE = "SEMANTEST_SHIPPER_REDACT"


def spawn_command(directory: str, session: str, *, url: str | None = None) -> list[str]:
    """The argument list that starts a shipper under this interpreter.

    ``directory``: the ``.semantest`` folder; ``session``: the session to ship; ``url``: the recorder, ``None`` for the
    project's own.
    """
    command = shipper_command("--directory", str(Path(directory).absolute()), "--session", session)
    return [*command, "--url", url] if url is not None else command


def fetch_owed_command(url: str, runs: Sequence[str]) -> list[str]:
    """The argument list that prints what runs owe by the recorder at ``url``; fetching_owed.py says how."""
    return module_command("pytest_semantest.shipper.fetching_owed", url, *runs)


def fetch_command(url: str, path: str, run_id: str) -> list[str]:
    """The argument list that fetches the snapshot of the recorder at ``url`` into ``path``; fetching.py says how."""
    return module_command("pytest_semantest.shipper.fetching", url, path, run_id)


def shipper_environment(
    environment: Mapping[str, str], *, token: str | None = None, redact: Sequence[str] = ()
) -> dict[str, str]:
    """``isolated_environment`` with the token.

    ``redact``: the user's own patterns, handed over as a JSON list in ``SEMANTEST_SHIPPER_REDACT``.
    """
    isolated = isolated_environment(environment)
    if token:
        isolated[TOKEN_VARIABLE] = token
    if redact:
        isolated[REDACT_VARIABLE] = json.dumps(list(redact))
    return isolated
