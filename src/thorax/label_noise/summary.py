"""What `noise.json` says: rates of wrong labels per finding, estimated and measured."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thorax import artifacts
from thorax.dataset import manifest
from thorax.errors import BadInput
from thorax.evaluation import metrics
from thorax.findings import FINDINGS
from thorax.label_noise import reference
from thorax.label_noise.confident import Confident
from thorax.label_noise.context import Known
from thorax.label_noise.judge import Judged
from thorax.label_noise.settings import LabelNoiseConfig
from thorax.progress import say

Summary = dict[str, Any]

_NO_NEWS = "no report says anything here that is not the label's own source"
_REFERENCES = ("adjudicated", "truth")
_BY_IMAGES = "images alone: too high where a finding is rare or hard to see"


def describe(
    about: Known, judged: Judged, confidence: Confident, *, manifest_: pd.DataFrame, data: Path,
    settings: LabelNoiseConfig,
) -> Summary:  # fmt: skip
    """The content of `noise.json`.

    Better labels are compared with given ones in all splits, since adjudicated ones often are of
    the test split alone; how well suspects are found is measured on the judged splits.
    """
    found = judged.weighed.quality < 0.5 if judged.weighed.reports else confidence.issues
    flagged = found & about.known
    areas = metrics.auc(about.targets, judged.probabilities, known=about.known)
    return {
        "images": len(about.rows),
        "patients": int(about.rows["patient"].nunique()),
        "labels": int(about.known.sum()),
        "splits": list(settings.splits),
        "folds": settings.folds,
        "scorers": list(settings.scorers),
        "reports_weigh_in": judged.weighed.reports,
        "flagged_labels": int(flagged.sum()),
        "findings": {
            name: _finding(column, about, judged, confidence, flagged, float(areas[column]))
            for column, name in enumerate(FINDINGS)
        },
        "compared": {name: _compared(name, about, judged, manifest_, data) for name in _REFERENCES},
    }


def _finding(
    column: int, about: Known, judged: Judged, confidence: Confident, flagged: np.ndarray,
    area: float,
) -> Summary:  # fmt: skip
    known = about.known[:, column]
    weighed = judged.weighed
    by_reports = {
        "called_present": float(weighed.called_present[column]) if weighed.reports else None,
        "called_absent": float(weighed.called_absent[column]) if weighed.reports else None,
        "reason": "" if weighed.reports else _NO_NEWS,
    }
    return {
        "labels": int(known.sum()),
        "given_present": int((about.targets[:, column] * known).sum()),
        "flagged_labels": int(flagged[:, column].sum()),
        "out_of_fold_auc_score": area,
        "by_images": {
            "called_present": float(confidence.called_present[column]),
            "called_absent": float(confidence.called_absent[column]),
            "reason": confidence.reasons[column],
        },
        "with_reports": by_reports,
    }


def _compared(
    name: str, about: Known, judged: Judged, manifest_: pd.DataFrame, data: Path
) -> Summary:
    better = _read_better(data / f"{name}.csv")
    quality = np.full((len(manifest_), len(FINDINGS)), np.nan)
    places = pd.Series(np.arange(len(manifest_)), index=manifest_["image"].to_numpy())
    quality[places.loc[about.rows["image"]].to_numpy()] = judged.weighed.quality
    given = reference.Labels(
        manifest_["image"], manifest.targets(manifest_), manifest.known(manifest_), quality
    )
    return reference.compare(given, better)


def _read_better(path: Path) -> pd.DataFrame:
    table = artifacts.read_csv(path, ["image", "finding", "label"])
    bad = table[~table["label"].isin(["0", "1"])]
    if len(bad):
        raise BadInput(
            f"{path} row {bad.index[0] + 2}: label {bad['label'].iloc[0]!r} is neither 0 nor 1"
        )
    return table.drop_duplicates(["image", "finding"], ignore_index=True)


def say_summary(summary: Summary) -> None:
    """Print the rates per finding, and how they and the suspects compare with better labels."""
    say(
        f"{summary['labels']:,} labels of {summary['images']:,} images judged; "
        f"{summary['flagged_labels']:,} are called wrong"
    )
    for line in _rate_lines(summary):
        say(f"  {line}")
    for name, compared in summary["compared"].items():
        if not compared["reason"] and not compared["found_reason"]:
            say(
                f"  {name}: {compared['wrong_labels']:,} of {compared['judged_labels']:,} labels "
                f"are wrong; {compared['precision_at_wrong']:.1%} of as many top suspects are"
            )


def _rate_lines(summary: Summary) -> list[str]:
    """A row per finding: the estimate, and beside it what better labels say where there are some.

    Better labels may join findings (`A|B`): those have rows of their own, without an estimate.
    """
    by_reports = summary["reports_weigh_in"]
    kind = "with_reports" if by_reports else "by_images"
    estimates = {name: about[kind] for name, about in summary["findings"].items()}
    measured = {
        name: each["findings"] for name, each in summary["compared"].items() if each["findings"]
    }
    names = dict.fromkeys([*estimates, *(name for each in measured.values() for name in each)])
    lines = [
        "share of absent findings that are labelled present, and of present ones labelled absent;",
        f"estimated from {'images and reports' if by_reports else _BY_IMAGES}",
        f"{'':<24}{'estimated':>16}" + "".join(f"{name:>16}" for name in measured),
    ]
    for name in names:
        cells = [
            _shares(estimates.get(name)),
            *(_shares(each.get(name)) for each in measured.values()),
        ]
        lines.append(f"{name:<24}" + "".join(f"{cell:>16}" for cell in cells))
    return lines


def _shares(rates: Summary | None) -> str:
    if rates is None:
        return "-"
    if rates.get("reason"):
        return "too few"
    return "".join(
        f"{rate:>7.1%}" if rate is not None and rate == rate else f"{'-':>7}"
        for rate in (rates["called_present"], rates["called_absent"])
    )
