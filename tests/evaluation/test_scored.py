import numpy as np
import pytest

from tests.evaluation.conftest import Checkout
from thorax.errors import BadInput
from thorax.evaluation import scored
from thorax.evaluation.scored import Scored
from thorax.findings import FINDINGS, target_column


def read(checkout: Checkout) -> Scored:
    checkout.write()
    return scored.read(checkout.predictions_path, checkout.manifest_path, split="test")


def test_scores_stand_beside_their_own_targets_whatever_the_order(checkout: Checkout) -> None:
    straight = read(checkout)
    shuffled = checkout.predictions.sample(frac=1, random_state=1)
    checkout.predictions = shuffled
    again = read(checkout)
    np.testing.assert_array_equal(again.logits, straight.logits)
    test = checkout.manifest[checkout.manifest["split"] == "test"]
    assert again.about["image"].tolist() == test["image"].tolist()
    np.testing.assert_array_equal(again.targets[:, 0], test[target_column(FINDINGS[0])])
    one = shuffled[(shuffled["image"] == "0100.png") & (shuffled["finding"] == "Edema")]
    place = again.about["image"].tolist().index("0100.png")
    assert again.logits[place, FINDINGS.index("Edema")] == one["logit"].item()


def test_a_model_of_fewer_findings_is_scored_on_those(checkout: Checkout) -> None:
    few = checkout.predictions["finding"].isin(["Nodule", "Effusion"])
    checkout.predictions = checkout.predictions[few]
    assert read(checkout).findings == ("Effusion", "Nodule")


def test_an_image_without_scores_is_named(checkout: Checkout) -> None:
    gone = checkout.predictions["image"] == "0100.png"
    checkout.predictions = checkout.predictions[~gone]
    with pytest.raises(BadInput, match=r"1 images are not scored, first 0100\.png"):
        read(checkout)


def test_a_scored_image_outside_the_split_is_named(checkout: Checkout) -> None:
    checkout.manifest.loc[checkout.manifest["image"] == "0100.png", "split"] = ""
    with pytest.raises(BadInput, match=r"not in the manifest.s split, first 0100\.png"):
        read(checkout)


def test_a_missing_score_of_one_finding_is_named(checkout: Checkout) -> None:
    row = (checkout.predictions["image"] == "0100.png") & (
        checkout.predictions["finding"] == "Nodule"
    )
    checkout.predictions.loc[row, "logit"] = np.nan
    with pytest.raises(BadInput, match=r"0100\.png has no logit for Nodule"):
        read(checkout)


def test_a_doubled_score_is_named(checkout: Checkout) -> None:
    rows = checkout.predictions.index[checkout.predictions["image"] == "0100.png"]
    checkout.predictions.loc[rows[1], "finding"] = checkout.predictions.loc[rows[0], "finding"]
    with pytest.raises(BadInput, match=r"0100\.png has two scores for Atelectasis"):
        read(checkout)


def test_a_strange_finding_is_named(checkout: Checkout) -> None:
    checkout.predictions.loc[checkout.predictions["finding"] == "Edema", "finding"] = "Oedema"
    with pytest.raises(BadInput, match="'Oedema' is no finding"):
        read(checkout)


def test_an_empty_split_cannot_be_scored(checkout: Checkout) -> None:
    checkout.manifest.loc[checkout.manifest["split"] == "test", "split"] = "train"
    with pytest.raises(BadInput, match="no image in this split"):
        read(checkout)
