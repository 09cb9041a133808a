"""What a suite that uses a tool of others consists of.

A test whose name ends in ``takes_50_ms`` waits that long by means that nothing here falsifies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

#: ``waiting.py`` of every suite.
WAITING = """
    import select
    #: Captured in a class: who falsifies time replaces the globals of modules.
    class Real:
        wait = select.poll().poll
    def wait_50_ms():
        Real.wait(51)
"""


@dataclass(frozen=True)
class Peer:
    """One tool of others in the group ``peers`` of pyproject.toml.

    ``plugin``: the name of its entry point, by which pytest switches it off; empty for a library. ``states``: what the
    ledger has to say of each test. ``distributed``: compared on xdist's workers, too. ``produces``: a file that the
    suite leaves behind, the same without and with a recording.
    """

    name: str
    plugin: str
    states: dict[str, str]
    suite: str
    conftest: str = ""
    options: tuple[str, ...] = ()
    distributed: bool = False
    produces: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def expected(self) -> dict[str, str]:
        """``states`` by test id."""
        return {f"test_{self.name}.py::{name}": state for name, state in self.states.items()}

    def sources(self) -> dict[str, str]:
        """Its files by their names."""
        found = {"waiting.py": WAITING, f"test_{self.name}.py": self.suite, **self.files}
        if self.conftest:
            found["conftest.py"] = self.conftest
        return {name: dedent(text) for name, text in found.items()}
