"""What tells systemd or launchd to run a project's recorder for a user without root (pure)."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Sequence

#: The first line of a unit of ours: only such a file is replaced or removed.
MADE_BY = "# made by `semantest-recorder install-service`; `semantest-recorder uninstall-service` removes it"


def unit_name(folder: str) -> str:
    """``semantest-recorder@<folder>.service``, the folder escaped as ``systemd-escape --path`` does."""
    path = "/".join(part for part in folder.split("/") if part) or "/"
    escaped = "-" if path == "/" else "".join(_escaped(char, index) for index, char in enumerate(path))
    return f"semantest-recorder@{escaped}.service"


def _escaped(char: str, index: int) -> str:
    if char == "/":
        return "-"
    if re.fullmatch(r"[A-Za-z0-9:_]", char) or (char == "." and index > 0):
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def unit(command: Sequence[str], folder: str) -> str:
    """The unit file that runs ``command`` for the recorder of ``folder``. Raises ``ValueError`` for a line break."""
    if any(char in part for part in (*command, folder) for char in "\n\r\0"):
        raise ValueError("a path with a line break cannot stand in a unit file")
    return f"""{MADE_BY}
[Unit]
Description=Semantest recorder of {folder.replace("%", "%%")}

[Service]
Type=notify
ExecStart={" ".join(map(_quoted, command))}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _quoted(word: str) -> str:
    """A word of ``ExecStart``: nothing in it is expanded."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def agent_label(folder: str) -> str:
    """The name of the launch agent of a folder."""
    return "semantest-recorder." + unit_name(folder).removeprefix("semantest-recorder@").removesuffix(".service")


def agent(command: Sequence[str], folder: str, log: str) -> str:
    """The property list of a launch agent that runs ``command``; its output goes to ``log``."""
    made = {
        "Label": agent_label(folder),
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "Umask": 0o077,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    return plistlib.dumps(made).decode()
