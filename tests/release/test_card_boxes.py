"""The model card says how boxes are drawn and on which boxes that was fitted."""

import json
from pathlib import Path

import pytest

from thorax.inference.refinement import Refiner
from thorax.inference.regression import BoxMaker, default_regressor
from thorax.release import card

WORDS = "fitted on 312 boxes on 200 images of the training split"
REFINED = default_regressor(2).model_copy(
    update={
        "refiner": Refiner(
            steps=1,
            window_sides=2,
            least_window_share=0.1,
            intercepts=(0, 0, 0, 0),
            weights=((0.0,) * 107,) * 4,
        )
    }
)


@pytest.mark.parametrize(
    ("maker", "sentence"),
    [
        (BoxMaker(method="regression", fitted_on=WORDS), f"from its heatmaps, {WORDS}."),
        (BoxMaker(method="regression"), "from its heatmaps, defaults: no boxes to fit on."),
        (
            BoxMaker(method="regression", regressors={"Pleural_Thickening": REFINED}),
            "Boxes of Pleural thickening are then moved by what the image shows",
        ),
        (BoxMaker(method="paper", fitted_on=WORDS), "which were fitted on nothing."),
    ],
)
def test_the_card_prints_the_box_makers_sentence(
    maker: BoxMaker, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "predictor.json"
    path.write_text(json.dumps({"size_px": 64, "boxes": maker.model_dump(mode="json")}))
    written = card.render(
        origin="phantom data",
        source={"source": "phantom", "licence": "none"},
        predictor=json.loads(path.read_text()),
        metrics={"split": "test", "images": 1, "patients": 1, "replicates": 100, "findings": {},
                 "mean": {"findings": 0, "auc_score": None, "auc_low": None, "auc_high": None}},
        localization=None,
        decision={"verdict": "pass", "valid_until": None, "rules": []},
        labels={"data": "a", "revision": "b", "code_changed": "no", "params": "c"},
    )  # fmt: skip
    assert sentence in " ".join(written.split())
