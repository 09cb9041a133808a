"""Which CI build this is, from the variables that CI systems set. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Environment = Mapping[str, str]


def ci_context(environment: Environment) -> dict[str, str] | None:
    """``{provider, branch?, commit?, pullRequest?, buildUrl?, jobId?, buildId?}``, or ``None`` outside CI."""
    for present, provider in _PROVIDERS:
        if environment.get(present):
            return {key: value for key, value in provider(environment).items() if value}
    if environment.get("CI", "").lower() in ("1", "true", "yes"):
        return {"provider": "unknown"}
    return None


def _github(env: Environment) -> dict[str, str]:
    repository, run = env.get("GITHUB_REPOSITORY", ""), env.get("GITHUB_RUN_ID", "")
    server = env.get("GITHUB_SERVER_URL", "https://github.com")
    pull = re.fullmatch(r"refs/pull/(\d+)/\w+", env.get("GITHUB_REF", ""))
    return {
        "provider": "github",
        "branch": env.get("GITHUB_HEAD_REF") or env.get("GITHUB_REF_NAME", ""),
        "commit": env.get("GITHUB_SHA", ""),
        "pullRequest": pull[1] if pull else "",
        "buildUrl": f"{server}/{repository}/actions/runs/{run}" if repository and run else "",
        "jobId": env.get("GITHUB_JOB", ""),
        "buildId": run,
    }


def _gitlab(env: Environment) -> dict[str, str]:
    return {
        "provider": "gitlab",
        "branch": env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or env.get("CI_COMMIT_REF_NAME", ""),
        "commit": env.get("CI_COMMIT_SHA", ""),
        "pullRequest": env.get("CI_MERGE_REQUEST_IID", ""),
        "buildUrl": env.get("CI_JOB_URL") or env.get("CI_PIPELINE_URL", ""),
        "jobId": env.get("CI_JOB_ID", ""),
        "buildId": env.get("CI_PIPELINE_ID", ""),
    }


def _jenkins(env: Environment) -> dict[str, str]:
    return {
        "provider": "jenkins",
        "branch": env.get("CHANGE_BRANCH") or env.get("BRANCH_NAME") or env.get("GIT_BRANCH", ""),
        "commit": env.get("GIT_COMMIT", ""),
        "pullRequest": env.get("CHANGE_ID", ""),
        "buildUrl": env.get("BUILD_URL", ""),
        "jobId": env.get("JOB_NAME", ""),
        "buildId": env.get("BUILD_NUMBER", ""),
    }


def _buildkite(env: Environment) -> dict[str, str]:
    pull = env.get("BUILDKITE_PULL_REQUEST", "")
    return {
        "provider": "buildkite",
        "branch": env.get("BUILDKITE_BRANCH", ""),
        "commit": env.get("BUILDKITE_COMMIT", ""),
        "pullRequest": "" if pull == "false" else pull,
        "buildUrl": env.get("BUILDKITE_BUILD_URL", ""),
        "jobId": env.get("BUILDKITE_JOB_ID", ""),
        "buildId": env.get("BUILDKITE_BUILD_NUMBER", ""),
    }


def _circleci(env: Environment) -> dict[str, str]:
    return {
        "provider": "circleci",
        "branch": env.get("CIRCLE_BRANCH", ""),
        "commit": env.get("CIRCLE_SHA1", ""),
        "pullRequest": env.get("CIRCLE_PULL_REQUEST", "").rpartition("/")[2],
        "buildUrl": env.get("CIRCLE_BUILD_URL", ""),
        "jobId": env.get("CIRCLE_JOB", ""),
        "buildId": env.get("CIRCLE_BUILD_NUM", ""),
    }


def _azure(env: Environment) -> dict[str, str]:
    base, project = env.get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", ""), env.get("SYSTEM_TEAMPROJECT", "")
    build = env.get("BUILD_BUILDID", "")
    branch = env.get("SYSTEM_PULLREQUEST_SOURCEBRANCH") or env.get("BUILD_SOURCEBRANCH", "")
    return {
        "provider": "azure",
        "branch": branch.removeprefix("refs/heads/"),
        "commit": env.get("BUILD_SOURCEVERSION", ""),
        "pullRequest": env.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
        or env.get("SYSTEM_PULLREQUEST_PULLREQUESTID", ""),
        "buildUrl": f"{base}{project}/_build/results?buildId={build}" if base and project and build else "",
        "jobId": env.get("SYSTEM_JOBID", ""),
        "buildId": build,
    }


#: The variable that each system sets in every build. Gitea and Forgejo set GitHub's as well.
_PROVIDERS: tuple[tuple[str, Callable[[Environment], dict[str, str]]], ...] = (
    ("GITHUB_ACTIONS", _github),
    ("GITLAB_CI", _gitlab),
    ("JENKINS_URL", _jenkins),
    ("BUILDKITE", _buildkite),
    ("CIRCLECI", _circleci),
    ("TF_BUILD", _azure),
)
