"""What an image's reports say of a finding: the one rule for mined labels, in every room.

The stage `reports` writes one state per report and finding, and one for `normal`. The rule:

1. A report counts when its `normal` has any state but `unmentioned`. Otherwise nothing in it was
   recognised (no text, another language), and it is evidence of nothing.
2. In a report that counts, a finding that is not mentioned is absent (Wang et al., CVPR 2017, 2.1).
   So "Normal chest radiograph." (`normal` positive, fourteen times `unmentioned`) is evidence
   against all fourteen.
3. Of several reports of one image the firmest state counts: positive, then uncertain, then
   negative, then unmentioned. A hedge in one report is not outweighed by a denial in another.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.findings import FINDINGS, NORMAL, State

STATES_BY_FIRMNESS: Final[tuple[State, ...]] = ("unmentioned", "negative", "uncertain", "positive")
FIRMNESS: Final = {state: rank for rank, state in enumerate(STATES_BY_FIRMNESS)}
NO_REPORT: Final = -1
"""The firmness where an image has no report that counts."""

LABELS_BY_FIRMNESS: Final = np.array([0.0, 0.0, np.nan, 1.0])
"""The label that each firmness stands for: absent 0, present 1, and NaN where it is uncertain."""

EVIDENCE: Final = ("report", "state", "sentence", "cue")
"""What is shown of the report that decides."""


def firmness_by_report(mined: pd.DataFrame) -> pd.DataFrame:
    """The firmness of each state, int64 [reports, findings and `normal`], of reports that count.

    Args:
        mined: columns `report, finding, state`; where a row is repeated, the firmest counts.
    """
    firmness = mined["state"].map(FIRMNESS).fillna(0).astype("int64")  # validation names the others
    table = firmness.groupby([mined["report"], mined["finding"]]).max().unstack(fill_value=0)
    table = table.reindex(columns=[*FINDINGS, NORMAL], fill_value=0)
    return table[table[NORMAL] > FIRMNESS["unmentioned"]]


def firmness_by_image(
    links: pd.DataFrame, mined: pd.DataFrame, images: pd.Series
) -> NDArray[np.int8]:
    """The firmest state of each image's reports, int8 [N, F]; `NO_REPORT` where none counts.

    Args:
        links: columns `image, report`.
        mined: columns `report, finding, state`.
        images: the N images, in the order of the result.
    """
    joined = links.merge(firmness_by_report(mined), left_on="report", right_index=True)
    by_image = joined.groupby("image")[list(FINDINGS)].max()
    return by_image.reindex(images.to_numpy()).fillna(NO_REPORT).to_numpy(np.int8)


def evidence_by_image(links: pd.DataFrame, mined: pd.DataFrame, images: pd.Series) -> pd.DataFrame:
    """One row per image and finding: the report that decides, its state, sentence and cue.

    Images without a report that counts have no rows. Of equally firm reports the first by name is
    taken. What a normal report leaves unmentioned is shown with the sentence that calls it normal.

    Args:
        links: columns `image, report`.
        mined: columns `finding` and `EVIDENCE`.
        images: the images that are asked for.
    """
    counting = mined[mined["report"].isin(firmness_by_report(mined).index)]
    calls_normal = counting[counting["finding"].eq(NORMAL) & counting["state"].eq("positive")]
    reasons = calls_normal.set_index("report")["sentence"]
    asked = links[links["image"].isin(images)]
    table = asked.merge(counting[counting["finding"].isin(FINDINGS)], on="report")
    silent = table["state"].eq("unmentioned")
    normal = reasons.astype(object).reindex(table["report"]).fillna("").to_numpy()
    table["sentence"] = table["sentence"].mask(silent, normal)
    table["firmness"] = table["state"].map(FIRMNESS)
    table = table.sort_values(["firmness", "report"], ascending=[False, True], kind="stable")
    return table.drop_duplicates(["image", "finding"])[["image", "finding", *EVIDENCE]]
