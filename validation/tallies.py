"""What the manifest holds, counted for the summary page: findings by split, label sources, pairs.

Counts only; whether a number is good is the suites' matter.
"""

from dataclasses import dataclass

import pandas as pd

from thorax.findings import FINDINGS, SPLITS, display, known_column, target_column


@dataclass(frozen=True)
class Share:
    """A count out of a whole.

    Attributes:
        count: images.
        whole: images that it is a share of.
    """

    count: int
    whole: int

    @property
    def percent(self) -> float:
        """The share in percent; 0 of nothing."""
        return 100 * self.count / self.whole if self.whole else 0.0


@dataclass(frozen=True)
class Pair:
    """How many positives of one finding have another as well; `other` is the column's name."""

    other: str
    share: Share


@dataclass(frozen=True)
class Tallies:
    """The numbers of one data version.

    Attributes:
        images: images in each split, and under "" those in none.
        patients: patients in each split.
        findings: finding -> split -> positives among the images on which it is known.
        sources: where labels come from -> split -> images of it.
        together: finding -> the other findings of its positives, in order, all splits.
    """

    images: dict[str, int]
    patients: dict[str, int]
    findings: dict[str, dict[str, Share]]
    sources: dict[str, dict[str, Share]]
    together: dict[str, list[Pair]]


def count(manifest: pd.DataFrame) -> Tallies | None:
    """The tallies of a manifest; None when it lacks a column that they need."""
    targets = {finding: target_column(finding) for finding in FINDINGS}
    known = {finding: known_column(finding) for finding in FINDINGS}
    needed = {"split", "patient", "label_source", *targets.values(), *known.values()}
    if not needed <= set(manifest.columns):
        return None
    parts = {split: manifest[manifest["split"] == split] for split in SPLITS}
    return Tallies(
        images={
            **{split: len(part) for split, part in parts.items()},
            "": int((~manifest["split"].isin(SPLITS)).sum()),
        },
        patients={split: part["patient"].nunique() for split, part in parts.items()},
        findings={
            display(finding): {
                split: Share(int(part[targets[finding]].sum()), int(part[known[finding]].sum()))
                for split, part in parts.items()
            }
            for finding in FINDINGS
        },
        sources=_sources(parts),
        together=_together(manifest[manifest["split"].isin(SPLITS)]),
    )


def _sources(parts: dict[str, pd.DataFrame]) -> dict[str, dict[str, Share]]:
    names = sorted({str(name) for part in parts.values() for name in part["label_source"].unique()})
    return {
        name: {
            split: Share(int((part["label_source"] == name).sum()), len(part))
            for split, part in parts.items()
        }
        for name in names
    }


def _together(manifest: pd.DataFrame) -> dict[str, list[Pair]]:
    positive = (
        manifest[[target_column(finding) for finding in FINDINGS]].fillna(0).to_numpy("int64")
    )
    both = positive.T @ positive  # [F, F]
    return {
        display(row): [
            Pair(display(column), Share(int(both[i, j]), int(both[i, i])))
            for j, column in enumerate(FINDINGS)
        ]
        for i, row in enumerate(FINDINGS)
    }
