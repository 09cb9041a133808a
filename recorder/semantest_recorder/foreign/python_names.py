"""Python's dotted names as pytest's node ids: a file leaves them as ``tests.test_cart.TestTotal``.

pytest writes ``/`` as ``.`` and drops ``.py`` (``_pytest.junitxml.mangle_test_address``), so where the file ends and
classes begin has to be guessed: classes begin with a capital letter, says PEP 8. Every other place is possible, too.
"""

from __future__ import annotations

#: So many places where the file may end are tried: nobody nests packages and classes deeper, and each costs an id.
_PLACES_MAX = 32


def node_ids(dotted: str, name: str, file: str | None = None) -> tuple[str, ...]:
    """What the test ``name`` of class or module ``dotted`` may be called, the likeliest first.

    ``file``: its path where it is known; only classes have to be found then.
    """
    parts = [part for part in dotted.split(".") if part]
    if file:
        module = file.removesuffix(".py").replace("/", ".").strip(".")
        classes = dotted[len(module) + 1 :].split(".") if dotted.startswith(f"{module}.") else []
        return ("::".join([file, *classes, name]),)
    if not parts:
        return (name,)
    likely = len(parts)
    while likely > 1 and parts[likely - 1][:1].isupper():
        likely -= 1
    ends = [likely, *(end for end in range(len(parts), 0, -1) if end != likely)][:_PLACES_MAX]
    return tuple("::".join([f"{'/'.join(parts[:end])}.py", *parts[end:], name]) for end in ends)


def from_root(path: str | None, file: str | None) -> str | None:
    """A path as the id of a test in ``file`` has it: reports name the failing line's file from the root of the disk."""
    return file if path and file and path.replace("\\", "/").endswith(f"/{file}") else path


def file_id(dotted: str) -> str:
    """The file of a module, which is the id of a collection that failed."""
    return dotted if "/" in dotted or dotted.endswith(".py") else f"{dotted.replace('.', '/')}.py"
