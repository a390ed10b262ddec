"""The stage, `thorax score` and the service draw the same boxes, by the predictor's own method."""

from pathlib import Path

import numpy as np
import pytest

from serving.answer import compose
from thorax.findings import FINDINGS
from thorax.images import Decoded
from thorax.inference import drawn
from thorax.inference.boxes import METHODS
from thorax.inference.predictor import DESCRIPTION, Predictor
from thorax.inference.regression import BoxMaker, Method, default_regressor

LEVELS = np.random.default_rng(6).integers(0, 256, (2, 64, 64), dtype=np.uint8)


def drawing(folder: Path, method: Method) -> Predictor:
    """The predictor with a box maker of its own, written and read back."""
    regressor = default_regressor(2).model_copy(update={"least_level": 0.4})
    maker = BoxMaker(method=method, regressors=dict.fromkeys(FINDINGS, regressor))
    about = Predictor.load(folder).description.model_copy(update={"boxes": maker})
    (folder / DESCRIPTION).write_text(about.model_dump_json())
    return Predictor.load(folder, threads=1)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_scored_is_what_is_served(predictor_folder: Path, method: Method) -> None:
    predictor = drawing(predictor_folder, method)
    prediction = predictor.predict(LEVELS[:1])
    [scored] = drawn.boxes_of(prediction, predictor)
    decoded = Decoded(pixels=LEVELS[0], bit_depth=8, channels=1)
    answer = compose(prediction, predictor, decoded=decoded, model="m")
    assert {box.method for box in scored} == {method}
    assert [box.model_dump() for box in answer.boxes] == [vars(box) for box in scored]


def test_all_methods_and_a_maker_of_its_own_for_each_image(predictor_folder: Path) -> None:
    predictor = drawing(predictor_folder, "regression")
    prediction = predictor.predict(LEVELS)
    own = predictor.description.boxes
    narrow = default_regressor(2).model_copy(update={"largest_shares": (0.1, 0.1)})
    other = own.model_copy(update={"regressors": dict.fromkeys(FINDINGS, narrow)})
    first, second = drawn.boxes_of(
        prediction, predictor, boxes_for="every finding", makers=[own, other], methods=METHODS
    )
    for boxes in (first, second):
        assert {(box.finding, box.method) for box in boxes} == {
            (finding, method) for finding in FINDINGS for method in METHODS
        }
    sizes = [max(b.w_px for b in boxes if b.method == "regression") for boxes in (first, second)]
    assert sizes[0] > 200 > 110 > sizes[1]
