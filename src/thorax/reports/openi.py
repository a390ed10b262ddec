"""One report of the Indiana University collection (OpenI): its XML to a name, images and a text.

Demner-Fushman et al., "Preparing a collection of radiology examinations for distribution and
retrieval" (JAMIA 2016). Sections are `AbstractText` elements; each becomes a line `LABEL: text`.
Reads neither the coded key words (MeSH) nor the images.
"""

from dataclasses import dataclass
from xml.parsers import expat


class BrokenXml(ValueError):
    """Not XML, or not a report; the message quotes nothing of it."""


@dataclass(frozen=True)
class OpeniReport:
    """A report.

    Attributes:
        report: its id, such as CXR1; empty when it gives none.
        images: the names of its images, without suffix.
        sections: the labels of its sections, as written.
        text: the sections, a line each.
    """

    report: str
    images: tuple[str, ...]
    sections: tuple[str, ...]
    text: str


def read(content: bytes, *, images: bool = True) -> OpeniReport:
    """Read one report.

    Args:
        content: the XML.
        images: also name its images; without them most of the elements need no look.

    Raises:
        BrokenXml: it is not well-formed (line and column are named), or has no section at all.
    """
    parser = _Parser(awaited=_marks(content) if not images else None)
    try:
        parser.expat.Parse(content, True)
    except expat.ExpatError as error:
        place = f"line {error.lineno:,}, column {error.offset + 1:,}"
        raise BrokenXml(f"malformed XML at {place}") from None
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise BrokenXml(f"XML that cannot be decoded ({type(error).__name__})") from None
    finally:
        del parser.expat  # it holds the parser's methods, a cycle that would wait for the collector
    if not parser.sections:
        raise BrokenXml("XML without an AbstractText element: not a report of this collection")
    sections = [(label, " ".join("".join(parts).split())) for label, parts in parser.sections]
    return OpeniReport(
        report=parser.report,
        images=tuple(parser.images),
        sections=tuple(label for label, _ in sections if label),
        text="\n".join(f"{label}: {text}" if label else text for label, text in sections),
    )


class _Parser:
    """Picks the few elements that count as they pass, since a tree of all takes twice the time."""

    def __init__(self, awaited: int | None) -> None:
        self._awaited = awaited
        self.report = ""
        self.images: list[str] = []
        self.sections: list[tuple[str, list[str]]] = []
        self.expat = expat.ParserCreate()
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self._start

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "AbstractText":
            self.sections.append((attributes.get("Label", "").strip(), []))
            self.expat.CharacterDataHandler = self.sections[-1][1].append
            self.expat.EndElementHandler = self._end
        elif name == "parentImage":
            self.images.append(attributes.get("id", ""))
        elif name == "uId":
            self.report = attributes.get("id", "")

    def _end(self, name: str) -> None:
        if name == "AbstractText":
            self.expat.CharacterDataHandler = None
            self.expat.EndElementHandler = None
            if self._awaited == len(self.sections) + bool(self.report):
                self.expat.StartElementHandler = None  # only well-formedness is left to check


def _marks(content: bytes) -> int:
    """How often the bytes hold the beginnings of elements that are awaited; none in UTF-16."""
    return content.count(b"<AbstractText") + (b"<uId" in content)
