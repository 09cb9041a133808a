"""Into which branch this build is to be merged, from the variables that CI systems set. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Of GitHub, GitLab, Jenkins, Buildkite and Azure Pipelines, each set in builds of pull requests only.
_VARIABLES: Final = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "CHANGE_TARGET",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
)


def target_branch(environment: Mapping[str, str]) -> str | None:
    """The branch, or ``None`` where this is no build of a pull request, or in no CI."""
    told = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return told.removeprefix("refs/heads/") or None
