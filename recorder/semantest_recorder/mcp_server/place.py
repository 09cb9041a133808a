"""Where the server reads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.journal_runs import heads_behind
from semantest_recorder.cli.options import project_folder
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.reports.wording import run_names


class Place(NamedTuple):
    """The ``.semantest`` folder that was named, ``None``: the nearest one, looked for anew with every question."""

    directory: str | None

    @property
    def folder(self) -> Path:
        """The folder. Raises what ``project_folder`` raises."""
        return project_folder(self.directory)

    @property
    def database(self) -> Path:
        """The database in it, which need not be there. Raises what ``project_folder`` raises."""
        return self.folder / DATABASE

    @property
    def cwd(self) -> str:
        """The folder in which a command that is advised will be run."""
        return str(working_directory(self.directory))

    @property
    def repositories(self) -> list[str]:
        """Folders whose git may know the commits of the runs."""
        return [self.cwd, str(self.folder.parent)]

    def missing(self) -> list[str]:
        """What an answer out of the database alone lacks, as notes."""
        behind = {head.run_id for head in heads_behind(self.folder, "")}
        notes = session_notes(self.folder)
        if behind:
            notes.append(
                f"not in the database yet, and not in this answer: {run_names(sorted(behind))}; "
                "the tool `report` reads them, `semantest sync` takes them in"
            )
        return notes
