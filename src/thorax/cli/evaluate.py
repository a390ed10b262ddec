"""`thorax evaluate`: an existing predictor on somebody's own labelled images, without training.

Everything is computed by the functions of the pipeline's own stages, so a number here means what
it means there. Writes to `.thorax/evaluations/` and to `--output`, and nowhere else.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from thorax import artifacts, config, locks
from thorax.cli import site_report
from thorax.cli.site_data import SCORED, SiteData, gather
from thorax.cli.site_release import Named, find, waivers
from thorax.dataset import batches
from thorax.errors import BadInput
from thorax.evaluation import (
    adjudicated,
    depth,
    figures,
    intervals,
    points,
    scored,
    site,
    subgroups,
    summary,
    tables,
)
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.findings import display
from thorax.inference import drawn
from thorax.inference.peaks import peaks_of, peaks_table
from thorax.inference.predictor import DESCRIPTION, Predictor, TrainedOn
from thorax.localization import boxed
from thorax.localization import summary as boxes
from thorax.localization.settings import LocalizationConfig
from thorax.origin import Origin
from thorax.progress import say, track

Summary = dict[str, Any]
REPORT: Final = "report.html"
_BATCH = 32  # images per call of the predictor


@dataclass(frozen=True)
class Judged:
    """The scores, and everything that was computed from them."""

    scores: Scored
    resampling: Resampling
    whole: Summary
    slices: list[Summary]


def evaluate(
    release: str | None, *, source: str, from_path: Path | None, output: Path | None, split: str
) -> None:
    """Score `source` with the predictor that `release` means, and report.

    Args:
        release: see `site_release.find`.
        source: a source's name.
        from_path: the folder of a source that reads one.
        output: where the report goes; None: beside the pulled images in `.thorax/evaluations/`.
        split: auto (the official test split where there is one, else all), all, or a split.
    """
    home = artifacts.home() / "evaluations"
    folder = home / _name(source, from_path)
    target = (output or folder / "report").expanduser().absolute()
    _refuse_foreign(target)
    named = find(release, home / "predictors")
    predictor = Predictor.load(named.folder)
    with locks.hold(folder / "lock", f"evaluation on {source}"):
        data = gather(source, from_path, folder=folder, predictor=predictor, split=split)
        with artifacts.atomic_folder(target) as report:
            score(predictor, data, report)
            judged = judge(named, data, report)
            write(report, judged)
    site_report.print_screen(judged.whole, target / REPORT)


def score(predictor: Predictor, data: SiteData, folder: Path) -> None:
    """Write manifest, predictions, boxes and peaks into `folder`, as the stages do."""
    rows = data.table[data.table["split"] == SCORED].reset_index(drop=True)
    plan = batches.in_order(len(rows), _BATCH)
    logits, probabilities, found, peaks = [], [], [], []
    stream = batches.stream(data.pixels, rows, plan)
    for _, levels in track(stream, "scored batches", len(plan)):
        prediction = predictor.predict(levels)
        logits.append(prediction.logits)
        probabilities.append(prediction.probabilities)
        found += drawn.boxes_of(prediction, predictor)
        peaks.append(peaks_of(prediction.heatmaps, frame_px=predictor.frame_px))
    images = rows["image"].tolist()
    table = drawn.long_table(
        images, predictor.findings,
        logit=np.concatenate(logits), probability=np.concatenate(probabilities),
    )  # fmt: skip
    artifacts.write_table(folder / "predictions.parquet", table.assign(split=SCORED))
    artifacts.write_table(folder / "boxes.parquet", drawn.boxes_table(images, found))
    points_of = peaks_table(
        images, predictor.findings, np.concatenate(peaks), frame_px=predictor.frame_px
    )
    artifacts.write_table(folder / "peaks.parquet", points_of)
    artifacts.write_table(folder / "manifest.parquet", data.table)


def judge(named: Named, data: SiteData, folder: Path) -> Judged:
    """Every number of the report, from the files that `score` wrote."""
    settings = config.load("evaluation", EvaluationConfig)
    scores = scored.read(folder / "predictions.parquet", folder / "manifest.parquet", split=SCORED)
    resampling = intervals.resample(
        scores.about["patient"], replicates=settings.replicates, seed=settings.seed
    )
    sets = points.read(named.folder / DESCRIPTION)
    truth = adjudicated.read(data.data / "adjudicated.csv")
    plain = summary.summarise(scores, resampling, settings)
    parts = subgroups.slices(scores, resampling, settings)
    about = artifacts.read_json(named.folder / DESCRIPTION)
    whole = {
        "predictor": named.name,
        "model_sha256": about["model_sha256"],
        "trained_on": TrainedOn.model_validate(about.get("trained_on", {})).text,
        "source": artifacts.read_json(data.data / "source.json")["source"],
        "origin": asdict(_origin(named, data)),
        "notes": [*waivers(named.folder), *data.notes, *_missing(plain)],
        **depth.deepen(plain, scores, resampling, settings),
        "operating_points": points.summarise(scores, resampling, sets, settings),
        "refitted": site.refit(scores, resampling, sets, settings, folds=settings.site_folds),
        "adjudicated": adjudicated.summarise(
            scores, truth, resampling, sets[points.YOUDEN], settings
        ),
        "calibration": points.calibrations(named.folder / DESCRIPTION),
        "subgroups": subgroups.brief(parts),
        "localization": _localize(data, folder),
    }
    return Judged(scores, resampling, whole, parts)


def write(folder: Path, judged: Judged) -> None:
    """metrics.json, slices.json, table.md, the figures, and the report that holds them all."""
    settings = config.load("evaluation", EvaluationConfig)
    whole, scores = judged.whole, judged.scores
    artifacts.write_json(folder / "metrics.json", whole)
    artifacts.write_json(folder / "slices.json", {"slices": judged.slices})
    title = f"{whole['predictor']} on {whole['source']}"
    page = tables.markdown(title, whole, judged.slices, confidence=settings.confidence)
    trained_on = f"\nTrained on: {whole['trained_on']}.\n"
    artifacts.write_text(folder / "table.md", page + trained_on)
    where = Origin(**whole["origin"])
    figures.write_roc(folder / "roc.png", scores, whole, judged.resampling, settings, where)
    figures.write_pr(folder / "pr.png", scores, whole, judged.resampling, settings, where)
    figures.write_calibration(
        folder / "calibration.png", scores, whole, bins=settings.calibration_bins, origin=where
    )
    site_report.write(folder / REPORT, json.loads((folder / "metrics.json").read_text()),
                      json.loads((folder / "slices.json").read_text())["slices"],
                      confidence=settings.confidence)  # fmt: skip


def _localize(data: SiteData, folder: Path) -> Summary:
    settings = config.load("localization", LocalizationConfig)
    both = boxed.read(data.data / "boxes.csv", folder, folder / "manifest.parquet", split=SCORED)
    methods = tuple(sorted(both.detected["method"].unique()))
    if both.truth.empty or not methods:
        reason = "no scored image has a true box" if both.truth.empty else "no box was drawn"
        return {"reason": reason, "methods": {}}
    return boxes.summarise(both, settings.model_copy(update={"methods": methods, "split": SCORED}))


def _origin(named: Named, data: SiteData) -> Origin:
    """The images' source and digest, today's date, and the model by its tag and digest."""
    source = artifacts.read_json(data.data / "source.json")
    digest = artifacts.read_json(named.folder / DESCRIPTION)["model_sha256"]
    return Origin(
        source=str(source["source"]),
        version=artifacts.sha256_json(source)[:12],
        day=datetime.now(UTC).date().isoformat(),
        model=f"{named.name} ({digest[:12]})",
    )


def _missing(plain: Summary) -> list[str]:
    """What hospitals overlook: findings of which one class is missing."""
    undefined = {
        finding: entry["reason"]
        for finding, entry in plain["findings"].items()
        if np.isnan(entry["auc_score"])
    }
    table = pd.Series(undefined, dtype=object)
    return [
        f"No AUC for {', '.join(map(display, part.index))}: {reason}."
        for reason, part in table.groupby(table, sort=False)
    ]


def _name(source: str, from_path: Path | None) -> str:
    """One folder for each source and place, so that a second evaluation packs only what is new."""
    if from_path is None:
        return source
    place = from_path.expanduser().absolute()
    return f"{source}-{place.name}-{artifacts.sha256_bytes(str(place).encode())[:8]}"


def _refuse_foreign(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise BadInput(f"{target} is a file: --output names a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / REPORT).is_file():
        raise BadInput(f"{target} holds other files, which a report would replace: name another")
    say(f"report: {target}")
