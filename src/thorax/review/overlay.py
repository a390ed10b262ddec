"""From answers to `corrections.csv`: which labels are flipped, and what that changes.

A label is flipped when enough readers say so, and more than say keep. Lines are only added, and
none about a label that the file speaks of already: whoever wants that changed again edits the file.
The next run of `dataset` takes the file up.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from thorax import artifacts
from thorax.dataset import labels, manifest
from thorax.dataset.labels import CORRECTIONS
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.locks import hold
from thorax.review.answers import Answers
from thorax.review.queue import Key


@dataclass(frozen=True)
class Flip:
    """One label that enough readers want flipped.

    Attributes:
        key: image and finding.
        given: the label that they saw.
        readers: who said flip, by name.
        keeps, unsures: how many said otherwise.
    """

    key: Key
    given: int
    readers: tuple[str, ...]
    keeps: int
    unsures: int

    @property
    def label(self) -> int:
        """What it becomes."""
        return 1 - self.given


@dataclass(frozen=True)
class Change:
    """One label of the data that differs from what was corrected."""

    key: Key
    now: str
    becomes: int
    readers: str
    where: str


def decided(readers: list[Answers], *, needed: int) -> list[Flip]:
    """The labels to flip, by image and finding; answers about another label do not count."""
    flips = []
    for key in sorted({key for each in readers for key in each.said}):
        told = [(each.reader, each.said[key]) for each in readers if key in each.said]
        for given in sorted({said.given for _, said in told}):
            named = [(name, said.answer) for name, said in told if said.given == given]
            wanting = tuple(name for name, answer in named if answer == "flip")
            keeps = sum(answer == "keep" for _, answer in named)
            if len(wanting) >= needed and len(wanting) > keeps:
                flips.append(Flip(key, given, wanting, keeps, len(named) - len(wanting) - keeps))
    return flips


def apply(flips: list[Flip], path: Path, *, labels_now: dict[Key, str], today: date) -> list[Flip]:
    """Append the flips that are news to `corrections.csv`; returns them.

    Args:
        flips: of `decided`.
        path: the file; made with its header when missing.
        labels_now: of `labels_of`: a label that has another value than the readers saw is left.
        today: the date of the lines.

    Raises:
        BadInput: the file is broken.
    """
    with hold(path.parent / ".thorax" / "review" / ".apply.lock", "thorax review --apply"):
        news = _news(flips, labels.read_corrections(path), labels_now)
        if news:
            text = path.read_bytes().decode("utf-8") if path.exists() else ""
            artifacts.write_text(path, _with_lines(text, news, today))
    return news


def changes(path: Path, flips: list[Flip], *, labels_now: dict[Key, str]) -> list[Change]:
    """What the file, and flips that are not in it yet, change against the labels of now."""
    there = labels.read_corrections(path)
    found = []
    for row in there.to_dict("records"):
        key = row["image"], row["finding"]
        now = labels_now.get(key, "no such image")
        found.append(Change(key, now, int(row["label"]), row["reader"], "corrections.csv"))
    found += [
        Change(flip.key, labels_now[flip.key], flip.label, "+".join(flip.readers), "to be applied")
        for flip in _news(flips, there, labels_now)
    ]
    return [change for change in found if change.now != str(change.becomes)]


def labels_of(path: Path) -> dict[Key, str]:
    """The manifest's labels by image and finding: `0`, `1`, or `unknown`."""
    table = manifest.read(path)
    targets, known = manifest.targets(table), manifest.known(table)
    return {
        (str(image), finding): str(targets[row, column]) if known[row, column] else "unknown"
        for row, image in enumerate(table["image"])
        for column, finding in enumerate(FINDINGS)
    }


def _news(flips: list[Flip], there: pd.DataFrame, labels_now: dict[Key, str]) -> list[Flip]:
    """Flips of labels that are as the readers saw them and that no correction is about."""
    done = set(zip(there["image"], there["finding"], strict=True))
    return [
        flip
        for flip in flips
        if labels_now.get(flip.key) == str(flip.given) and flip.key not in done
    ]


def _with_lines(text: str, flips: list[Flip], today: date) -> str:
    header = text.partition("\n")[0].strip() or ",".join(CORRECTIONS)
    columns = next(csv.reader([header]))
    if missing := sorted(set(CORRECTIONS) - set(columns)):
        raise BadInput(f"corrections.csv: column {', '.join(missing)} is missing")
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    for flip in flips:
        said = f"review: {len(flip.readers)} flip, {flip.keeps} keep, {flip.unsures} unsure"
        writer.writerow(
            {"image": flip.key[0], "finding": flip.key[1], "label": flip.label,
             "reader": "+".join(flip.readers), "date": today.isoformat(), "comment": said}
        )  # fmt: skip
    before = text or header
    return before + ("" if before.endswith("\n") else "\n") + file.getvalue()
