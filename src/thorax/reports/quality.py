"""How far mined labels can be trusted: precision and recall per finding against a known truth.

A report counts as labelled with a finding when its state is positive; a hedged one does not, so a
cautious wording costs recall. Intervals are percentiles of a bootstrap over patients, because a
patient's reports repeat each other (Field & Welsh, J. R. Stat. Soc. B 2007); without an error in
any replicate they have no width. What cannot be measured is NaN with a reason. Judges no single
report.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts
from thorax.findings import CHESTX_RAY8, FINDINGS, NORMAL
from thorax.reports.settings import ReportsConfig
from thorax.stats import shares

Floats = NDArray[np.float64]
Measured = dict[str, Any]

JUDGED = ("report", "patient", "finding", "state")
"""The columns of labels that are measured."""

_TRUTHS = {"truth.csv": "the source's truth", "adjudicated.csv": "adjudicated labels"}
_NO_TRUTH = "the source brings neither data/truth.csv nor data/adjudicated.csv with rows"


def truth_of(reports: pd.DataFrame, data: Path) -> tuple[pd.DataFrame, str]:
    """The known truth of reports, `report, finding, label` (0 or 1), and where it is from.

    A row of `truth.csv`, or else of `adjudicated.csv`, names an image of the report, or the report
    itself; a report has a finding when one of its images has it. Empty without either.
    """
    for name, origin in _TRUTHS.items():
        if (data / name).exists():
            rows = artifacts.read_csv(data / name, ("image", "finding", "label"))
            known = _by_report(reports, rows)
            if len(known):
                return known, origin
    return pd.DataFrame(columns=["report", "finding", "label"]), _NO_TRUTH


def measure(
    labels: pd.DataFrame, truth: pd.DataFrame, settings: ReportsConfig, *, measured_on: str
) -> Measured:
    """Precision, recall and F1 with intervals: per finding, micro over findings, and `normal`.

    Micro totals are taken over all fourteen, over those that occur in the truth (people who coded
    reports may not have looked for the others), over the first eight and `normal` as in table 2 of
    Wang et al. (CVPR 2017), and over all without what is called uncertain.

    Args:
        labels: mined labels with `report, patient, finding, state`.
        truth: `report, finding, label`; pairs that it lacks are not judged.
        settings: replicates, confidence and seed of the bootstrap.
        measured_on: where the truth is from, in words.
    """
    judged = labels[list(JUDGED)].merge(truth, on=["report", "finding"], validate="one_to_one")
    weights = _drawn(judged["patient"], settings)
    told = judged[judged["finding"] != NORMAL]
    clear = told[told["state"] != "uncertain"]
    eight = judged[judged["finding"].isin([*CHESTX_RAY8, NORMAL])]
    occurring = told[told["finding"].isin(told.loc[told["label"] == 1, "finding"])]
    return {
        "measured_on": measured_on,
        "reports": int(judged["report"].nunique()),
        "patients": int(judged["patient"].nunique()),
        "confidence": settings.confidence,
        "findings": {
            finding: _entry(judged[judged["finding"] == finding], weights, settings)
            for finding in FINDINGS
        },
        "micro": _entry(told, weights, settings),
        "micro_occurring": _entry(occurring, weights, settings),
        "micro_eight_and_normal": _entry(eight, weights, settings),
        "micro_without_uncertain": _entry(clear, weights, settings),
        "normal": _entry(judged[judged["finding"] == NORMAL], weights, settings),
    }


def _by_report(reports: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    images = reports[["report", "images"]].assign(image=reports["images"].str.split("|"))
    shown = pd.concat([images.explode("image"), images.assign(image=images["report"])])
    known = rows.merge(shown[["report", "image"]].drop_duplicates(), on="image")
    known = known[known["finding"].isin([*FINDINGS, NORMAL])].assign(
        label=lambda frame: (frame["label"].astype(float) > 0.5).astype(int)
    )
    return known.groupby(["report", "finding"])["label"].max().reset_index()


def _drawn(patients: "pd.Series[str]", settings: ReportsConfig) -> pd.DataFrame:
    """How often each patient (row) is drawn in each replicate (column)."""
    names = sorted(patients.unique())
    random = np.random.default_rng(settings.seed)
    share = np.full(len(names), 1 / max(len(names), 1))
    drawn = (
        random.multinomial(len(names), share, size=settings.replicates).T
        if names
        else np.zeros((0, settings.replicates))
    )
    return pd.DataFrame(drawn, index=pd.Index(names))


def _entry(rows: pd.DataFrame, weights: pd.DataFrame, settings: ReportsConfig) -> Measured:
    present = (rows["label"] == 1).to_numpy()
    labelled = (rows["state"] == "positive").to_numpy()
    counts = np.stack([present & labelled, ~present & labelled, present & ~labelled]).astype(float)
    by_patient = pd.DataFrame(counts.T).groupby(rows["patient"].to_numpy()).sum()
    drawn = by_patient.to_numpy().T @ weights.loc[by_patient.index].to_numpy()
    entry: Measured = {
        "positives": int(present.sum()),
        "labelled": int(labelled.sum()),
        "uncertain": int((rows["state"] == "uncertain").sum()),
        "reason": _reason(len(rows), int(present.sum()), int(labelled.sum())),
    }
    whole = _scores(counts.sum(axis=1, keepdims=True))
    for name, replicates in _scores(drawn).items():
        low, high = _interval(replicates, _patients(by_patient, name), settings)
        entry |= {name: float(whole[name][0]), f"{name}_low": low, f"{name}_high": high}
    return entry


def _reason(judged: int, positives: int, labelled: int) -> str | None:
    if not judged:
        return "no report with a known truth"
    if not positives:
        return "no report has it: recall is undefined"
    if not labelled:
        return "no report is labelled with it: precision is undefined"
    return None


def _scores(counts: Floats) -> dict[str, Floats]:
    """Precision, recall and F1 [R] of true and false positives and false negatives [3, R]."""
    true, false, missed = counts
    return {
        "precision": _share(true, true + false),
        "recall": _share(true, true + missed),
        "f1": _share(2 * true, 2 * true + false + missed),
    }


def _share(part: Floats, whole: Floats) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return shares


def _patients(by_patient: pd.DataFrame, name: str) -> int:
    """The patients behind a score; by_patient: true and false positives, and false negatives."""
    columns = {"precision": [0, 1], "recall": [0, 2], "f1": [0, 1, 2]}[name]
    return int((by_patient[columns].sum(axis=1) > 0).sum())


def _interval(replicates: Floats, patients: int, settings: ReportsConfig) -> tuple[float, float]:
    """The percentiles; of all right or all wrong the exact interval; NaN of too few patients."""
    defined = replicates[~np.isnan(replicates)]
    if defined.size == 0 or patients < settings.interval_patients_min:
        return float("nan"), float("nan")
    ends: Sequence[float] = (50 * (1 - settings.confidence), 50 * (1 + settings.confidence))
    low, high = (float(end) for end in np.percentile(defined, ends))
    if low == high and low in (0, 1):
        return shares.interval(low, patients, confidence=settings.confidence)
    return low, high
