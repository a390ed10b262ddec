"""The manifest: one row per image with everything known, sorted by image.

Columns: `image, patient, follow_up, age_years, sex, view, split, archive, shard, row, readable,
reason, label_source`, the measures of the file (`width_px` to `sha256`), then per finding
`target_<finding>` (int8, 0 or 1) and `known_<finding>` (bool). `row` is -1 and `split` empty for an
image that cannot be read; `reason` says why.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts
from thorax.dataset.labels import Labels
from thorax.dataset.shards import Shard
from thorax.errors import BadInput
from thorax.findings import FINDINGS, SPLITS, known_column, target_column

MEASURES = (
    "width_px", "height_px", "channels", "bit_depth",
    "mean_level", "std_level", "low_share", "high_share", "mode_share", "level_range", "text_share",
    "seen_as", "seen_margin", "chest_score", "strangeness", "phash", "frame_sha256", "sha256",
)  # fmt: skip
COLUMNS = (
    "image", "patient", "follow_up", "age_years", "sex", "view", "split", "archive", "shard", "row",
    "readable", "reason", "label_source", *MEASURES,
)  # fmt: skip

MISSING = "no such image in data/images"


def read(path: Path) -> pd.DataFrame:
    """The manifest at `path`; a missing, broken or foreign file is a `BadInput`."""
    manifest = artifacts.read_table(path)
    wanted = [*COLUMNS, *map(target_column, FINDINGS), *map(known_column, FINDINGS)]
    if missing := [column for column in wanted if column not in manifest.columns]:
        raise BadInput(f"{path} lacks {', '.join(missing)}: run the dataset stage again")
    return manifest


def targets(manifest: pd.DataFrame) -> NDArray[np.int8]:
    """Targets int8 [N, F] in the order of `FINDINGS`: 1 present, 0 absent or not known."""
    return manifest[[target_column(finding) for finding in FINDINGS]].to_numpy(np.int8)


def known(manifest: pd.DataFrame) -> NDArray[np.bool_]:
    """Bool [N, F]: whether the target may be used."""
    return manifest[[known_column(finding) for finding in FINDINGS]].to_numpy(np.bool_)


def index_files(found: list[Shard]) -> pd.DataFrame:
    """Every file name of the archives once, with its place and measures.

    Of a name that occurs twice the first file in archive order counts, and `reason` says so.
    """
    parts = [shard.index().assign(archive=shard.archive, shard=shard.name) for shard in found]
    if not parts:
        raise BadInput("data/source.json lists no archive: pull data that holds images")
    files = pd.concat(parts, ignore_index=True)
    copies = files.groupby("image")["image"].transform("size").to_numpy()
    files["readable"] = files["row"] >= 0
    note = files["archive"].map("several files of this name; the first, in {}, counts".format)
    files["reason"] = files["reason"].where((copies == 1) | ~files["readable"], note)
    return files.drop_duplicates("image", ignore_index=True)


def build(
    entries: pd.DataFrame, files: pd.DataFrame, split: pd.Series, labels: Labels
) -> pd.DataFrame:
    """Join to the manifest: entries, split and labels of the same N rows, and the files by name."""
    manifest = entries.drop(columns=["findings", "uncertain", "unknown", "split"])
    manifest["split"] = split.to_numpy()
    manifest["label_source"] = labels.source
    manifest = manifest.merge(files, on="image", how="left")
    manifest["readable"] = manifest["readable"].eq(True)
    manifest["reason"] = manifest["reason"].fillna(MISSING)
    manifest["row"] = manifest["row"].fillna(-1).astype("int64")
    for column in ("archive", "shard", "seen_as", "phash", "frame_sha256", "sha256"):
        manifest[column] = manifest[column].fillna("")
    manifest.loc[~manifest["readable"], "split"] = ""
    manifest = manifest[list(COLUMNS)].astype({"split": "str", "label_source": "str"})
    columns = [target_column(name) for name in FINDINGS], [known_column(name) for name in FINDINGS]
    judged = [pd.DataFrame(labels.targets, columns=columns[0])]
    judged += [pd.DataFrame(labels.known, columns=columns[1])]
    manifest = pd.concat([manifest, *judged], axis=1)
    return manifest.sort_values("image", kind="stable", ignore_index=True)


def refuse_empty_splits(manifest: pd.DataFrame) -> None:
    """Raise `BadInput` with the counts when a split has no image: nothing could be judged on it."""
    counts = manifest["split"].value_counts()
    if all(counts.get(split, 0) for split in SPLITS):
        return
    shown = ", ".join(f"{split} {counts.get(split, 0):,}" for split in SPLITS)
    raise BadInput(
        f"a split is empty ({shown} images; {int(counts.get('', 0)):,} unreadable; "
        f"{manifest['patient'].nunique():,} patients): add patients, mend the images, or change "
        "dataset.train_share and dataset.validation_share in params.yaml"
    )
