"""How pytest and ``semantest`` start the shipper, and pytest ``semantest``: isolated from everything of the user's.

Standard library only: pytest imports this module. The caller detaches the process if it has to outlive it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

_SCRUBBED = ("PYTHON", "COV_CORE_", "COVERAGE_")
#: Set while this project measures its own coverage: then shipper and recorder are to be measured too.
_OWN_COVERAGE = "SEMANTEST_COVERAGE"

# Descriptors first: nothing of the caller's may stay open here, or `pytest | tee` would wait for us. The folders go to
# the end of sys.path: they add what an isolated interpreter does not see, and shadow nothing.
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
"""
_PROGRAM = """\
from {module} import main
sys.exit(main(sys.argv[1:]))
"""
_SEMANTEST = """\
from semantest_recorder.cli.semantest import main
main(prog_name="semantest")
"""


def shipper_command(*arguments: str) -> list[str]:
    """The argument list that runs the shipper under this interpreter."""
    return module_command("pytest_semantest.shipper.program", *arguments)


def module_command(module: str, *arguments: str) -> list[str]:
    """The argument list that runs ``main`` of a module of this package in the same way."""
    code = (_BOOTSTRAP + _PROGRAM).format(folders=_import_folders(), module=module)
    return [sys.executable, "-I", "-c", code, *arguments]


def semantest_command(*arguments: str) -> list[str]:
    """The argument list that runs ``semantest`` of the recorder beside this package, under this interpreter."""
    return [sys.executable, "-I", "-c", _BOOTSTRAP.format(folders=_import_folders()) + _SEMANTEST, *arguments]


def isolated_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without what would change an isolated interpreter or measure its coverage."""
    prefixes = _SCRUBBED[:1] if environment.get(_OWN_COVERAGE) else _SCRUBBED
    return {name: value for name, value in environment.items() if not name.startswith(prefixes)}


def _import_folders() -> list[str]:
    """Where this package lies, and the user's site-packages, which ``-I`` leaves out, when they are in use."""
    folders = [str(Path(__file__).absolute().parents[2])]
    site = sys.modules.get("site")
    if site is not None and site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return folders
