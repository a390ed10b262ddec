"""The images and labels that `thorax evaluate` scores: a pull into a folder of its own.

`data/` and `artifacts/` of the checkout are read and never written. Labels are the source's own;
where it gives none, they are mined from its reports; `corrections.csv` counts last, as always.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from thorax import artifacts, config
from thorax.cli.site_folder import with_folder
from thorax.dataset import archive, labels, manifest, shards, tables
from thorax.dataset.pixels import Pixels
from thorax.dataset.settings import DatasetConfig
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference.predictor import Predictor
from thorax.localization import boxed
from thorax.reports import table as reports
from thorax.reports.settings import ReportsConfig
from thorax.sources import tombstones
from thorax.sources.config import SourcesConfig
from thorax.sources.pull import pull

SCORED: Final = "test"  # the manifest's word for what is scored
AUTO: Final = "auto"
_SPLITS: Final = (AUTO, "all", "train", "validation", "train_val", "test")


@dataclass(frozen=True)
class SiteData:
    """What is scored.

    Attributes:
        data: the pulled folder.
        table: the manifest; `split` is SCORED for what is scored, else empty.
        pixels: its images at the predictor's size.
        notes: what a reader must know of the choice, one sentence each.
    """

    data: Path
    table: pd.DataFrame
    pixels: Pixels
    notes: tuple[str, ...]


def gather(
    source: str, from_path: Path | None, *, folder: Path, predictor: Predictor, split: str
) -> SiteData:
    """Pull `source` into `folder`, join labels, decode, and choose what is scored.

    Raises:
        BadInput: the source cannot be used, a box lies outside its frame, no image is readable or
            labelled, or the split is unknown or empty.
    """
    if split not in _SPLITS:
        raise BadInput(f"--split {split!r}: choose one of {', '.join(_SPLITS)}")
    settings = config.load("sources", SourcesConfig)
    if source == "folder":
        settings = with_folder(settings, from_path.expanduser() if from_path else None)
    data = folder / "data"
    forgotten = artifacts.root() / tombstones.FILE
    pull(settings, source=source, from_path=from_path, data=data, home=folder, forgotten=forgotten)
    boxed.read_truth(data / "boxes.csv")  # a wrong box is told before hours of scoring
    entries = tables.read_entries(data / "entries.csv")
    chosen, note = _chosen(entries["split"], split)
    found = shards.ensure(archive.listed(data), predictor.size_px)
    table = manifest.build(entries, manifest.index_files(found), chosen, _labels(entries, data))
    notes = [note, *_unreadable(table)]
    notes += _leave_out_trained(table, predictor)
    notes += _corrected(table)
    _require_labels(table, data)
    return SiteData(data, table, Pixels(predictor.size_px, found), tuple(filter(None, notes)))


def _chosen(official: pd.Series, split: str) -> tuple[pd.Series, str]:
    if split == AUTO:
        split = "test" if (official == "test").any() else "all"
        if split == "test":
            left = int((official != "test").sum())
            note = f"Scored is the source's official test split; {left:,} other images are not."
            return official.where(official == "test", ""), note if left else ""
    if split == "all":
        return pd.Series(SCORED, index=official.index), ""
    mine = official == split
    if not mine.any():
        there = ", ".join(sorted(set(official) - {""})) or "none"
        raise BadInput(f"--split {split}: no image is in it; official splits here: {there}")
    return mine.map({True: SCORED, False: ""}), f"Scored is the source's split {split}."


def _labels(entries: pd.DataFrame, data: Path) -> labels.Labels:
    links = tables.read_report_links(data / "reports.csv")
    mined = reports.label_all(
        reports.read_reports(data / "reports.csv"), config.load("reports", ReportsConfig)
    )
    settings = config.load("dataset", DatasetConfig)
    joined = labels.join(entries, links, mined, settings.uncertain, unknown=settings.unknown)
    corrections = labels.read_corrections(artifacts.root() / "corrections.csv")
    return labels.correct(joined, entries["image"], corrections)


def _corrected(table: pd.DataFrame) -> list[str]:
    """Say that labels were corrected: other images may bear the names of those that were."""
    count = int((table["label_source"].eq("corrected") & table["split"].eq(SCORED)).sum())
    if not count:
        return []
    return [f"Labels of {count:,} images are as this checkout's corrections.csv says."]


def _unreadable(table: pd.DataFrame) -> list[str]:
    broken = table[~table["readable"]]
    if broken.empty:
        return []
    named = "; ".join(
        f"{image}: {reason}"
        for image, reason in broken[["image", "reason"]].head(5).itertuples(index=False)
    )
    more = f"; and {len(broken) - 5:,} more" if len(broken) > 5 else ""
    return [f"{len(broken):,} images are missing or unreadable and not scored ({named}{more})."]


def _leave_out_trained(table: pd.DataFrame, predictor: Predictor) -> list[str]:
    """Take out patients whose very images the current model was trained or calibrated on."""
    root = artifacts.root()
    weights = root / "artifacts/training/weights.safetensors"
    seen = root / "artifacts/dataset/manifest.parquet"
    if not (weights.is_file() and seen.is_file()):
        return []
    if artifacts.sha256_file(weights) != predictor.description.weights_sha256:
        return []
    mine = artifacts.read_table(seen, ["sha256", "split"])
    trained = set(mine.loc[mine["split"].isin(["train", "validation"]), "sha256"]) - {""}
    patients = set(table.loc[table["sha256"].isin(trained), "patient"])
    out = table["patient"].isin(patients) & (table["split"] == SCORED)
    table.loc[out, "split"] = ""
    if not out.any():
        return []
    return [f"{int(out.sum()):,} images are left out, since the model was trained or calibrated on "
            "images of their patients."]  # fmt: skip


def _require_labels(table: pd.DataFrame, data: Path) -> None:
    scored = table[table["split"] == SCORED]
    if scored.empty:
        raise BadInput(
            f"{data}: no image is left to score: all are unreadable, outside the split, or of "
            "patients that the model was trained on"
        )
    if not manifest.known(scored).any():
        raise BadInput(
            f"none of {len(scored):,} images has a label for any of {', '.join(FINDINGS)}: name "
            "the column of findings or of reports (params.yaml: sources.folder.columns)"
        )
