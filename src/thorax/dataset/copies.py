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

from thorax import images
from thorax.appearance import cut, perceptual_hash, shrink
from thorax.dataset import hashes
from thorax.dataset.pixels import Pixels
from thorax.dataset.settings import CopiesConfig
from thorax.progress import say

COLUMNS = {"image": "str", "other": "str", "kind": "str", "bits": "int64", "likeness": "float64"}
"""Of the table: two images; `file`, `pixels` or `look`; bits in which the hashes differ; and how
much alike the pictures are, 1 being the same."""

_COMPARED_PX = 128
_BLUR_SHARE = 3 / 128  # what is coarser is left out of the comparison: all chests share it
_RIM_SHARE = 1 / 16  # left out of it too: moving the picture brings nothing known there
_COARSE_MIN = 0.85  # pictures less alike at 64 px are not compared any further
_COARSE_SURE = 0.955  # nor are those above told apart by finer things, such as letters on one
_COARSE_STEPS, _FINE_STEPS, _STEP_MIN = 30, 10, 1e-4
_CHUNK = 256  # frames, or pairs of them, that are in memory together


def find(manifest: pd.DataFrame, pixels: Pixels, config: CopiesConfig) -> pd.DataFrame:
    """Links between copies among the readable images that show something.

    Args:
        manifest: columns `image, patient, split, shard, row, readable, phash, frame_sha256` and
            `sha256`.
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
    that a cut or a shift of a few percent does not count: first at 64 px, then, if the two are not
    told apart there, at 128 px. Two films of one phantom reach 0.953 at 64 px and 0.945 at 128.
    """
    small = shrink(one).astype(np.float32), shrink(other).astype(np.float32)
    coarse = _map(*small, np.eye(2, 3, dtype=np.float32), _COARSE_STEPS)
    alike = _likeness(*small, coarse)
    if alike < _COARSE_MIN:
        return alike
    large = _at_128_px(one), _at_128_px(other)
    scale = large[0].shape[0] / small[0].shape[0]
    coarse[:, 2] = scale * coarse[:, 2] + (scale - 1) / 2 * (coarse[:, :2].sum(axis=1) - 1)
    finely = _likeness(*large, _map(*large, coarse, _FINE_STEPS))
    return max(alike, finely) if alike >= _COARSE_SURE else finely


def _looking_alike(shown: pd.DataFrame, pixels: Pixels, config: CopiesConfig) -> list[Any]:
    """Links between frames that differ: equal hashes in a chain, near hashes pair by pair."""
    chained = _chained(shown, "phash")
    firsts = shown.drop_duplicates("phash")
    near = near_hashes(
        hashes.parse(firsts["phash"].tolist()), _cut_hashes(firsts, pixels), config.hash_bits_max
    )
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


def near_hashes(whole: hashes.Hashes, cut: hashes.Hashes, bits_max: int) -> hashes.Near:
    """Pairs of which one's hash is near the other's, or near the other's without its rim.

    Args:
        whole: hashes of N frames, uint64 [N, 4].
        cut: those of the same frames without their rims.
        bits_max: as for `hashes.near`.
    """
    count = len(whole)
    found = hashes.near(np.concatenate([whole, cut]), bits_max)
    one, other = found.first % count, found.second % count
    told = (found.first < count) & (one != other)  # not both without their rims, not itself
    nearest = np.argsort(found.bits[told], kind="stable")
    ordered = np.sort(np.stack([one, other], axis=1)[told][nearest], axis=1)
    pairs, places = np.unique(ordered, axis=0, return_index=True)
    return hashes.Near(pairs[:, 0], pairs[:, 1], found.bits[told][nearest][places], found.complete)


def _cut_hashes(shown: pd.DataFrame, pixels: Pixels) -> hashes.Hashes:
    """Hashes of the frames without their rims: near those of copies that were cut there."""
    texts = list[str]()
    for start in range(0, len(shown), _CHUNK):
        frames = pixels.gather(shown.iloc[start : start + _CHUNK])
        texts += (perceptual_hash(cut(frame)) for frame in frames)
    return hashes.parse(texts)


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


def _at_128_px(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.to_frame(frame, _COMPARED_PX).astype(np.float32)


def _map(
    first: NDArray[np.float32], second: NDArray[np.float32], start: NDArray[np.float32], steps: int
) -> NDArray[np.float32]:
    """The affine map [2, 3] that moves `second` onto `first`; `start` where none is found."""
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, steps, _STEP_MIN)
    find_map: Any = cv2.findTransformECC  # its stub forbids None for the mask
    try:
        found = find_map(first, second, start.copy(), cv2.MOTION_AFFINE, stop, None, 3)[1]
    except cv2.error:
        return start
    return np.asarray(found, np.float32)


def _likeness(
    first: NDArray[np.float32], second: NDArray[np.float32], found: NDArray[np.float32]
) -> float:
    """The better of the correlations with `second` as it is, and moved."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (second.shape[1], second.shape[0])
    moved = cv2.warpAffine(second, found, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return max(_correlation(first, second), _correlation(first, np.asarray(moved, np.float32)))


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    one, other = _fine(first), _fine(second)
    size = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / size if size else 0.0


def _fine(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    side = levels.shape[0]
    fine = levels - cv2.GaussianBlur(levels, (0, 0), _BLUR_SHARE * side)
    rim = round(_RIM_SHARE * side)
    fine = fine[rim:-rim, rim:-rim]
    return np.asarray(fine - fine.mean(), np.float32)
