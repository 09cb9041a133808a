"""``agent``: a short text for a coding agent."""

from __future__ import annotations

from typing import BinaryIO

from semantest_recorder.reports.agent.brief import AgentOptions, agent_text
from semantest_recorder.reports.exporters.exporter import ExportOptions, Runs, only_run


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:
    """The text, for whoever reads it where the run was started."""
    run = only_run(runs)
    text = agent_text(run, AgentOptions(options.max_tokens, run.report.run.cwd or ""))
    stream.write(text.encode("ascii") + b"\n")
