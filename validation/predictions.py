"""The stage `validation_predictions`: what the model says of the judged splits, before the gate.

    python -m validation.predictions

A table with a hole, a constant or an impossible number is scored without complaint and means
nothing; here it is refused. Whether the scores are good is the evaluation's matter. A refusal is an
output, and the gate asks for it.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import Field

from thorax import artifacts, config, stage
from thorax.config import Config
from thorax.findings import FINDINGS, known_column, target_column
from thorax.progress import say
from validation import cells, runner, statistic, suites, verdict
from validation.checks import Check, Table, has_columns, says_nothing
from validation.statistic import Statistic

COLUMNS: Final = ("image", "finding", "logit", "probability", "split")
_MANIFEST: Final = (
    "image", "split", *map(target_column, FINDINGS), *map(known_column, FINDINGS),
)  # fmt: skip


class PredictionsConfig(Config):
    """Bounds of the checks of predictions."""

    splits: tuple[str, ...] = Field(min_length=1)
    """The splits of which every image must be scored."""
    std_probability_min: float = Field(ge=0, le=1)
    """Standard deviation of a finding's probabilities in a split, up to which they say nothing."""
    calibration_ratio_max: float = Field(gt=1)
    """Factor between mean probability and prevalence from which on a warning is given."""
    positives_min: int = Field(ge=1)
    """Known positives of a finding in a split below which that factor is not judged."""
    rows_named: int = Field(ge=1, le=1000)
    """How many failing rows of a check the verdict names."""


def main() -> None:
    """Check the predictions, write the verdict and Data Docs, and say what failed."""
    settings = config.load("validation_predictions", PredictionsConfig)
    root = artifacts.root()
    predictions = artifacts.read_table(root / "artifacts/inference/predictions.parquet")
    manifest = artifacts.read_table(root / "artifacts/dataset/manifest.parquet", list(_MANIFEST))
    with artifacts.atomic_folder(stage.output_folder("validation_predictions")) as folder:
        outcomes = runner.run(
            tables(predictions, manifest, settings),
            folder / "docs",
            rows_named=settings.rows_named,
        )
        judged = verdict.judge(outcomes)
        artifacts.write_json(folder / "verdict.json", judged)
        suites.frame(folder / "docs", judged, subject="predictions")
    for line in verdict.lines(judged):
        say(line.replace("the data is", "the predictions are"))


def tables(
    predictions: pd.DataFrame, manifest: pd.DataFrame, settings: PredictionsConfig
) -> list[Table]:
    """The tables with their suites.

    Args:
        predictions: one image x finding per row, `COLUMNS`.
        manifest: `image, split`, and targets and known of every finding.
        settings: bounds.
    """
    checks = (has_columns(COLUMNS),)
    if not set(COLUMNS) <= set(predictions.columns):
        return [Table("predictions", predictions, ("image", "finding"), checks)]
    return [
        _rows(predictions, manifest),
        _coverage(predictions, manifest, settings),
        _spread(predictions, manifest, settings),
    ]


def _rows(predictions: pd.DataFrame, manifest: pd.DataFrame) -> Table:
    split = dict(zip(manifest["image"].to_numpy(object), manifest["split"], strict=True))
    should = predictions["image"].map(split).fillna("no such image")
    numbers = predictions[["logit", "probability"]].astype(np.float64)
    frame = predictions[["image", "finding", "split"]].assign(
        logit=numbers["logit"],
        probability=numbers["probability"],
        strange=cells.where(~predictions["finding"].isin(FINDINGS), predictions["finding"]),
        infinite=cells.where(~np.isfinite(numbers["logit"]), numbers["logit"].astype(str)),
        unlikely=cells.where(
            ~numbers["probability"].between(0, 1), numbers["probability"].astype(str)
        ),
        other_split=cells.where(should != predictions["split"].astype("str"), should),
    )
    checks = (
        has_columns(COLUMNS),
        Check(
            "an image is scored once for a finding",
            "ExpectCompoundColumnsToBeUnique",
            {"column_list": ["image", "finding"]},
            "critical",
            "an image that is scored twice counts twice in every metric",
        ),
        says_nothing(
            "every finding is of the vocabulary",
            "strange",
            "critical",
            "scores of another name are judged for nothing",
        ),
        says_nothing(
            "every probability lies between 0 and 1",
            "unlikely",
            "critical",
            "what is no number or no probability passes for one in every threshold",
        ),
        says_nothing(
            "every logit is a finite number",
            "infinite",
            "critical",
            "an overflow in the network is ranked above everything else",
        ),
        says_nothing(
            "the split is the manifest's",
            "other_split",
            "critical",
            "an image scored in another split was trained on, or is of other data",
        ),
    )
    return Table("predictions", frame, ("image", "finding"), checks)


def _coverage(
    predictions: pd.DataFrame, manifest: pd.DataFrame, settings: PredictionsConfig
) -> Table:
    findings = predictions["finding"].nunique()
    scored = predictions.groupby("image")["finding"].nunique()
    numbers = []
    for split in settings.splits:
        wanted = manifest.loc[manifest["split"] == split, ["image", "split"]]
        has = wanted["image"].map(scored).fillna(0)
        lacking = wanted.assign(findings=has.astype(int))[(has < max(findings, 1)).to_numpy()]
        numbers.append(
            Statistic(
                f"every image of {split} has every finding",
                f"incomplete_in_{split}",
                len(lacking),
                "critical",
                "an image left out makes the result that of easier or fewer images",
                high=0,
                rows=statistic.rows(lacking, settings.rows_named),
            )
        )
    return statistic.table("coverage", numbers)


def _spread(
    predictions: pd.DataFrame, manifest: pd.DataFrame, settings: PredictionsConfig
) -> Table:
    grouped = predictions[predictions["split"].isin(settings.splits)].groupby(
        ["split", "finding"], observed=True
    )["probability"]
    rows = [
        {
            "split": str(split),
            "finding": str(finding),
            **_measures(scores, split, finding, manifest),
        }
        for (split, finding), scores in grouped
    ]
    columns = ["split", "finding", "mean", "std", "positives", "prevalence", "ratio"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["judged_ratio"] = frame["ratio"].where(frame["positives"] >= settings.positives_min)
    checks = (
        Check(
            "no finding has one score for all",
            "ExpectColumnValuesToBeBetween",
            {"column": "std", "min_value": settings.std_probability_min, "strict_min": True},
            "critical",
            "a finding whose scores do not differ is not recognised at all",
        ),
        Check(
            "the mean probability fits the prevalence",
            "ExpectColumnValuesToBeBetween",
            {"column": "judged_ratio", "max_value": settings.calibration_ratio_max},
            "warning",
            "mean probability and prevalence differ by that factor: the calibration does not hold",
        ),
    )
    return Table("spread", frame, ("split", "finding", "mean", "prevalence"), checks)


def _measures(
    scores: pd.Series, split: Any, finding: Any, manifest: pd.DataFrame
) -> dict[str, float]:
    there = finding in FINDINGS
    rows = manifest["split"] == split
    if there:
        rows &= manifest[known_column(finding)]
    targets = manifest.loc[rows, target_column(finding)] if there else pd.Series(dtype=float)
    prevalence = float(targets.mean()) if len(targets) else np.nan
    mean = float(scores.mean())
    ratio = max(mean, prevalence) / min(mean, prevalence) if min(mean, prevalence) > 0 else np.nan
    return {
        "mean": mean,
        "std": float(scores.astype(np.float64).std(ddof=0)),
        "positives": int(targets.sum()),
        "prevalence": prevalence,
        "ratio": ratio,
    }


if __name__ == "__main__":
    stage.run("validation_predictions", main)
