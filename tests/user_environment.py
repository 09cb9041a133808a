"""What a pytest that a test starts finds in its environment."""

from __future__ import annotations

import os

#: At its end Hypothesis' plugin imports all of Hypothesis, which takes longer than most of these runs. None uses it.
WITHOUT_HYPOTHESIS = {"PYTEST_ADDOPTS": "-p no:hypothesispytest"}
#: What tells a pytest that it runs inside another one or in CI, and what a developer may have set.
_DROPPED = ("PYTEST_", "SEMANTEST", "COV_CORE_", "CI", "NO_COLOR", "FORCE_COLOR")


def user_environment() -> dict[str, str]:
    """This environment as a user's shell has it, without Hypothesis."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)} | WITHOUT_HYPOTHESIS
