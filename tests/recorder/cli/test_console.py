"""What a pipe gets is what a console without colours would print."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from semantest_recorder.cli.console import print_lines

LINES = (
    "",
    "[bold]no markup[/bold] :smile:",
    "a\ttab, 漢字\tafter",
    "two\nlines\tin one",
    f"{'long ' * 60}   ",
    "\x1b[31mred",
)


def test_lines_in_a_pipe_are_those_of_a_console_without_colours(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(file=io.StringIO(), markup=False, highlight=False, emoji=False, color_system=None, width=200)
    for line in LINES:
        console.print(Text.assemble(line, (" styled\t.", "bold red")), soft_wrap=True)
    print_lines(Text.assemble(line, (" styled\t.", "bold red")) for line in LINES)
    assert isinstance(console.file, io.StringIO)
    assert capsys.readouterr().out == console.file.getvalue()
