"""The end of a command's help."""

from __future__ import annotations


def help_end(*examples: str, exit_codes: str = "") -> str:
    r"""Examples and exit codes; their lines are not wrapped (a lone ``\\b`` tells click so)."""
    parts = ["\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples)]
    if exit_codes:
        parts.append("\b\nExit codes:\n" + "\n".join(f"  {code.strip()}" for code in exit_codes.split(",")))
    return "\n\n".join(parts)
