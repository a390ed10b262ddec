"""Given labels against better ones: how often they are wrong, and whether those come first.

Better labels are adjudicated ones, where radiologists judged images anew, or the phantom's truth.
A finding may join several with `|` where the judges did not tell them apart; it is given when any
of its members is, and as good as the worst of their labels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from thorax.findings import FINDINGS

Summary = dict[str, Any]

_CELL = ["image", "finding"]


@dataclass(frozen=True)
class Labels:
    """Labels of N images with their quality.

    Attributes:
        images: their names.
        targets: int8 [N, F].
        known: bool [N, F].
        quality: up is good, [N, F]; NaN where it was not judged.
    """

    images: pd.Series
    targets: NDArray[np.int8]
    known: NDArray[np.bool_]
    quality: NDArray[np.float64]


def compare(labels: Labels, better: pd.DataFrame) -> Summary:
    """Rates of wrong labels per finding, and how well quality finds them.

    Args:
        labels: the given ones.
        better: `image, finding, label` (0 or 1).

    Returns:
        `findings` (of each: absent and present images, share of either that is called the other);
        and over all judged labels: `judged_labels`, `wrong_labels`, `precision_at_wrong` (of as
        many top suspects as labels are wrong, the share that is wrong), `auc_score`; each null
        with a `reason` where it is not defined.
    """
    pairs = _pairs(labels, better)
    if pairs.empty:
        return {"reason": "no image here has a better label", "findings": {}}
    rates = {str(name): _rates(part) for name, part in pairs.groupby("finding", sort=False)}
    return {"reason": "", "findings": rates, **_found(pairs.dropna(subset="quality"))}


def _pairs(labels: Labels, better: pd.DataFrame) -> pd.DataFrame:
    """One better label a row beside the given one: `image, finding, given, quality, label`."""
    places = pd.Series(np.arange(len(labels.images)), index=labels.images.to_numpy())
    parts = []
    for name, rows in better[better["image"].isin(places.index)].groupby("finding", sort=False):
        members = str(name).split("|")
        if not set(members) <= set(FINDINGS):
            continue
        columns = np.array([FINDINGS.index(member) for member in members])
        at = np.ix_(places.loc[rows["image"]].to_numpy(), columns)
        part = pd.DataFrame(
            {
                "image": rows["image"].to_numpy(),
                "finding": str(name),
                "given": labels.targets[at].max(axis=1),
                "quality": labels.quality[at].min(axis=1),
                "label": rows["label"].to_numpy().astype(np.int8),
            }
        )
        parts.append(part[labels.known[at].all(axis=1)])
    empty = pd.DataFrame(columns=[*_CELL, "given", "quality", "label"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _rates(part: pd.DataFrame) -> Summary:
    absent, present = part[part["label"] == 0], part[part["label"] == 1]
    return {
        "absent_images": len(absent),
        "present_images": len(present),
        "called_present": float(absent["given"].mean()) if len(absent) else float("nan"),
        "called_absent": float(1 - present["given"].mean()) if len(present) else float("nan"),
    }


def _found(judged: pd.DataFrame) -> Summary:
    wrong = (judged["given"] != judged["label"]).to_numpy()
    count = int(wrong.sum())
    about = {"judged_labels": len(judged), "wrong_labels": count}
    undefined = {"precision_at_wrong": float("nan"), "auc_score": float("nan")}
    if not len(judged):
        return {**about, **undefined, "found_reason": "none of these labels was judged here"}
    if count in (0, len(judged)):
        return {**about, **undefined, "found_reason": "none or all of these labels are wrong"}
    quality = judged["quality"].to_numpy(np.float64)
    first = np.argsort(quality, kind="stable")[:count]
    return {
        **about,
        "precision_at_wrong": float(wrong[first].mean()),
        "auc_score": float(roc_auc_score(wrong, -quality)),
        "found_reason": "",
    }
