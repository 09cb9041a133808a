"""``semantest ci``: a run in the form that a CI system shows."""

from __future__ import annotations

import click

from semantest_recorder.cli.ci_github import github
from semantest_recorder.cli.ci_gitlab import gitlab
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import EXIT_CODES_OF_RUN


@click.group(
    "ci",
    short_help="Show a run in GitHub Actions or GitLab CI.",
    epilog=help_end(
        "semantest ci github",
        "semantest ci gitlab -o reports",
        exit_codes=EXIT_CODES_OF_RUN,
    ),
)
def command() -> None:
    """A run in the form that a CI system shows.

    Jenkins, Azure Pipelines and others read `semantest export --format junit`.
    """


command.add_command(github)
command.add_command(gitlab)
