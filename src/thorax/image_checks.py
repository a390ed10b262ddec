"""Whether an image is one that a model of frontal chest X-rays can answer for.

What the levels are like is measured here, what the image looks like by `appearance`; bounds turn
the measures into faults, and a policy says which fault refuses an image, which one only warns. The
validation stage, `thorax score` and the service share the measures and the rules; each has its own
bounds. Needs neither PyTorch nor pandas, and decodes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from thorax import appearance
from thorax.images import Decoded, ImageWarning

Grey = NDArray[np.uint8]
Action = Literal["refuse", "warn", "off"]

_LOW_LEVEL, _HIGH_LEVEL = 5, 250  # of 0 to 255: at or beyond these a pixel says nothing of tissue
_LEVELS: Final = np.arange(256, dtype=np.float64)
_ROWS = 64  # at least so many rows, evenly spread, give the shares of levels and show letters
_TAIL_SHARE = 0.005  # of the pixels, left out at either end of the range of levels


class FaultBounds(BaseModel):
    """From which measure on an image has a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    side_px_min: int = Field(128, ge=1)
    """The shortest side that an image should have, in pixels."""
    aspect_max: float = Field(1.5, ge=1)
    """How many times longer than the other a side may be: frames are square."""
    level_range_min: float = Field(50, ge=0, le=255)
    """Grey levels (0 to 255) from the 0.5th to the 99.5th percentile that an image should span."""
    mode_share_max: float = Field(0.6, ge=0, le=1)
    """Share of an image's pixels that may have one and the same level."""
    low_share_max: float = Field(0.5, ge=0, le=1)
    """Share of an image's pixels that may be black (levels up to 5)."""
    high_share_max: float = Field(0.3, ge=0, le=1)
    """Share of an image's pixels that may be white (levels from 250 on)."""
    strangeness_max: float = Field(3.0, gt=0)
    """Squared distance from the reference's chests (mean 1) from which on it looks like none."""
    chest_score_min: float = 5.0
    """Score of an image's best way up, in logits, below which it looks like no chest."""
    turned_margin_min: float = Field(2.0, ge=0)
    """Logits by which turned or inverted must score better than upright to be believed."""
    mirrored_margin_min: float = Field(3.0, ge=0)
    """The same for mirrored, which differs from upright by the heart and little else."""


class ImageChecks(FaultBounds):
    """What is done with each fault of an image that is to be scored, and from where on it is one.

    refuse: the image is not scored; warn: it is, and the answer says so; off: nothing.
    """

    side_px_min: int = Field(64, ge=1)
    """The shortest side that an image must have, in pixels."""
    strangeness_max: float = Field(2.5, gt=0)
    """Squared distance from the reference's chests (mean 1) from which on it looks like none."""
    chest_score_min: float = 5.5
    """Score of an image's best way up, in logits, below which it looks like no chest."""
    too_small: Action = "refuse"
    """A side is too short."""
    elongated: Action = "warn"
    """One side is much longer than the other."""
    blank: Action = "refuse"
    """No contrast: black, white, or of one level for the most part."""
    mostly_black: Action = "warn"
    """Much of the image is black."""
    mostly_white: Action = "warn"
    """Much of the image is white."""
    not_a_chest: Action = "refuse"
    """It does not look like a frontal chest X-ray in any position."""
    inverted: Action = "refuse"
    """It looks like a negative."""
    turned: Action = "refuse"
    """It looks turned by 90, 180 or 270 degrees."""
    mirrored: Action = "warn"
    """Left and right look exchanged."""


@dataclass(frozen=True)
class Checked:
    """What the checks found: the faults that refuse the image, and those that only warn."""

    refusals: tuple[ImageWarning, ...]
    warnings: tuple[ImageWarning, ...]

    @property
    def reason(self) -> str:
        """The refusals in one line."""
        return "; ".join(refusal.text for refusal in self.refusals)


def check(decoded: Decoded, checks: ImageChecks) -> Checked:
    """Look for every fault of one decoded image; what its decoding warned of comes first."""
    by_action: dict[Action, list[ImageWarning]] = {
        "refuse": [], "warn": [*decoded.warnings], "off": []
    }  # fmt: skip
    for fault, text in _faults(decoded.pixels, checks):
        by_action[getattr(checks, fault)].append(ImageWarning(fault.replace("_", "-"), text))
    return Checked(tuple(by_action["refuse"]), tuple(by_action["warn"]))


def find_faults(measures: Mapping[str, Any], bounds: FaultBounds) -> dict[str, NDArray[np.bool_]]:
    """Which of N images have which fault.

    An image that looks like a chest in no position is not said to be turned or inverted as well.

    Args:
        measures: arrays [N] by name, as `measure_levels` and `appearance.Look` name them.
        bounds: from where on it is a fault.
    """
    value = {name: np.asarray(values) for name, values in measures.items()}
    position, margin = [str(each) for each in value["seen_as"]], value["seen_margin"]
    no_position = value["chest_score"] < bounds.chest_score_min
    strange = no_position | (value["strangeness"] > bounds.strangeness_max)
    sure = ~no_position & (margin >= bounds.turned_margin_min)
    surer = ~strange & (margin >= bounds.mirrored_margin_min)
    return {
        "blank": (value["level_range"] < bounds.level_range_min)
        | (value["mode_share"] > bounds.mode_share_max),
        "mostly_black": value["low_share"] > bounds.low_share_max,
        "mostly_white": value["high_share"] > bounds.high_share_max,
        "not_a_chest": strange,
        "inverted": sure & np.array(["inverted" in each for each in position], bool),
        "turned": sure & np.array(["turned" in each for each in position], bool),
        "mirrored": surer & np.array([each == "mirrored" for each in position], bool),
    }


def measure_levels(sampled: Sequence[Grey]) -> list[dict[str, Any]]:
    """What the grey levels are like, of each image's rows uint8 [h, W].

    Returns:
        Per image `mean_level`, `std_level`; `low_share`, `high_share` (pixels at levels up to 5,
        from 250 on); `mode_share` (at the most frequent level); `level_range` (levels from the
        0.5th to the 99.5th percentile).
    """
    shares = np.stack([_histogram(rows) for rows in sampled])
    shares /= shares.sum(axis=1, keepdims=True)
    mean = shares @ _LEVELS
    below = shares.cumsum(axis=1)
    low, high = ((below < share).sum(axis=1) for share in (_TAIL_SHARE, 1 - _TAIL_SHARE))
    columns = {
        "mean_level": mean,
        "std_level": np.sqrt((shares * (_LEVELS - mean[:, None]) ** 2).sum(axis=1)),
        "low_share": below[:, _LOW_LEVEL],
        "high_share": shares[:, _HIGH_LEVEL:].sum(axis=1),
        "mode_share": shares.max(axis=1),
        "level_range": (high - low).astype(np.float64),
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def sample_rows(pixels: Grey) -> Grey:
    """Evenly spread rows of an image, 64 to 127 where there are as many."""
    step = max(1, pixels.shape[0] // _ROWS)
    return np.ascontiguousarray(pixels[step // 2 :: step])


def _faults(pixels: Grey, checks: ImageChecks) -> Iterator[tuple[str, str]]:
    height, width = pixels.shape
    short, long = sorted((height, width))
    if short < checks.side_px_min:
        yield (
            "too_small",
            (
                f"the image has {width} x {height} pixels; at least {checks.side_px_min} a side "
                "are needed"
            ),
        )
    if long > checks.aspect_max * short:
        yield (
            "elongated",
            (f"one side is {long / short:.1f} times the other; the image is squeezed to a square"),
        )
    look = appearance.look(
        appearance.edges_of([appearance.shrink(pixels)]), appearance.reference()
    )[0]
    measured = {**measure_levels([sample_rows(pixels)])[0], **vars(look)}
    faults = find_faults({name: [value] for name, value in measured.items()}, checks)
    yield from ((code, _TEXTS[code]) for code, has in faults.items() if has[0])


_TEXTS: Final = {
    "blank": "the image shows almost nothing: it has no contrast",
    "mostly_black": "much of the image is black: a wrong window, or a small film on a large plate",
    "mostly_white": "much of the image is white: a wrong window, or tissue that is cut off",
    "not_a_chest": "the image does not look like a frontal chest X-ray",
    "inverted": "the image looks like a negative (air white, bone black): invert its grey levels",
    "turned": "the image looks turned: bring the head to the top",
    "mirrored": "left and right look exchanged; or the heart lies on the right, or one lung is "
    "white",
}


def _histogram(pixels: Grey) -> NDArray[np.float64]:
    """Pixels per level, float64 [256]."""
    counts = cv2.calcHist([pixels], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float64).ravel()
