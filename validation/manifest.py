"""The suite of `artifacts/dataset/manifest.parquet`: one image per row, as training will see it.

Rules over the whole table (splits, shares, positives) stand in `statistics`.
"""

import pandas as pd

from thorax.findings import FINDINGS, SPLITS, known_column, target_column
from validation.checks import Check, Table, has_columns
from validation.settings import ValidationConfig

COLUMNS = (
    "image", "patient", "follow_up", "age_years", "sex", "view", "split", "archive", "shard", "row",
    "readable", "reason", "label_source", "width_px", "height_px", "channels", "bit_depth",
    "mean_level", "std_level", "low_share", "high_share", "sha256",
    *map(target_column, FINDINGS), *map(known_column, FINDINGS),
)  # fmt: skip


def table(frame: pd.DataFrame, config: ValidationConfig) -> Table:
    """The suite over the manifest."""
    checks = (
        has_columns(COLUMNS),
        Check(
            "every image stands once",
            "ExpectColumnValuesToBeUnique",
            {"column": "image"},
            "critical",
            "an image that stands twice may be trained on and tested on",
        ),
        Check(
            "every image is in a split, or in none with a reason",
            "ExpectColumnValuesToBeInSet",
            {"column": "split", "value_set": [*SPLITS, ""]},
            "critical",
            "an image in an unknown split is lost or leaks",
        ),
        Check(
            "every image can be read",
            "ExpectColumnValuesToBeInSet",
            {"column": "readable", "value_set": [True]},
            "warning",
            "an unreadable or missing image enters no split; the reason stands in the manifest",
        ),
        Check(
            "an image shows something",
            "ExpectColumnValuesToBeBetween",
            {"column": "std_level", "min_value": config.std_level_min, "strict_min": True},
            "warning",
            "an image of one grey level is a failed export, and teaches noise",
        ),
        Check(
            "an image has labels",
            "ExpectColumnValuesToNotBeInSet",
            {"column": "label_source", "value_set": ["none"]},
            "warning",
            "an image without any label takes part in nothing",
        ),
    )
    columns = [column for column in COLUMNS if column in frame.columns]
    return Table("manifest", frame[columns], ("image", "reason"), checks)
