"""The evaluation stage: scores of a split against its targets -> artifacts/evaluation/."""

from pathlib import Path

from thorax import artifacts, config, origin, stage
from thorax.evaluation import (
    adjudicated,
    depth,
    figures,
    intervals,
    mined,
    points,
    scored,
    subgroups,
    summary,
    tables,
)
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.evaluation.summary import Summary
from thorax.progress import say


def evaluate() -> None:
    """Score the split, slice it, and write metrics, tables and figures."""
    settings = config.load("evaluation", EvaluationConfig)
    predictions = stage.output_folder("inference") / "predictions.parquet"
    manifest = stage.output_folder("dataset") / "manifest.parquet"
    scores = scored.read(predictions, manifest, split=settings.split)
    resampling = intervals.resample(
        scores.about["patient"], replicates=settings.replicates, seed=settings.seed
    )
    description = stage.output_folder("inference") / "predictor" / "predictor.json"
    sets = points.read(description)
    truth = adjudicated.read(artifacts.root() / "data" / "adjudicated.csv")
    parts = subgroups.slices(scores, resampling, settings)
    whole = {
        "split": settings.split,
        **depth.deepen(
            summary.summarise(scores, resampling, settings), scores, resampling, settings
        ),
        "operating_points": points.summarise(scores, resampling, sets, settings),
        "adjudicated": adjudicated.summarise(
            scores, truth, resampling, sets[points.YOUDEN], settings
        ),
        "calibration": points.calibrations(description),
        "subgroups": subgroups.brief(parts),
        "mined_labels": mined.read(stage.output_folder("reports") / "quality.json"),
    }
    with artifacts.atomic_folder(stage.output_folder("evaluation")) as folder:
        write_tables(folder, scores, whole, parts, settings)
        write_figures(folder, scores, whole, resampling, settings)
    say(report(whole))


def write_tables(
    folder: Path, scores: Scored, whole: Summary, parts: list[Summary], settings: EvaluationConfig
) -> None:
    """metrics.json, slices.json, roc.csv, pr.csv and table.md."""
    artifacts.write_json(folder / "metrics.json", whole)
    artifacts.write_json(folder / "slices.json", {"split": settings.split, "slices": parts})
    points = settings.curve_points
    tables.roc_points(scores, points=points).to_csv(folder / "roc.csv", index=False)
    tables.pr_points(scores, points=points).to_csv(folder / "pr.csv", index=False)
    title = f"Evaluation on the {settings.split} split"
    page = tables.markdown(title, whole, parts, confidence=settings.confidence)
    artifacts.write_text(folder / "table.md", page)


def write_figures(
    folder: Path, scores: Scored, whole: Summary, resampling: Resampling,
    settings: EvaluationConfig,
) -> None:  # fmt: skip
    """roc.png, pr.png and calibration.png."""
    where = origin.read(artifacts.root(), predictor=stage.output_folder("inference") / "predictor")
    figures.write_roc(folder / "roc.png", scores, whole, resampling, settings, where)
    figures.write_pr(folder / "pr.png", scores, whole, resampling, settings, where)
    bins = settings.calibration_bins
    figures.write_calibration(folder / "calibration.png", scores, whole, bins=bins, origin=where)


def report(whole: Summary) -> str:
    """The result in one line."""
    mean = whole["mean"]
    scored_on = f"{whole['images']:,} images of {whole['patients']:,} patients"
    if mean["findings"] == 0:
        return f"evaluation: no AUC on {scored_on}, {mean['reason']}"
    interval = mean["reason"] or f"{mean['auc_low']:.3f} to {mean['auc_high']:.3f}"
    score = f"mean AUC {mean['auc_score']:.3f} ({interval}) over {mean['findings']} findings"
    return f"evaluation: {score}, {scored_on}"


if __name__ == "__main__":
    stage.run("evaluation", evaluate)
