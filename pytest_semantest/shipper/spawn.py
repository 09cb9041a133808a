"""The command line and environment of a shipper. Standard library only: pytest imports this module.

The caller detaches it: a session of its own, standard streams to ``/dev/null``, no child of pytest's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

#: The variable in which the recorder's token is handed over; a command line can be read by every user.
TOKEN_VARIABLE = "SEMANTEST_TOKEN"  # noqa: S105  a name, not a token
#: The variable in which the user's own patterns are handed over, a JSON list.
REDACT_VARIABLE = "SEMANTEST_SHIPPER_REDACT"

_SCRUBBED = ("PYTHON", "COV_CORE_", "COVERAGE_")
#: Set while this project measures its own coverage: then shipper and recorder are to be measured too.
_OWN_COVERAGE = "SEMANTEST_COVERAGE"

# Descriptors first: nothing of pytest's may stay open here, or `pytest | tee` would wait for us. The folders go to the
# end of sys.path: they add what an isolated interpreter does not see, and shadow nothing.
_BOOTSTRAP = """\
import os, sys
try:
    fds = [int(name) for name in os.listdir("/dev/fd")]
except OSError:
    fds = range(3, 1024)
for fd in fds:
    if fd > 2:
        try:
            os.close(fd)
        except OSError:
            pass
sys.path += [folder for folder in {folders!r} if folder not in sys.path]
from pytest_semantest.shipper.program import main
sys.exit(main(sys.argv[1:]))
"""


def spawn_command(directory: str, session: str, *, url: str | None = None) -> list[str]:
    """The argument list that starts a shipper under this interpreter.

    ``directory``: the ``.semantest`` folder; ``session``: the session to ship; ``url``: the recorder, ``None`` for the
    project's own.
    """
    command = [sys.executable, "-I", "-c", _BOOTSTRAP.format(folders=_import_folders())]
    command += ["--directory", str(Path(directory).absolute()), "--session", session]
    return [*command, "--url", url] if url is not None else command


def shipper_environment(
    environment: Mapping[str, str], *, token: str | None = None, redact: Sequence[str] = ()
) -> dict[str, str]:
    """``environment`` without what would change an isolated interpreter or measure its coverage, with the token.

    ``redact``: the user's own patterns, handed over as a JSON list in ``SEMANTEST_SHIPPER_REDACT``.
    """
    prefixes = _SCRUBBED[:1] if environment.get(_OWN_COVERAGE) else _SCRUBBED
    scrubbed = {name: value for name, value in environment.items() if not name.startswith(prefixes)}
    if token:
        scrubbed[TOKEN_VARIABLE] = token
    if redact:
        scrubbed[REDACT_VARIABLE] = json.dumps(list(redact))
    return scrubbed


def _import_folders() -> list[str]:
    """Where this package lies, and the user's site-packages, which ``-I`` leaves out, when they are in use."""
    folders = [str(Path(__file__).absolute().parents[2])]
    site = sys.modules.get("site")
    if site is not None and site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return folders
