"""Names that mean the same thing in every process: test ids, suites, sessions, sources."""

from __future__ import annotations

from collections.abc import Sequence

#: The worker id of a process that runs tests without xdist, and of xdist's controller.
MAIN_WORKER = "main"
#: The worker id under which the shipper writes its own journal.
SHIPPER_WORKER = "shipper"
#: The worker id of a source into which the recorder writes what a client says within a run that is not the client's.
CLIENT_WORKER = "client"


def strip_group(node_id: str) -> str:
    """The node id without the ``@group`` that ``--dist=loadgroup`` appends.

    xdist takes the group from behind the last ``@`` that follows the last ``]``
    (``LoadGroupScheduling._split_scope``); a group is never followed by ``::``.
    """
    at = node_id.rfind("@")
    if at > node_id.rfind("]") and at > node_id.rfind("::"):
        return node_id[:at]
    return node_id


def distinct_ids(node_ids: Sequence[str]) -> list[str]:
    """Test ids for node ids in collection order: the second same one gets ``#2``, the third ``#3``.

    A number that makes the name of another test is passed over. The order of collection is the same in every xdist
    worker, so each process comes to the same ids.
    """
    taken = set(node_ids)
    if len(taken) == len(node_ids):
        return list(node_ids)
    seen: dict[str, int] = {}
    ids = []
    for node_id in node_ids:
        count, found = seen.get(node_id, 0) + 1, node_id
        while count > 1 and (found := f"{node_id}#{count}") in taken:
            count += 1
        seen[node_id] = count
        taken.add(found)
        ids.append(found)
    return ids


def without_number(test_id: str) -> str:
    """The id without the ``#2`` that ``distinct_ids`` may have put behind it."""
    name, mark, number = test_id.rpartition("#")
    return name if mark and number.isascii() and number.isdigit() else test_id


def split_params(test_id: str) -> tuple[str, str]:
    """``(function, params)``: ``a.py::test_x[1-a]`` gives ``("a.py::test_x", "1-a")``; params may be empty.

    A ``[`` in the file's path is not a parameter, so the search starts behind the first ``::``.
    """
    path, separator, rest = test_id.partition("::")
    name, bracket, params = rest.partition("[")
    if not bracket:
        return test_id, ""
    closing = params.rfind("]")
    return f"{path}{separator}{name}{params[closing + 1 :]}", params[:closing]


def suite_of(test_id: str) -> str:
    """The suite of a test: its file, or file and classes (``a.py::TestX`` for ``a.py::TestX::test_y[1]``)."""
    path, separator, rest = test_id.partition("::")
    if not separator:
        return test_id
    *classes, _name = rest.partition("[")[0].split("::")
    return "::".join((path, *classes))


def name_of(test_id: str) -> str:
    """The last part of a test id, parameters included; a file that has no parts is its own name."""
    suite = suite_of(test_id)
    return test_id[len(suite) + 2 :] or test_id


def source_name(session: str, worker: str) -> str:
    """The source of the events of one process: ``<session>.<worker>``."""
    return f"{session}.{worker}"
