"""The layout of `data/` that every source fills: tables with fixed columns, and images.

A source returns a `Content`; `pull` writes it. Lists in a cell are joined by `|`. A source that has
nothing for a table returns it empty, and the file holds its header only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS: dict[str, tuple[str, ...]] = {
    # One image. `findings`, `uncertain` and `unknown` are lists of findings: given as present,
    # given as doubtful, and not judged at all. What is in none of the three is given as absent.
    # Where a source says "No Finding" beside a finding, `findings` keeps both for validation.
    # `split` is empty or official: train, validation, train_val, test.
    "entries": (
        "image", "patient", "follow_up", "age_years", "sex", "view",
        "findings", "uncertain", "unknown", "split",
    ),
    # One box, in pixels of a square frame of frame_px; x, y is the top left corner.
    "boxes": ("image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px"),
    # One report; `images` is a list.
    "reports": ("report", "patient", "images", "text"),
    # Better labels where someone has them, one image x finding: label 1 present, 0 absent. A
    # finding may join several with `|` where the judges did not tell them apart ("Mass|Nodule").
    # `image` may name a report instead, and `finding` may be `normal`.
    "adjudicated": ("image", "finding", "label"),
    # The phantom's truth, one image x finding: label 1 drawn, 0 not drawn.
    "truth": ("image", "finding", "label"),
}  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """A published archive that is kept as it is: its file, and its sha256 when already known."""

    path: Path
    sha256: str | None = None


@dataclass(frozen=True)
class Content:
    """What a source has to offer.

    Attributes:
        identity: what identifies the content for `source.json` (source name, generator version,
            seed, licence, checksums of tables); no host, path or time.
        tables: one frame per name of `COLUMNS`, with exactly those columns.
        images: loose images as (file name, bytes), in a fixed order; packed into archives.
        archives: published archives, kept byte for byte.
        total: how many loose images there are, for progress.
        size_bytes: how many bytes of the loose images are not yet packed, to ask for disk space
            before anything is written; 0 when the source cannot know.
    """

    identity: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    images: Iterator[tuple[str, bytes]]
    total: int
    archives: list[Archive] = field(default_factory=list)
    size_bytes: int = 0


def empty(table: str) -> pd.DataFrame:
    """The named table without rows."""
    return pd.DataFrame(columns=list(COLUMNS[table]), dtype=object)
