"""What tells this process from every other: for the shipper, which judges from outside whether it still lives."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest


def process_facts(config: pytest.Config, *, capture: bool) -> dict[str, Any]:
    """``pid, host, processStart, bootId, pidNamespace, capture`` as docs/design/events.md describes them.

    ``capture``: whether output may be kept at all.
    """
    return {
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "processStart": _start_ticks(),
        "bootId": _boot_id(),
        "pidNamespace": _pid_namespace(),
        "capture": _capture_files(config) if capture else None,
    }


def platform_facts() -> dict[str, str]:
    """Versions of what runs the tests."""
    version = ".".join(map(str, sys.version_info[:3]))
    return {"pytestVersion": pytest.__version__, "pythonVersion": version, "platform": sys.platform}


def _start_ticks() -> int | None:
    """Start of the process in clock ticks since boot, where the system tells (proc(5), field 22 of stat)."""
    try:
        with open("/proc/self/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _boot_id() -> str | None:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def _pid_namespace() -> str | None:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def _capture_files(config: pytest.Config) -> dict[str, dict[str, int]] | None:
    """The unlinked files of pytest's fd capture: outside this process they outlive a SIGKILL.

    They are reached through pytest's private attributes; where those are not what they were, there is no last output.
    """
    capturing = getattr(config.pluginmanager.getplugin("capturemanager"), "_global_capturing", None)
    files = {}
    for name, stream in (("stdout", "out"), ("stderr", "err")):
        try:
            fd = getattr(capturing, stream).tmpfile.fileno()
            status = os.fstat(fd)
        except (AttributeError, OSError, ValueError):
            continue
        files[name] = {"fd": fd, "device": status.st_dev, "inode": status.st_ino}
    return files or None
