"""Each module can be imported with the releases that are installed; a command imports its own only when called."""

from __future__ import annotations

import json
import subprocess
import sys

_IMPORT_ALL = """
import importlib, json, pkgutil, pytest_semantest, semantest_recorder
failed, names = {}, []
for package in (pytest_semantest, semantest_recorder):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name.endswith("__main__"):
            continue
        names.append(found.name)
        try:
            importlib.import_module(found.name)
        except Exception as error:
            failed[found.name] = repr(error)
print(json.dumps([names, failed]))
"""

#: What needs an extra that has an environment of its own, where tests/recorder/cli/test_mcp.py starts it.
WITH_AN_EXTRA = {"semantest_recorder.mcp_server.serving"}


def test_every_module_can_be_imported() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", _IMPORT_ALL], capture_output=True, check=True)
    names, failed = json.loads(done.stdout)
    assert len(names) > 100
    assert failed.keys() <= WITH_AN_EXTRA, failed
