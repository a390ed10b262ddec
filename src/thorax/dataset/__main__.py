"""The stage `dataset`: `data/` and the mined labels to a manifest, every image to pixels."""

from pathlib import Path

import pandas as pd

from thorax import artifacts, config, stage
from thorax.dataset import archive, copies, labels, manifest, pixels, shards, split, tables
from thorax.dataset.settings import DatasetConfig
from thorax.findings import FINDINGS, SPLITS
from thorax.progress import say


def main() -> None:
    """Join, split, decode, and write `manifest.parquet`, `copies.parquet` and `pixels.json`."""
    settings = config.load("dataset", DatasetConfig)
    data, root = artifacts.root() / "data", artifacts.root()
    entries = tables.read_entries(data / "entries.csv")
    splits = split.assign(entries, settings)
    judged = _labels(entries, root, settings)
    found = shards.ensure(archive.listed(data), settings.size_px)
    files = manifest.index_files(found)
    table = manifest.build(entries, files, splits, judged)
    manifest.refuse_empty_splits(table)
    doubles = copies.find(table, pixels.Pixels(settings.size_px, found), settings.copies)
    with artifacts.atomic_folder(stage.output_folder("dataset")) as folder:
        artifacts.write_table(folder / "manifest.parquet", table)
        artifacts.write_table(folder / "copies.parquet", doubles)
        artifacts.write_json(folder / "pixels.json", pixels.to_json(settings.size_px, found))
    _say(table, files)
    if len(doubles):
        say(f"  {len(doubles):,} pairs of images are one picture, see copies.parquet")


def _labels(entries: pd.DataFrame, root: Path, settings: DatasetConfig) -> labels.Labels:
    links = tables.read_report_links(root / "data" / "reports.csv")
    mined = artifacts.read_table(
        root / "artifacts" / "reports" / "labels.parquet", ["report", "finding", "state"]
    )
    joined = labels.join(entries, links, mined, settings.uncertain, unknown=settings.unknown)
    corrections = labels.read_corrections(root / "corrections.csv")
    corrected = labels.correct(joined, entries["image"], corrections)
    if len(corrections):
        say(f"{len(corrections):,} labels in corrections.csv change")
        for line in labels.changes(joined, corrected) or ["nothing"]:
            say(f"  {line}")
    return corrected


def _say(table: pd.DataFrame, files: pd.DataFrame) -> None:
    """Say what came out, and plainly what is missing."""
    unreadable = table[~table["readable"]]
    doubled = table["readable"] & (table["reason"] != "")
    say(f"{len(table):,} images of {table['patient'].nunique():,} patients")
    for image, reason in unreadable[["image", "reason"]].head(6).itertuples(index=False):
        say(f"  unreadable: {image}: {reason}")
    if len(unreadable) > 6:
        say(f"  unreadable: {len(unreadable) - 6:,} more, see manifest.parquet")
    if doubled.any():
        say(f"  {doubled.sum():,} image names occur more than once; the first file counts")
    if strays := len(files) - int(files["image"].isin(table["image"]).sum()):
        say(f"  {strays:,} files in data/images have no row in entries.csv")
    for name in SPLITS:
        part = table[table["split"] == name]
        positives = manifest.targets(part).sum(axis=0)
        say(f"  {name}: {len(part):,} images of {part['patient'].nunique():,} patients")
        if none := [FINDINGS[f] for f in (positives == 0).nonzero()[0]]:
            say(f"    without a positive: {', '.join(none)}")


if __name__ == "__main__":
    stage.run("dataset", main)
