"""What comes from others is read as data: no module that runs or unpacks what it reads is used anywhere.

What comes is JSON, TOML for configuration, and XML in reports of other tools, read by one module that expands nothing.
That a source belongs to who sends it, and a lock to who holds it, is in
tests/recorder/session/test_ownership.py and tests/recorder/server/test_other_tokens.py.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (ROOT / "pytest_semantest", ROOT / "recorder" / "semantest_recorder")
#: They run what they read, unpack it without a bound, or resolve what it names.
UNSAFE_MODULES = {
    *("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "dbm", "copyreg", "code", "codeop"),
    *("yaml", "ruamel", "xml", "lxml", "xmlrpc", "runpy", "imp"),
    *("zipfile", "tarfile", "gzip", "bz2", "lzma", "telnetlib", "ftplib"),
}
#: One reads XML and refuses what that declares (tests/recorder/foreign/test_hostile_xml.py), the other writes it.
ALLOWED = {
    "recorder/semantest_recorder/foreign/xml_tree.py": "xml.parsers",
    "recorder/semantest_recorder/reports/exporters/junit.py": "xml.etree",
}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "input"}
#: ``shutil.unpack_archive``, ``os.system`` and the like, and what makes of a text a command line.
UNSAFE_ATTRIBUTES = {"unpack_archive", "system", "popen", "enable_load_extension", "load_extension", "get_unpickled"}

_LOOKED_AT = (ast.Import, ast.ImportFrom, ast.Call)

pytestmark = pytest.mark.hazard(36)


def unsafe(node: ast.AST) -> str:
    """What is wrong with a node, empty when nothing is."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [node.module or ""]
    found = [name for name in names if name.partition(".")[0] in UNSAFE_MODULES]
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Name) and called.id in UNSAFE_CALLS:
            found.append(called.id)
        if isinstance(called, ast.Attribute) and called.attr in UNSAFE_ATTRIBUTES:
            found.append(called.attr)
        found += ["shell=True" for keyword in node.keywords if keyword.arg == "shell"]
    return ", ".join(found)


def test_nothing_of_ours_runs_or_unpacks_what_it_reads() -> None:
    files = [file for package in PACKAGES for file in package.rglob("*.py")]
    assert len(files) > 200
    found = {}
    for file in files:
        place = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, _LOOKED_AT) and (wrong := unsafe(node)) and ALLOWED.get(place) != wrong:
                found[f"{place}:{node.lineno}"] = wrong
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from xml.etree import ElementTree",
        "def f():\n    import yaml",
        "eval(x)",
        "subprocess.run(x, shell=True)",
        "os.system(x)",
        "shutil.unpack_archive(x)",
    ],
)
def test_what_would_be_found(text: str) -> None:
    assert any(unsafe(node) for node in ast.walk(ast.parse(text)))
