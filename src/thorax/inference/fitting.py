"""Which true boxes the box maker may learn from, and the maker that they give.

Boxes of the training and validation splits where there are any. Where only test images have boxes
(NIH publishes them so), each boxed image's own boxes come from maps that were fitted on other
patients' boxes, and what ships was fitted on all of them. Where there are none: stated defaults.
The network itself never sees a box. Scores nothing: that is `thorax.localization`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from thorax.config import Config
from thorax.dataset import batches
from thorax.dataset.pixels import Pixels
from thorax.findings import FINDINGS
from thorax.inference import ridge
from thorax.inference.predictor import Predictor
from thorax.inference.refinement import view
from thorax.inference.refining import RefinementConfig
from thorax.inference.regression import BoxMaker, Method, Regressor, maxima_of
from thorax.inference.ridge import Case, RidgeConfig

Cases = dict[str, list[Case]]  # by finding


class BoxConfig(Config):
    """How heatmaps become boxes."""

    method: Method = "regression"
    """What is drawn by `thorax show`, `thorax score` and the service: regression, or the paper's
    thresholds of the heatmap. `boxes.parquet` holds both."""
    peaks: int = Field(default=2, ge=1)
    """Most boxes that regression draws for one finding on one image."""
    apart_share: float = Field(default=0.15, gt=0, lt=1)
    """Peaks of a heatmap nearer than this share of the frame are one."""
    window_shares: tuple[float, ...] = Field(default=(0.08, 0.16), min_length=1)
    """Standard deviations of the windows in which the spread about a peak is measured."""
    ridge: RidgeConfig = RidgeConfig()
    """How the linear maps from peaks to boxes are fitted."""


@dataclass(frozen=True)
class Fitted:
    """A box maker that ships, and those that draw on images whose boxes it has seen.

    Attributes:
        maker: goes into `predictor.json`.
        by_image: where only test images have boxes, the maker of each, fitted on other patients.
    """

    maker: BoxMaker
    by_image: dict[str, BoxMaker]

    def makers(self, images: Sequence[str]) -> list[BoxMaker]:
        """Who draws on each of `images`."""
        return [self.by_image.get(image, self.maker) for image in images]


def fit(
    predictor: Predictor, pixels: Pixels, table: pd.DataFrame, truth: pd.DataFrame,
    *, settings: BoxConfig, batch_size: int,
) -> Fitted:  # fmt: skip
    """Fit the box maker of a predictor.

    Args:
        predictor: gives the heatmaps.
        pixels: where the images are.
        table: the manifest's readable rows.
        truth: true boxes, as `localization.boxed.read_truth` gives them.
        settings: how.
        batch_size: images per call of the predictor.
    """
    blank = BoxMaker(
        method=settings.method,
        peaks=settings.peaks,
        apart_share=settings.apart_share,
        window_shares=settings.window_shares,
    )
    boxed = table[table["image"].isin(truth["image"])].reset_index(drop=True)
    learning = boxed["split"].isin(["train", "validation"])
    least = settings.ridge.least_boxes
    for rows, held_out in ((boxed[learning], False), (boxed[boxed["split"] == "test"], True)):
        own = truth[truth["image"].isin(rows["image"])]
        if len(own) >= least:
            cases = cases_of(predictor, pixels, rows, own, maker=blank, batch_size=batch_size)
            named = _named(own, rows, held_out=held_out)
            shipped = _with(blank, cases, settings, named)
            return Fitted(shipped, _by_image(shipped, cases, rows, settings) if held_out else {})
    return Fitted(blank, {})


def cases_of(
    predictor: Predictor, pixels: Pixels, rows: pd.DataFrame, truth: pd.DataFrame,
    *, maker: BoxMaker, batch_size: int,
) -> Cases:  # fmt: skip
    """The heatmaps' peaks beside the true boxes, one case per image and boxed finding."""
    shares = truth[["x_px", "y_px", "w_px", "h_px"]].to_numpy(np.float64)
    shares = shares / truth["frame_px"].to_numpy(np.float64)[:, None]
    places = truth.assign(place=np.arange(len(truth))).groupby(["image", "finding"])["place"]
    boxes = {(str(key[0]), str(key[1])): shares[place.to_numpy()] for key, place in places}
    by_image: dict[str, list[str]] = {}
    for image, finding in boxes:
        by_image.setdefault(image, []).append(finding)
    rows = rows.reset_index(drop=True)
    cases: Cases = {}
    plan = batches.in_order(len(rows), batch_size)
    for positions, levels in batches.stream(pixels, rows, plan):
        heatmaps = predictor.predict(levels).heatmaps
        for place, image, patient in zip(
            range(len(positions)),
            rows["image"].iloc[positions],
            rows["patient"].iloc[positions],
            strict=True,
        ):
            for finding in by_image[image]:
                column = predictor.findings.index(finding)
                heatmap = heatmaps[place, column]
                peaks, seen = maxima_of(heatmap, maker), view(heatmap, levels[place])
                case = Case(str(patient), peaks, boxes[image, finding], seen)
                cases.setdefault(finding, []).append(case)
    return cases


def _with(blank: BoxMaker, cases: Cases, settings: BoxConfig, named: str) -> BoxMaker:
    """`blank` with a regressor for each of the findings: its own, or the one of all findings."""
    config = settings.ridge
    unrefined = config.model_copy(update={"refinement": RefinementConfig(steps=0)})
    everything = [case for finding in sorted(cases) for case in cases[finding]]
    common = ridge.fit(everything, unrefined, origin="the boxes of all findings")
    if common is None:
        return blank
    fitted: dict[str, Regressor] = {}
    for finding in FINDINGS:
        own = ridge.fit(cases.get(finding, []), config, origin="its own boxes")
        fitted[finding] = own or common
    return blank.model_copy(update={"regressors": fitted, "fitted_on": named})


def _by_image(
    shipped: BoxMaker, cases: Cases, rows: pd.DataFrame, settings: BoxConfig
) -> dict[str, BoxMaker]:
    """For every boxed image the maker that was fitted on the other folds' patients."""
    folds = ridge.folds_of([str(patient) for patient in rows["patient"]], settings.ridge.folds)
    makers = {}
    for fold in sorted(set(folds.values())):
        others = {
            finding: [case for case in found if folds[case.patient] != fold]
            for finding, found in cases.items()
        }
        makers[fold] = _with(shipped.model_copy(update={"regressors": {}}), others, settings, "")
    return {
        str(image): makers[folds[str(patient)]]
        for image, patient in zip(rows["image"], rows["patient"], strict=True)
    }


def _named(truth: pd.DataFrame, rows: pd.DataFrame, *, held_out: bool) -> str:
    """The sentence that says on which boxes it was fitted."""
    count = f"{len(truth):,} boxes on {truth['image'].nunique():,} images"
    if held_out:
        return (
            f"fitted on {count} of the test split, the only ones there are; boxes that were scored "
            "are cross-validated by patient: drawn by a fit on other patients' boxes"
        )
    splits = " and ".join(
        name
        for name in ("training", "validation")
        if (rows["split"] == name.removesuffix("ing")).any()
    )
    return f"fitted on {count} of the {splits} split{'s' if ' and ' in splits else ''}"
