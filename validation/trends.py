"""How a source's data changed from version to version, as lines for the summary page.

Reads what `statistics.json` and `validation/history.json` hold. Whether a change is too large is
judged in `drift`; here it is only drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thorax.findings import FINDINGS, display

Statistics = Mapping[str, Any]

WIDTH_PX, HEIGHT_PX, _MARGIN_PX = 180, 36, 4


@dataclass(frozen=True)
class Line:
    """One number over the versions.

    Attributes:
        name: what it is.
        values: one per version, oldest first; None where it was undefined.
        path: the line as an SVG polyline's `points`; empty for fewer than two values.
        last: the last point, x and y in pixels of the picture; None without a last value.
        unit: `%` or empty.
    """

    name: str
    values: tuple[float | None, ...]
    path: str
    last: tuple[float, float] | None
    unit: str

    def said(self, place: int) -> str:
        """The value of one version as a person reads it."""
        value = self.values[place]
        if value is None:
            return "-"
        return f"{value:.1f} %" if self.unit else f"{value:,.0f}"

    def change(self) -> str:
        """What the last version has more than the one before; points for a percentage."""
        before, now = self.values[-2:] if len(self.values) > 1 else (None, None)
        if before is None or now is None:
            return "-"
        return f"{now - before:+.1f} points" if self.unit else f"{now - before:+,.0f}"


@dataclass(frozen=True)
class Trends:
    """The versions and their lines.

    Attributes:
        versions: names, oldest first; the last is the one that was judged.
        lines: images, patients, then each finding's prevalence.
        others: sources of versions that are left out, because other data is no trend.
    """

    versions: tuple[str, ...]
    lines: tuple[Line, ...]
    others: tuple[str, ...]


def draw(now: Statistics | None, earlier: Sequence[Statistics], *, most: int) -> Trends | None:
    """The trends of the judged version's source; None without its statistics.

    Args:
        now: the statistics of the judged version.
        earlier: those of earlier versions, oldest first.
        most: how many versions at most, the latest ones.
    """
    if now is None:
        return None
    same = [
        item
        for item in earlier
        if item["source"] == now["source"] and item["digest"] != now["digest"]
    ]
    versions = [*same, now][-most:]
    lines = [
        _line("images", [_total(item, "images") for item in versions]),
        _line("patients", [_total(item, "patients") for item in versions]),
        *(_line(display(name), [_percent(item, name) for item in versions], "%")
          for name in FINDINGS),
    ]  # fmt: skip
    others = sorted({str(item["source"]) for item in earlier} - {str(now["source"])})
    names = [_name(item) for item in versions[:-1]]
    return Trends((*names, "this version"), tuple(lines), tuple(others))


def _line(name: str, values: list[float | None], unit: str = "") -> Line:
    points = _points(values)
    known = [point for point in points if point is not None]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in known) if len(known) > 1 else ""
    return Line(name, tuple(values), path, points[-1], unit)


def _points(values: list[float | None]) -> list[tuple[float, float] | None]:
    """Where the values lie: from 0 at the bottom to the highest at the top."""
    top = max([value for value in values if value is not None] or [0.0]) or 1.0
    step = (WIDTH_PX - 2 * _MARGIN_PX) / max(len(values) - 1, 1)
    high = HEIGHT_PX - 2 * _MARGIN_PX
    return [
        None
        if value is None
        else (_MARGIN_PX + place * step, HEIGHT_PX - _MARGIN_PX - high * value / top)
        for place, value in enumerate(values)
    ]


def _total(version: Statistics, what: str) -> float | None:
    counts = version.get(what)
    return float(sum(counts.values())) if counts else None


def _percent(version: Statistics, finding: str) -> float | None:
    prevalence = version["findings"].get(finding, {}).get("prevalence")
    return None if prevalence is None else 100 * float(prevalence)


def _name(version: Statistics) -> str:
    return str(version.get("name") or version["digest"][:8])
