"""Model and labels against adjudicated labels, where radiologists judged an image.

`adjudicated.csv` may join findings that its readers did not tell apart: Google's labels of NIH's
images (Majkowska et al., Radiology 2020) have airspace opacity (Infiltration, Consolidation,
Pneumonia or Edema), nodule or mass, and pneumothorax; their fractures are no finding of this
project. A joined finding is called when any of its members reaches its threshold, scores as the
largest of their calibrated probabilities, and is labelled when any member is.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts
from thorax.errors import BadInput
from thorax.evaluation import estimable, intervals, metrics, points
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.points import Thresholds
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.findings import FINDINGS, NORMAL, find
from thorax.schemas.estimate import Estimate

Summary = dict[str, Any]


def read(path: Path) -> pd.DataFrame:
    """`image, finding, label` (0 or 1) from `adjudicated.csv`.

    Raises:
        BadInput: a column is missing, a finding unknown, a label neither 0 nor 1.
    """
    table = artifacts.read_csv(path, ["image", "finding", "label"])
    table["finding"] = table["finding"].map(_known_spelling)
    for row, (finding, label) in enumerate(zip(table["finding"], table["label"], strict=True), 2):
        if strange := [name for name in finding.split("|") if name not in (*FINDINGS, NORMAL)]:
            raise BadInput(f"{path}, row {row}: {strange[0]!r} is no finding of this project")
        if label not in ("0", "1"):
            raise BadInput(f"{path}, row {row}: label is {label!r}, not 0 or 1")
    return table.astype({"label": "int8"})


def _known_spelling(names: str) -> str:
    return "|".join(find(name, (*FINDINGS, NORMAL)) or name for name in names.split("|"))


def summarise(
    scored: Scored, truth: pd.DataFrame, resampling: Resampling, thresholds: Thresholds,
    config: EvaluationConfig,
) -> Summary:  # fmt: skip
    """Per adjudicated finding: the model's AUC and rates, and how far the given labels agree."""
    here = truth[truth["image"].isin(scored.about["image"])]
    groups = [
        name for name in here["finding"].unique() if set(name.split("|")) <= set(scored.findings)
    ]
    return {
        "reason": "" if groups else "no image of the split has an adjudicated label",
        "images": int(here["image"].nunique()),
        "findings": {
            name: _group(scored, here, name, resampling, thresholds, config) for name in groups
        },
    }


def _group(
    scored: Scored, truth: pd.DataFrame, name: str, resampling: Resampling,
    thresholds: Thresholds, config: EvaluationConfig,
) -> Summary:  # fmt: skip
    mine = truth[truth["finding"] == name].drop_duplicates("image", keep="last")
    labels = mine.set_index("image")["label"].reindex(pd.Index(scored.about["image"]))
    judged = labels.notna().to_numpy(bool)
    y_true = labels.fillna(0).to_numpy(np.int8)
    columns = [scored.findings.index(member) for member in name.split("|")]
    probabilities = scored.probabilities[:, columns].max(axis=1)
    model = points.rates(
        y_true, _called(scored, columns, thresholds), resampling, config, known=judged
    )
    if all(thresholds.of.get(member) is None for member in name.split("|")):
        model = points.undefined(model, "no member has a threshold")
    labelled, known = _labelled(scored, columns)
    agreement = points.rates(y_true, labelled, resampling, config, known=judged & known)
    return {
        "findings": name.split("|"),
        "images": int(judged.sum()),
        "positives": int(y_true[judged].sum()),
        **_auc(y_true, probabilities, judged, resampling, config),
        "model": model,
        "given_labels": agreement,
    }


def _auc(
    y_true: NDArray[np.int8], scores: NDArray[np.float64], judged: NDArray[np.bool_],
    resampling: Resampling, config: EvaluationConfig,
) -> Summary:  # fmt: skip
    columns = (y_true[:, None], scores[:, None])
    area = metrics.auc(*columns, known=judged[:, None])[0]
    replicates = intervals.auc_replicates(*columns, resampling, known=judged[:, None])[:, 0]
    support = estimable.count(y_true, resampling.patient, judged)
    ends = estimable.interval(
        replicates, config, trials=support.pairs,
        lacking=support.lack(config.interval_patients_min),
    )  # fmt: skip
    reason = metrics.undefined_reasons(columns[0], known=judged[:, None])[0]
    estimate = Estimate(float(area), ends.low, ends.high)
    return {**estimate.entry("auc"), "reason": reason or ends.reason}


def _called(scored: Scored, columns: list[int], thresholds: Thresholds) -> NDArray[np.bool_]:
    limits = [thresholds.of.get(scored.findings[column]) for column in columns]
    reach = np.array([np.inf if limit is None else limit for limit in limits])
    return np.asarray((scored.probabilities[:, columns] >= reach).any(axis=1))


def _labelled(scored: Scored, columns: list[int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether any member is given as present, and whether that can be said."""
    present = ((scored.targets[:, columns] == 1) & scored.known[:, columns]).any(axis=1)
    return present, present | scored.known[:, columns].all(axis=1)
