"""Stage `label_noise`, optional: which labels are probably wrong, and how often labels are wrong.

Writes `suspects.parquet` (every known label of the judged splits, the least trusted first),
`noise.json` (rates of wrong labels per finding, beside better labels where there are some), and
pictures of the queue for readers. Changes no label: people do (`thorax review`).
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from thorax import artifacts, config, stage
from thorax.dataset import labels, manifest, tables
from thorax.dataset.pixels import Pixels
from thorax.errors import BadInput
from thorax.inference.predictor import Predictor
from thorax.label_noise import confident, folds, gradients, network, pictures, suspects
from thorax.label_noise.context import Known
from thorax.label_noise.judge import Judged, judge
from thorax.label_noise.report_evidence import ReportEvidence, arrange_evidence
from thorax.label_noise.settings import LabelNoiseConfig
from thorax.label_noise.summary import describe, say_summary
from thorax.schemas.mined_labels import evidence_by_image
from thorax.training.examples import Examples


@dataclass(frozen=True)
class Given:
    """The images and labels under doubt, and what reports say of them."""

    about: Known
    evidence: ReportEvidence
    statements: pd.DataFrame


def main() -> None:
    """Judge every label of the splits, rank, compare, and draw the queue."""
    root = artifacts.root()
    settings = config.load("label_noise", LabelNoiseConfig)
    table = manifest.read(root / "artifacts/dataset/manifest.parquet")
    given = read(table, root, settings)
    judged = judge_labels(given, root, settings)
    confidence = confident.learn(judged.probabilities, given.about.targets, given.about.known)
    flagged = judged.weighed.quality < 0.5 if judged.weighed.reports else confidence.issues
    found = suspects.table(given.about, judged, given.evidence, given.statements, flagged)
    summary = describe(given.about, judged, confidence, manifest_=table, data=root / "data",
                       settings=settings)  # fmt: skip
    with artifacts.atomic_folder(stage.output_folder("label_noise")) as folder:
        found = draw_queue(found, table, folder, root, settings)
        artifacts.write_table(folder / "suspects.parquet", found)
        artifacts.write_json(folder / "noise.json", summary)
    say_summary(summary)


def read(table: pd.DataFrame, root: Path, settings: LabelNoiseConfig) -> Given:
    """The readable images of the splits with a known label, and what reports say of them."""
    usable = table["split"].isin(settings.splits) & table["readable"] & table["row"].ge(0)
    labelled = usable.to_numpy(bool) & manifest.known(table).any(axis=1)
    rows = table.iloc[np.flatnonzero(labelled)].reset_index(drop=True)
    if rows.empty:
        raise BadInput(
            f"no readable image with a label is in {', '.join(settings.splits)}: run the dataset "
            "stage, or change label_noise.splits"
        )
    parts = folds.patient_folds(rows["patient"], settings.folds, seed=settings.seed)
    about = Known(rows, manifest.targets(rows).copy(), manifest.known(rows).copy(), parts)
    links = tables.read_report_links(root / "data/reports.csv")
    mined = artifacts.read_table(root / "artifacts/reports/labels.parquet")
    statements = evidence_by_image(links, mined, rows["image"])
    heard = arrange_evidence(statements, rows, about.targets)
    if not settings.use_reports:
        heard = ReportEvidence(heard.states, np.zeros_like(heard.news))
    return Given(about, heard, statements)


def judge_labels(given: Given, root: Path, settings: LabelNoiseConfig) -> Judged:
    """What the scorers that are asked for, and the reports, say of every label."""
    about = given.about
    pixels = Pixels.open(root / "artifacts/dataset/pixels.json", root / "data")
    features, networks = None, None
    if "gradients" in settings.scorers:
        features = gradients.features_of(pixels, about.rows, settings.gradients)
    if "network" in settings.scorers:
        networks = partial(
            network.logits, pixels, Examples(about.rows, about.targets, about.known), about.folds,
            settings=settings.network, state=stage.state_folder("label_noise"),
        )  # fmt: skip
    return judge(about, given.evidence, settings, features=features, network=networks)


def draw_queue(
    found: pd.DataFrame, table: pd.DataFrame, folder: Path, root: Path, settings: LabelNoiseConfig
) -> pd.DataFrame:
    """Draw the most suspect labels that nobody has corrected; returns `found` with the paths."""
    corrected = labels.read_corrections(root / "corrections.csv")
    seen = pd.MultiIndex.from_frame(corrected[["image", "finding"]])
    fresh = ~pd.MultiIndex.from_frame(found[["image", "finding"]]).isin(seen)
    queue = found[fresh].head(settings.queue)
    queue = queue.merge(table[["image", "archive"]], on="image").set_index(queue.index)
    predictor = Predictor.load(root / "artifacts/inference/predictor")
    drawn = pictures.draw(
        queue, folder, data=root / "data", predictor=predictor, side_px=settings.picture_px
    )
    found.loc[drawn.index, ["picture", "heatmap"]] = drawn[["picture", "heatmap"]]
    return found


if __name__ == "__main__":
    stage.run("label_noise", main)
