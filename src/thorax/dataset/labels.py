"""Targets and what is known of them: given labels, mined states, corrections; in this order.

1. What the source gives: in `findings` present, in `uncertain` doubtful, in `unknown` not judged,
   else absent.
2. What its reports say, only for what is `unknown`: positive present, uncertain doubtful, negative
   and unmentioned absent. `schemas.mined_labels` says which reports count and how several combine;
   without one that counts everything stays unknown.
3. What people corrected (`corrections.csv`), the last line about an image and finding.

Doubtful counts by its policy: not at all, absent, or present; so does what is still unknown.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts
from thorax.dataset.settings import UncertainPolicy
from thorax.errors import BadInput
from thorax.findings import FINDINGS, closest, find
from thorax.progress import say
from thorax.schemas.mined_labels import firmness_by_image

CORRECTIONS = ("image", "finding", "label", "reader", "date", "comment")

_ABSENT, _PRESENT, _DOUBTFUL, _UNKNOWN = 0, 1, 2, 3

# By firmness; the last one is for NO_REPORT, which is -1.
_MEANING = np.array([_ABSENT, _ABSENT, _DOUBTFUL, _PRESENT, _UNKNOWN], np.int8)


@dataclass(frozen=True)
class Labels:
    """The labels of N images.

    Attributes:
        targets: int8 [N, F], 1 present, 0 absent or not known.
        known: bool [N, F], whether the target may be used.
        source: where each image's labels come from: given, mined, corrected or none; [N].
    """

    targets: NDArray[np.int8]
    known: NDArray[np.bool_]
    source: NDArray[np.object_]


def join(
    entries: pd.DataFrame, links: pd.DataFrame, mined: pd.DataFrame, policy: UncertainPolicy,
    *, unknown: UncertainPolicy = "ignore",
) -> Labels:  # fmt: skip
    """The labels of `entries` before corrections.

    Args:
        entries: columns `image, findings, uncertain, unknown`.
        links: columns `image, report`.
        mined: columns `report, finding, state`, as the reports stage writes them.
        policy: what a doubtful finding counts as.
        unknown: what a finding counts as of which nothing is said.
    """
    states = _given(entries)
    reported = _MEANING[firmness_by_image(links, mined, entries["image"])]
    asked = states == _UNKNOWN
    states = np.where(asked, reported, states)
    targets, known = _apply(states, {_DOUBTFUL: policy, _UNKNOWN: unknown})
    answered = (asked & (reported != _UNKNOWN)).any(axis=1)
    source = np.where(answered, "mined", np.where((~asked).any(axis=1), "given", "none"))
    return Labels(targets, known, source.astype(object))


def read_corrections(path: Path) -> pd.DataFrame:
    """`corrections.csv`, the last line about each image and finding; empty when there is no file.

    Two lines that contradict each other are said; the last counts.

    Raises:
        BadInput: a column is missing, a finding is not one of the fourteen (in any spelling), a
            label not 0 or 1, a reader not named, or a date not written as 2026-12-31.
    """
    if not path.exists():
        return pd.DataFrame(columns=list(CORRECTIONS), dtype=str)
    table = artifacts.read_csv(path, CORRECTIONS)
    table["finding"] = table["finding"].map(lambda name: find(name) or name)
    for column, (fits, wanted) in _RULES.items():
        bad = table[~table[column].map(fits).astype(bool)]
        if len(bad):
            value = bad[column].iloc[0]
            close = closest(value) if column == "finding" else None
            hint = f" (did you mean {close!r}?)" if close else ""
            raise BadInput(f"{path} row {bad.index[0] + 2}: {column} {value!r} is {wanted}{hint}")
    _say_contradictions(table, path)
    return table.drop_duplicates(["image", "finding"], keep="last", ignore_index=True)


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


_RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "finding": (FINDINGS.__contains__, f"none of {', '.join(FINDINGS)}"),
    "label": (("0", "1").__contains__, "none of 0, 1"),
    "reader": (lambda name: bool(name.strip()), "nobody: name who read it"),
    "date": (_is_day, "no day: write it as 2026-12-31"),
}


def _say_contradictions(table: pd.DataFrame, path: Path) -> None:
    kinds = table.groupby(["image", "finding"], sort=False)["label"].nunique()
    torn = kinds[kinds > 1]
    if len(torn):
        image, finding = torn.index[0]
        rows = table.index[(table["image"] == image) & (table["finding"] == finding)] + 2
        say(
            f"{path}: {len(torn):,} labels are corrected to 0 and to 1, and the last line counts; "
            f"first {finding} on {image}, rows {', '.join(map(str, rows))}"
        )


def correct(labels: Labels, images: pd.Series, corrections: pd.DataFrame) -> Labels:
    """`labels` with the corrections of these `images`; those of other images are left alone."""
    places = pd.Series(np.arange(len(images)), index=images.to_numpy())
    ours = corrections[corrections["image"].isin(places.index)]
    if len(corrections) > len(ours):
        say(f"{len(corrections) - len(ours):,} corrections are of images that this data lacks")
    rows = places.loc[ours["image"]].to_numpy(np.int64)
    columns = np.array([FINDINGS.index(finding) for finding in ours["finding"]], np.int64)
    targets, known, source = labels.targets.copy(), labels.known.copy(), labels.source.copy()
    targets[rows, columns] = ours["label"].to_numpy(np.int8)
    known[rows, columns] = True
    source[rows] = "corrected"
    return replace(labels, targets=targets, known=known, source=source)


def changes(before: Labels, after: Labels) -> list[str]:
    """What corrections changed, in words: a line per finding and kind of change, most first."""
    words = np.array(["absent", "present", "unknown"])
    was = words[np.where(before.known, before.targets, 2)]  # [N, F]
    now = words[np.where(after.known, after.targets, 2)]
    rows, columns = np.nonzero(was != now)
    kinds = Counter(
        (FINDINGS[column], f"{was[row, column]} -> {now[row, column]}")
        for row, column in zip(rows, columns, strict=True)
    )
    return [f"{finding}: {count:,} {kind}" for (finding, kind), count in kinds.most_common()]


def _given(entries: pd.DataFrame) -> NDArray[np.int8]:
    """States int8 [N, F]; what stands in more than one list is the more doubtful."""
    states = np.zeros((len(entries), len(FINDINGS)), np.int8)
    for column, state in (("findings", _PRESENT), ("uncertain", _DOUBTFUL), ("unknown", _UNKNOWN)):
        padded = "|" + entries[column] + "|"
        for place, finding in enumerate(FINDINGS):
            states[padded.str.contains(f"|{finding}|", regex=False).to_numpy(bool), place] = state
    return states


def _apply(
    states: NDArray[np.int8], policies: dict[int, UncertainPolicy]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    present = states == _PRESENT
    known = np.ones(states.shape, bool)
    for state, policy in policies.items():
        known &= (states != state) | (policy != "ignore")
        present |= (states == state) & (policy == "positive")
    return present.astype(np.int8), known
