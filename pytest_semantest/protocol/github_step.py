"""What is printed in a step of GitHub Actions: its runner takes some lines for commands, whoever printed them.

Standard library only: pytest imports this module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def is_github(environment: Mapping[str, str]) -> bool:
    """Whether this is a step of GitHub Actions, or of a system that behaves alike."""
    return environment.get("GITHUB_ACTIONS", "").lower() == "true"


def not_a_command(line: str) -> str:
    """The line as one that is no workflow command (``ActionCommand.cs`` of ``actions/runner``)."""
    line = line.replace("##[", "# #[")
    return f". {line}" if line.lstrip().startswith("::") else line


def as_text(lines: str) -> str:
    """The lines, none of them a command where somebody takes them for one."""
    return "\n".join(map(not_a_command, lines.split("\n"))) if is_github(os.environ) else lines


def as_json_text(data: bytes) -> bytes:
    """JSON that says the same: what makes a command of a line stands in texts only, where an escape means the same."""
    return data.replace(b"##[", b"#\\u0023[") if is_github(os.environ) else data
