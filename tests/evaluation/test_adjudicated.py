import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.evaluation.conftest import Checkout
from thorax.errors import BadInput
from thorax.evaluation import adjudicated
from thorax.evaluation.__main__ import evaluate
from thorax.findings import target_column


def judged(evaluated: Checkout) -> dict[str, Any]:
    return json.loads((evaluated.output / "metrics.json").read_text())["adjudicated"]


def test_the_model_is_scored_against_the_readers(evaluated: Checkout) -> None:
    entry = judged(evaluated)["findings"]["Effusion"]
    truth = evaluated.adjudicated.query("finding == 'Effusion'").set_index("image")["label"]
    test = evaluated.predictions.query("finding == 'Effusion' and split == 'test'")
    scores = test.set_index("image")["probability"]
    both = truth.index.intersection(scores.index)
    assert entry["images"] == len(both) < len(truth)
    assert entry["auc_score"] == pytest.approx(roc_auc_score(truth[both], scores[both]))
    called = scores[both] >= 0.3
    assert entry["model"]["sensitivity_score"] == pytest.approx(called[truth[both] == 1].mean())


def test_the_given_labels_are_held_against_the_readers(evaluated: Checkout) -> None:
    entry = judged(evaluated)["findings"]["Effusion"]["given_labels"]
    labels = evaluated.manifest.set_index("image")[target_column("Effusion")]
    truth = evaluated.adjudicated.query("finding == 'Effusion'").set_index("image")["label"]
    test = set(evaluated.manifest.query("split == 'test'")["image"])
    both = [image for image in truth.index if image in test]
    positive = labels[both] == 1
    assert entry["ppv_score"] == pytest.approx(truth[both][positive].mean())
    assert entry["sensitivity_score"] == pytest.approx(positive[truth[both] == 1].mean())


def test_a_joined_finding_takes_the_surer_member_and_skips_what_nobody_knows(
    evaluated: Checkout,
) -> None:
    entry = judged(evaluated)["findings"]["Mass|Nodule"]
    test = evaluated.predictions[evaluated.predictions["split"] == "test"]
    wide = test.pivot(index="image", columns="finding", values="probability")
    truth = evaluated.adjudicated.query("finding == 'Mass|Nodule'").set_index("image")["label"]
    both = truth.index.intersection(wide.index)
    best = wide.loc[both, ["Mass", "Nodule"]].max(axis=1)
    assert entry["auc_score"] == pytest.approx(roc_auc_score(truth[both], best))
    # Mass is known of no image, so only a present nodule settles the given label.
    labels = entry["given_labels"]
    assert (labels["fn"], labels["tn"]) == (0, 0)
    assert labels["tp"] + labels["fp"] > 0


def test_no_adjudicated_label_is_a_reason_and_no_number(checkout: Checkout) -> None:
    checkout.adjudicated = checkout.adjudicated.iloc[:0]
    checkout.write()
    evaluate()
    summary = judged(checkout)
    assert summary["findings"] == {}
    assert summary["reason"] == "no image of the split has an adjudicated label"


@pytest.mark.parametrize(
    ("row", "message"),
    [("a.png,Oedema,1", "row 2: 'Oedema' is no finding"), ("a.png,Edema,2", "row 2: label is '2'")],
)
def test_a_row_that_cannot_be_used_is_named(checkout: Checkout, row: str, message: str) -> None:
    path = checkout.root / "data/adjudicated.csv"
    path.write_text(f"image,finding,label\n{row}\n")
    with pytest.raises(BadInput, match=message):
        adjudicated.read(path)


def test_slices_tell_first_films_from_later_ones(evaluated: Checkout) -> None:
    parts = json.loads((evaluated.output / "slices.json").read_text())["slices"]
    films = {part["value"]: part["images"] for part in parts if part["slice"] == "follow-up"}
    test = evaluated.manifest[evaluated.manifest["split"] == "test"]
    later = int(np.sum(test["follow_up"].to_numpy() >= 1))
    assert films == {"first film": len(test) - later, "later film": later}
