"""From the manifest to the images of one split, with targets and what is known of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.dataset import manifest
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.progress import say


@dataclass(frozen=True)
class Examples:
    """The readable images of one split.

    Attributes:
        rows: the manifest's rows, N of them.
        targets: int8 [N, F].
        known: bool [N, F].
    """

    rows: pd.DataFrame
    targets: NDArray[np.int8]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)


def of_split(table: pd.DataFrame, split: str, *, where: Path) -> Examples:
    """The images of `split` that are readable and have at least one known target.

    Raises:
        BadInput: there is none.
    """
    usable = table["split"].eq(split) & table["readable"] & table["row"].ge(0)
    labelled = usable.to_numpy(bool) & manifest.known(table).any(axis=1)
    rows = table.iloc[np.flatnonzero(labelled)].reset_index(drop=True)
    if rows.empty:
        raise BadInput(
            f"{where}: no readable image with a known target is in split {split!r}: check the "
            "pulled data and the dataset section of params.yaml"
        )
    # copies: pandas gives read-only views, which PyTorch warns of
    return Examples(rows, manifest.targets(rows).copy(), manifest.known(rows).copy())


def warn_of_missing(examples: Examples) -> None:
    """Say which findings have no positive image to learn from; training goes on."""
    positives = ((examples.targets > 0) & examples.known).sum(axis=0)
    missing = [finding for finding, count in zip(FINDINGS, positives, strict=True) if count == 0]
    if missing:
        say(f"training: warning: no positive training image for {', '.join(missing)}")


def level_statistics(examples: Examples) -> tuple[float, float]:
    """Mean and standard deviation of the grey levels (0 to 255) over all pixels of the images."""
    mean = examples.rows["mean_level"].to_numpy(np.float64)
    std = examples.rows["std_level"].to_numpy(np.float64)
    return float(mean.mean()), float(np.sqrt(np.mean(std**2) + np.var(mean)))
