"""Which boxes are learned from, and who draws on images whose boxes were learned from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thorax.dataset import __main__ as dataset_stage
from thorax.dataset import manifest
from thorax.dataset.pixels import Pixels
from thorax.findings import FINDINGS
from thorax.inference import fitting
from thorax.inference.fitting import BoxConfig, Fitted
from thorax.inference.predictor import Predictor
from thorax.localization.boxed import read_truth
from thorax.reports import __main__ as reports_stage

# a network that learned nothing points anywhere: boxes are learned from however far its peaks are
SETTINGS = BoxConfig.model_validate(
    {"ridge": {"least_boxes": 4, "penalties": [1.0], "farthest_share": 2.0}}
)


@pytest.fixture
def data(tiny_checkout: Path) -> tuple[Pixels, pd.DataFrame, pd.DataFrame]:
    """Pixels, manifest and true boxes of the tiny checkout, at 64 px."""
    text = (tiny_checkout / "params.yaml").read_text()
    sizes = [line for line in text.splitlines() if line.startswith("  size_px:")]
    (tiny_checkout / "params.yaml").write_text(text.replace(sizes[0], "  size_px: 64"))
    reports_stage.main()
    dataset_stage.main()
    table = manifest.read(tiny_checkout / "artifacts/dataset/manifest.parquet")
    pixels = Pixels.open(tiny_checkout / "artifacts/dataset/pixels.json", tiny_checkout / "data")
    truth = read_truth(tiny_checkout / "data/boxes.csv")
    return pixels, table, truth


def fit(
    predictor: Predictor, data: tuple[Pixels, pd.DataFrame, pd.DataFrame], *splits: str
) -> Fitted:
    """Fit where only images of `splits` have boxes."""
    pixels, table, truth = data
    images = table.loc[table["split"].isin(splits), "image"]
    own = truth[truth["image"].isin(images)].reset_index(drop=True)
    return fitting.fit(predictor, pixels, table, own, settings=SETTINGS, batch_size=7)


def test_boxes_of_training_and_validation_are_learned_from_and_test_boxes_are_not(
    predictor: Predictor, data: tuple[Pixels, pd.DataFrame, pd.DataFrame]
) -> None:
    all_three = fit(predictor, data, "train", "validation", "test")
    assert all_three.maker == fit(predictor, data, "train", "validation").maker
    assert all_three.by_image == {}
    assert "56 boxes on 28 images of the training and validation splits" in (
        all_three.maker.fitted_on
    )
    assert "of the training split" in fit(predictor, data, "train").maker.fitted_on


def test_findings_with_few_boxes_take_the_map_of_all_findings(
    predictor: Predictor, data: tuple[Pixels, pd.DataFrame, pd.DataFrame]
) -> None:
    pixels, table, truth = data
    often = truth[truth["finding"].isin(["Atelectasis", "Cardiomegaly"])]
    once = truth[truth["finding"] == "Mass"].head(1)
    some = pd.concat([often, once], ignore_index=True)
    maker = fitting.fit(predictor, pixels, table, some, settings=SETTINGS, batch_size=64).maker
    assert set(maker.regressors) == set(FINDINGS)
    origins = {finding: maker.regressors[finding].origin for finding in FINDINGS}
    assert origins.pop("Atelectasis") == origins.pop("Cardiomegaly") == "its own boxes"
    assert set(origins.values()) == {"the boxes of all findings"}


def test_where_only_test_images_have_boxes_none_is_drawn_by_a_fit_on_its_own_patient(
    predictor: Predictor, data: tuple[Pixels, pd.DataFrame, pd.DataFrame]
) -> None:
    pixels, table, truth = data
    test = table[table["split"] == "test"]
    fitted = fit(predictor, data, "test")
    assert "cross-validated by patient" in fitted.maker.fitted_on
    boxed = test[test["image"].isin(truth["image"])]
    assert set(fitted.by_image) == set(boxed["image"])
    image, patient = boxed[["image", "patient"]].iloc[0]
    # boxes of this patient drawn elsewhere: who draws on the patient's images does not notice
    moved = truth[truth["image"].isin(boxed["image"])].reset_index(drop=True)
    own = moved["image"].isin(boxed.loc[boxed["patient"] == patient, "image"])
    moved.loc[own, ["x_px", "y_px"]] = 50
    again = fitting.fit(predictor, pixels, table, moved, settings=SETTINGS, batch_size=7)
    assert again.by_image[image] == fitted.by_image[image]
    assert again.maker != fitted.maker
    assert fitted.makers([image, "another.png"]) == [fitted.by_image[image], fitted.maker]


def test_without_boxes_the_defaults_are_stated(
    predictor: Predictor, data: tuple[Pixels, pd.DataFrame, pd.DataFrame]
) -> None:
    fitted = fit(predictor, data)
    assert fitted.maker.fitted_on.startswith("defaults")
    assert fitted.maker.regressors == {}
    regressor = fitted.maker.regressor("Hernia")
    assert regressor.origin == "the stated default"
    assert np.exp(regressor.intercepts[2]) == pytest.approx(0.2)
