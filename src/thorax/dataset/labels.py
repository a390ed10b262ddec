"""Targets and what is known of them: given labels, mined states, corrections; in this order.

1. What the source gives: in `findings` present, in `uncertain` doubtful, in `unknown` not judged,
   else absent.
2. What a report says, only for what is `unknown`: positive present, uncertain doubtful, negative
   and unmentioned absent (Wang et al., CVPR 2017, take what no report names as absent). A report in
   which nothing was recognised leaves everything unknown, and so does no report.
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
from thorax.findings import FINDINGS, NORMAL
from thorax.progress import say

CORRECTIONS = ("image", "finding", "label", "reader", "date", "comment")

_ABSENT, _PRESENT, _DOUBTFUL, _UNKNOWN = 0, 1, 2, 3

# A finding in several reports of one image: the firmest word counts.
_FIRMNESS = {"positive": 3, "uncertain": 2, "negative": 1, "unmentioned": 0}
_MEANING = np.array([_ABSENT, _ABSENT, _DOUBTFUL, _PRESENT], np.int8)  # by firmness


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
    reported = _reported(entries["image"], links, mined)
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
        BadInput: a column is missing, a finding is not one of the fourteen, a label not 0 or 1, a
            reader not named, or a date not written as 2026-12-31.
    """
    if not path.exists():
        return pd.DataFrame(columns=list(CORRECTIONS), dtype=str)
    table = artifacts.read_csv(path, CORRECTIONS)
    for column, (fits, wanted) in _RULES.items():
        bad = table[~table[column].map(fits).astype(bool)]
        if len(bad):
            raise BadInput(
                f"{path} row {bad.index[0] + 2}: {column} {bad[column].iloc[0]!r} is {wanted}"
            )
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


def _reported(images: pd.Series, links: pd.DataFrame, mined: pd.DataFrame) -> NDArray[np.int8]:
    """States int8 [N, F] by the reports; unknown without a report that says anything."""
    firmness = mined["state"].map(_FIRMNESS)
    by_report = firmness.groupby([mined["report"], mined["finding"]]).max().unstack(fill_value=0)
    by_report = by_report.reindex(columns=[*FINDINGS, NORMAL], fill_value=0)
    by_report = by_report[by_report[NORMAL] > _FIRMNESS["unmentioned"]]  # nothing recognised
    joined = links.merge(by_report, left_on="report", right_index=True)
    by_image = joined.groupby("image")[list(FINDINGS)].max().reindex(images.to_numpy())
    silent = by_image.isna().to_numpy()
    meaning = _MEANING[by_image.fillna(0).to_numpy(np.int64)]
    return np.where(silent, _UNKNOWN, meaning).astype(np.int8)


def _apply(
    states: NDArray[np.int8], policies: dict[int, UncertainPolicy]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    present = states == _PRESENT
    known = np.ones(states.shape, bool)
    for state, policy in policies.items():
        known &= (states != state) | (policy != "ignore")
        present |= (states == state) & (policy == "positive")
    return present.astype(np.int8), known
