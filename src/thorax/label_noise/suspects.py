"""The table of suspects: every known label, the least trusted first, with what speaks of it."""

import numpy as np
import pandas as pd

from thorax.findings import FINDINGS
from thorax.label_noise.context import Known
from thorax.label_noise.judge import Judged
from thorax.label_noise.report_evidence import NO_REPORT, ReportEvidence
from thorax.schemas.mined_labels import EVIDENCE

COLUMNS = (
    "rank", "finding_rank", "image", "patient", "split", "finding", "given", "probability",
    "quality_score", "flagged", "news", *EVIDENCE, "picture", "heatmap",
)  # fmt: skip


def table(
    about: Known, judged: Judged, evidence: ReportEvidence, statements: pd.DataFrame,
    flagged: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """One known label a row, by quality; `picture` and `heatmap` are still empty.

    `probability` is that the label is given as present, by the image; `quality_score` that the
    given label is right, by all that is known; `news` whether the report had a say in that; `rank`
    counts from 1, over all findings and within each.

    Args:
        about: the images and their labels.
        judged: what is thought of them.
        evidence: what reports say.
        statements: the same with its sentences, one row per image and finding.
        flagged: bool [N, F], labels that are called wrong.
    """
    images, columns = np.nonzero(about.known)
    found = about.rows.iloc[images][["image", "patient", "split"]].reset_index(drop=True)
    found["finding"] = np.asarray(FINDINGS, object)[columns]
    found["given"] = about.targets[images, columns]
    found["probability"] = judged.probabilities[images, columns].astype(np.float32)
    found["quality_score"] = judged.weighed.quality[images, columns].astype(np.float32)
    found["flagged"] = flagged[images, columns]
    found["news"] = evidence.news[images, columns]
    found = found.merge(statements, on=["image", "finding"], how="left", validate="one_to_one")
    found["state"] = found["state"].fillna(NO_REPORT)
    found[list(EVIDENCE)] = found[list(EVIDENCE)].fillna("")
    order = np.lexsort((found["finding"], found["image"], judged.weighed.quality[images, columns]))
    found = found.iloc[order].reset_index(drop=True)
    found["rank"] = np.arange(1, len(found) + 1)
    found["finding_rank"] = found.groupby("finding").cumcount() + 1
    found["picture"] = found["heatmap"] = ""
    return found[list(COLUMNS)]
