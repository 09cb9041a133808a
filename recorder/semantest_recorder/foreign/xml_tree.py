"""XML from strangers as a tree: no entities, nothing from elsewhere, bounded depth and number of elements.

It is read by the expat of the standard library, whose hooks tell of a document type before anything of it is used.
defusedxml does the same with the same hooks around ElementTree; it gives nothing of a file that is cut off, and its
last release is older than the Pythons that are supported here (docs/design/importing.md).
"""

from __future__ import annotations

from xml.parsers import expat

from semantest_recorder.foreign.decoding import xml_text
from semantest_recorder.foreign.errors import Problem, UnreadableError

#: Suites of suites are rarely nested deeper than 10.
DEPTH_MAX = 100
#: What expat says where a file ends in the middle.
_CUT_OFF = (
    expat.errors.XML_ERROR_NO_ELEMENTS,
    expat.errors.XML_ERROR_UNCLOSED_TOKEN,
    expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
)
ELEMENTS_MAX = 3_000_000


class Element:
    """One element; ``text`` is its own text without that of its children. ``whole``: its end was read."""

    __slots__ = ("attributes", "children", "line", "parts", "tag", "whole")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag = tag
        self.attributes = attributes
        self.line = line
        self.children: list[Element] = []
        self.parts: list[str] = []
        self.whole = False

    @property
    def text(self) -> str:
        """Its text."""
        return "".join(self.parts)

    def get(self, name: str) -> str | None:
        """An attribute; ``None`` when it is missing or empty."""
        return self.attributes.get(name) or None

    def of(self, *tags: str) -> list[Element]:
        """The children with one of these tags."""
        return [child for child in self.children if child.tag in tags]


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._entity
        self._parser.ExternalEntityRefHandler = self._external

    def read(self, data: bytes) -> Problem | None:
        """Why not all of it could be read."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            told = expat.ErrorString(error.code)
            cut_off = self.root is not None and told in _CUT_OFF
            reason = "the file ends too early" if cut_off else f"no XML from here on: {told}"
            return Problem(reason, error.lineno)
        return None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        line = self._parser.CurrentLineNumber
        if len(self._open) >= DEPTH_MAX:
            raise UnreadableError(f"elements are nested deeper than {DEPTH_MAX}", line)
        if self._count > ELEMENTS_MAX:
            raise UnreadableError(f"there are more than {ELEMENTS_MAX} elements", line)
        found = Element(name.rpartition(":")[2], attributes, line)
        if self._open:
            self._open[-1].children.append(found)
        else:
            self.root = found
        self._open.append(found)

    def _end(self, _name: str) -> None:
        self._open.pop().whole = True

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].parts.append(text)

    def _doctype(self, _name: str, _system: str | None, _public: str | None, has_subset: int) -> None:
        if has_subset:
            self._refuse("a document type of its own")

    def _entity(self, *_declared: object) -> None:
        self._refuse("an entity")

    def _external(self, *_named: object) -> int:
        self._refuse("a reference to another file")
        return 0

    def _refuse(self, what: str) -> None:
        raise UnreadableError(f"the file declares {what}, which no test report needs", self._parser.CurrentLineNumber)


def read_tree(data: bytes) -> tuple[Element, Problem | None]:
    """The root element, and why not all of it could be read: elements that were open there are not ``whole``.

    Raises ``UnreadableError`` when there is no element, or when the file holds what no report needs.
    """
    builder = _Builder()
    problem = builder.read(xml_text(data).encode("utf-8"))
    if builder.root is None:
        raise UnreadableError(problem.reason if problem else "it holds no element", problem.line if problem else None)
    return builder.root, problem
