"""What a pytest that a test starts finds in its environment."""

from __future__ import annotations

#: At its end Hypothesis' plugin imports all of Hypothesis, which takes longer than most of these runs. None uses it.
WITHOUT_HYPOTHESIS = {"PYTEST_ADDOPTS": "-p no:hypothesispytest"}
