"""What reports say of each image and finding, and where that is independent of the label.

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
from thorax.schemas.mined_labels import FIRMNESS, LABELS_BY_FIRMNESS

NO_REPORT = "none"
"""The state where an image has no report that counts, beside the labeler's four."""


@dataclass(frozen=True)
class ReportEvidence:
    """What reports say of N images.

    Attributes:
        states: a state or `NO_REPORT`, [N, F].
        news: whether the report counts: the label does not come from it, bool [N, F].
    """

    states: NDArray[np.object_]
    news: NDArray[np.bool_]


def arrange_evidence(
    statements: pd.DataFrame, rows: pd.DataFrame, targets: NDArray[np.int8]
) -> ReportEvidence:
    """Lay out the statements of `schemas.mined_labels.evidence_by_image` over the images.

    Args:
        statements: one row per image and finding, with `state`.
        rows: the manifest's rows, with `image` and `label_source`.
        targets: the labels, int8 [N, F].
    """
    table = statements.pivot(index="image", columns="finding", values="state")
    table = table.reindex(index=rows["image"], columns=list(FINDINGS))
    states = table.astype(object).where(table.notna(), NO_REPORT).to_numpy(object)
    mined = rows["label_source"].eq("mined").to_numpy()[:, None]
    contradicted = np.zeros(states.shape, bool)
    for state, firmness in FIRMNESS.items():
        label = LABELS_BY_FIRMNESS[firmness]
        if not np.isnan(label):  # an uncertain report contradicts no label
            contradicted |= (states == state) & (targets != label)
    changed = (mined & contradicted).any(axis=0)
    return ReportEvidence(states, (states != NO_REPORT) & (~mined | changed))
