"""What reports say of each image and finding, and where that is news about the label.

A label that was mined from the very report which states it is not confirmed by that report. So a
report counts where the source gave the label. Where a mined label differs from its report, labels
of this finding were changed since they were mined, and every report counts for it: the contradicted
labels alone would teach that reports are mostly wrong.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.findings import FINDINGS

NOTHING = "none"  # no report that anything was recognised in, beside the labeler's four states
_FIRMNESS = {"positive": 3, "uncertain": 2, "negative": 1, "unmentioned": 0}
_MEANS = {"positive": 1, "negative": 0, "unmentioned": 0}
EVIDENCE = ("report", "state", "sentence", "cue")


@dataclass(frozen=True)
class Said:
    """What reports say of N images.

    Attributes:
        states: a state or `NOTHING`, [N, F].
        news: whether the label does not come from it, bool [N, F].
    """

    states: NDArray[np.object_]
    news: NDArray[np.bool_]


def firmest(links: pd.DataFrame, mined: pd.DataFrame, images: pd.Series) -> pd.DataFrame:
    """One row per image and finding: the firmest statement of the image's reports.

    Args:
        links: columns `image, report`.
        mined: columns `finding` and `EVIDENCE`, as the reports stage writes them.
        images: those that are asked for.
    """
    asked = links[links["image"].isin(images)]
    table = asked.merge(mined[mined["finding"].isin(FINDINGS)], on="report")
    table["firmness"] = table["state"].map(_FIRMNESS)
    table = table.sort_values(["firmness", "report"], ascending=[False, True], kind="stable")
    return table.drop_duplicates(["image", "finding"])[["image", "finding", *EVIDENCE]]


def said_of(statements: pd.DataFrame, rows: pd.DataFrame, targets: NDArray[np.int8]) -> Said:
    """Lay `statements` of `firmest` out over the images.

    Args:
        statements: one row per image and finding.
        rows: the manifest's rows, with `image` and `label_source`.
        targets: the labels, int8 [N, F].
    """
    table = statements.pivot(index="image", columns="finding", values="state")
    table = table.reindex(index=rows["image"], columns=list(FINDINGS))
    states = table.astype(object).where(table.notna(), NOTHING).to_numpy(object)
    silent = np.isin(states, ("unmentioned", NOTHING)).all(axis=1)
    states[silent] = NOTHING
    mined = rows["label_source"].eq("mined").to_numpy()[:, None]
    contradicted = np.zeros(states.shape, bool)
    for state, target in _MEANS.items():
        contradicted |= (states == state) & (targets != target)
    changed = (mined & contradicted).any(axis=0)
    return Said(states, (states != NOTHING) & (~mined | changed))
