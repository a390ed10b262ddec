"""Pictures that stand in a data set more than once: the same file, the same pixels, the same look.

Written as links, not as all pairs: of a hundred copies of one picture each is linked to the next,
in the order of splits and patients, so that a group that spans two of either has a link that does.
What only looks alike (compressed again, resized, brightened, cut by a percent) is first found by
its perceptual hash, or by that of a picture without its rim, then compared in pixels: neighbouring
films of one patient have near hashes too. Turned or mirrored copies are not found.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.dataset import hashes
from thorax.dataset.appearance import shrink
from thorax.dataset.pixels import Pixels
from thorax.dataset.settings import CopiesConfig
from thorax.progress import say

COLUMNS = {"image": "str", "other": "str", "kind": "str", "bits": "int64", "likeness": "float64"}
"""Of the table: two images; `file`, `pixels` or `look`; bits in which the hashes differ; and how
much alike the pictures are, 1 being the same."""

_BLUR_PX = 2.0  # what is coarser than this is left out of the comparison: all chests share it
_RIM_PX = 4  # left out of it too: moving the picture brings nothing known there
_STEPS, _STEP_MIN = 30, 1e-4
_CHUNK = 256  # pairs whose frames are in memory together


def find(manifest: pd.DataFrame, pixels: Pixels, config: CopiesConfig) -> pd.DataFrame:
    """Links between copies among the readable images that show something.

    Args:
        manifest: columns `image, patient, split, shard, row, readable, phash, phash_cut,
            frame_sha256` and `sha256`.
        pixels: its frames.
        config: what counts as alike.

    Returns:
        The links, as `COLUMNS` says, sorted; `image` comes before `other` in split and patient.
    """
    shown = manifest[manifest["readable"] & manifest["phash"].ne("")]
    shown = shown.sort_values(["split", "patient", "image"], ignore_index=True)
    files = shown["sha256"].tolist()
    links = [
        _link(shown, one, other, kind="file" if files[one] == files[other] else "pixels")
        for one, other, _ in _chained(shown, "frame_sha256")
    ]
    distinct = shown.drop_duplicates("frame_sha256", ignore_index=True)
    links += _looking_alike(distinct, pixels, config)
    table = pd.DataFrame(links, columns=list(COLUMNS)).astype(COLUMNS)
    return table.sort_values(["image", "other"], ignore_index=True)


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Correlation of the fine structure of two frames [H, W], moved over each other; 1 is the same.

    The second is moved by the affine map that fits best (Evangelidis and Psarakis 2008, OpenCV), so
    that a cut or a shift of a few percent does not count.
    """
    first, second = shrink(one).astype(np.float32), shrink(other).astype(np.float32)
    return max(_correlation(first, second), _correlation(first, _moved(first, second)))


def _looking_alike(shown: pd.DataFrame, pixels: Pixels, config: CopiesConfig) -> list[Any]:
    """Links between frames that differ: equal hashes in a chain, near hashes pair by pair."""
    chained = _chained(shown, "phash")
    firsts = shown.drop_duplicates("phash")
    near = _near(firsts, config.hash_bits_max)
    closest = np.argsort(near.bits, kind="stable")[: config.compared_max]
    if len(closest) < len(near.bits):
        say(
            f"  {'' if near.complete else 'more than '}{len(near.bits):,} pairs of images have "
            f"near hashes; the {len(closest):,} nearest are compared "
            "(dataset.copies.compared_max in params.yaml)"
        )
    rows = firsts.index.to_numpy()
    one, other = rows[near.first[closest]], rows[near.second[closest]]
    pairs = chained + list(
        zip(one.tolist(), other.tolist(), near.bits[closest].tolist(), strict=True)
    )
    return [
        _link(shown, one, other, kind="look", bits=bits, likeness=alike)
        for (one, other, bits), alike in zip(pairs, _compared(shown, pairs, pixels), strict=True)
        if alike >= config.likeness_min
    ]


def _near(shown: pd.DataFrame, bits_max: int) -> hashes.Near:
    """Pairs of which one's hash is near the other's, or near the other's without its rim."""
    found = hashes.near(hashes.parse([*shown["phash"], *shown["phash_cut"]]), bits_max)
    one, other = found.first % len(shown), found.second % len(shown)
    told = (found.first < len(shown)) & (one != other)  # not both without their rims, not itself
    nearest = np.argsort(found.bits[told], kind="stable")
    ordered = np.sort(np.stack([one, other], axis=1)[told][nearest], axis=1)
    pairs, places = np.unique(ordered, axis=0, return_index=True)
    return hashes.Near(*pairs.T, found.bits[told][nearest][places], found.complete)


def _chained(shown: pd.DataFrame, column: str) -> list[tuple[int, int, int]]:
    """Rows of equal `column`, each with the next of its group, at distance 0."""
    groups = shown.groupby(column, sort=False).indices.values()
    return [(int(one), int(other), 0) for group in groups for one, other in pairwise(group)]


def _compared(
    shown: pd.DataFrame, pairs: list[tuple[int, int, int]], pixels: Pixels
) -> Iterator[float]:
    """Likeness of each pair."""
    for start in range(0, len(pairs), _CHUNK):
        chunk = pairs[start : start + _CHUNK]
        ones = pixels.gather(shown.iloc[[one for one, _, _ in chunk]])
        others = pixels.gather(shown.iloc[[other for _, other, _ in chunk]])
        yield from (likeness(one, other) for one, other in zip(ones, others, strict=True))


def _link(
    shown: pd.DataFrame, one: int, other: int, *, kind: str, bits: int = 0, likeness: float = 1.0
) -> tuple[str, str, str, int, float]:
    one, other = sorted((one, other))
    names = str(shown.at[one, "image"]), str(shown.at[other, "image"])
    return (*names, kind, bits, round(likeness, 4))


def _moved(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """`second` moved onto `first`; as it is where no map is found."""
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _STEPS, _STEP_MIN)
    start = np.eye(2, 3, dtype=np.float32)
    find_map: Any = cv2.findTransformECC  # its stub forbids None for the mask
    try:
        found = find_map(first, second, start, cv2.MOTION_AFFINE, stop, None, 3)[1]
    except cv2.error:
        return second
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (second.shape[1], second.shape[0])
    moved = cv2.warpAffine(second, found, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    one, other = _fine(first), _fine(second)
    size = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / size if size else 0.0


def _fine(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    fine = levels - cv2.GaussianBlur(levels, (0, 0), _BLUR_PX)
    fine = fine[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX]
    return np.asarray(fine - fine.mean(), np.float32)
