"""What we put around Great Expectations' pages: an index, and the verdict at the top of each.

The library marks a failed check somewhere down a suite's page and shows its arguments, not what
they are for. Here a failed suite stands first on the index, and its page begins with what failed in
plain words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thorax import artifacts, validity
from validation import verdict
from validation.docs import INDEX, environment
from validation.verdict import Verdict

_KINDS = ("critical", "waived", "warning")
_MANY = {"critical": "critical", "waived": "waived", "warning": "warnings"}
_OF_ONE_SUITE = ("validations", "expectations")  # folders of pages


@dataclass(frozen=True)
class Standing:
    """How a suite stands.

    Attributes:
        suite: its name.
        address: of its page of results, relative to the folder of Data Docs.
        kind: of its gravest failed check; empty when all hold.
        words: the count of failed checks.
    """

    suite: str
    address: str
    kind: str
    words: str


def frame(docs: Path, judged: Verdict, *, subject: str = "data") -> None:
    """Write the index, and put the verdict and its waivers at the top of every page.

    Args:
        docs: the folder of Data Docs.
        judged: the verdict.
        subject: what was judged: data or predictions.
    """
    index = environment().get_template("index.html.j2")
    artifacts.write_text(docs / INDEX, index.render(suites=standings(docs, judged)))
    banner = environment().get_template("banner.html.j2")
    by_table = by_tables(verdict.failures(judged))
    for path in sorted(docs.rglob("*.html")):
        place = path.relative_to(docs)
        suite = Path(place.parts[1]).stem if place.parts[0] in _OF_ONE_SUITE else ""
        text = banner.render(
            verdict=judged,
            headline=headline(judged, subject=subject),
            up="../" * (len(place.parts) - 1),
            summary=subject == "data",
            failed=[(verdict.kind(check), check) for check in by_table.get(suite, [])],
        )
        artifacts.write_text(path, _after_body(path.read_text(encoding="utf-8"), text))


def standings(docs: Path, judged: Verdict) -> list[Standing]:
    """Every suite with a page, the gravest failures first, then by name."""
    checks = by_tables(judged["checks"])
    found = [_standing(*each, checks.get(each[0], [])) for each in suite_pages(docs).items()]
    return sorted(found, key=lambda each: (_grave(each.kind), each.suite))


def suite_pages(folder: Path) -> dict[str, str]:
    """Suite -> the address of its page of results, relative to `folder`."""
    pages = sorted((folder / "validations").glob("*/*/*/*.html"))
    return {
        page.relative_to(folder).parts[1]: page.relative_to(folder).as_posix() for page in pages
    }


def headline(judged: Verdict, *, subject: str = "data") -> str:
    """The verdict in three or four words."""
    is_ = f"The {subject} {'is' if subject == 'data' else 'are'}"
    if judged["verdict"] == "refuse":
        return f"{is_} refused"
    if judged["valid_until"]:
        return f"{is_} accepted until {judged['valid_until']}"
    return f"{is_} accepted"


def by_tables(checks: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Checks by the table that they are about, in their order."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for check in checks:
        tables.setdefault(check["table"], []).append(check)
    return tables


def _standing(suite: str, address: str, checks: list[dict[str, Any]]) -> Standing:
    kinds = [verdict.kind(check) for check in checks if not check["success"]]
    kind = min(kinds, key=_grave, default="")
    counts = {each: kinds.count(each) for each in _KINDS if each in kinds}
    failed = ", ".join(f"{n} {each if n == 1 else _MANY[each]}" for each, n in counts.items())
    counted = validity.count(checks)
    words = (
        f"{counted.failed} of {counted.evaluated} failed: {failed}"
        if kinds
        else f"all {counted.evaluated} hold"
    )
    return Standing(suite, address, kind, words + counted.apart)


def _grave(kind: str) -> int:
    return _KINDS.index(kind) if kind else len(_KINDS)


def _after_body(html: str, text: str) -> str:
    start = html.find("<body")
    end = html.find(">", start) + 1
    return html[:end] + text + html[end:] if start >= 0 else text + html
