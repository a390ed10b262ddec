"""The stage on the tiny checkout: its files fit together and repeat, and errors are plain."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from thorax import artifacts
from thorax.dataset import __main__ as dataset_stage
from thorax.dataset import manifest
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.label_noise import __main__ as stage
from thorax.label_noise import folds, network
from thorax.label_noise.settings import LabelNoiseConfig
from thorax.label_noise.suspects import COLUMNS
from thorax.reports import __main__ as reports_stage
from thorax.training.examples import Examples

QUEUE = 12
REPOSITORY = Path(__file__).parents[2]


def settings(root: Path, **changes: Any) -> None:
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["dataset"]["size_px"] = 64
    params["label_noise"] |= {"folds": 3, "queue": QUEUE, "rounds": 1, **changes}
    path.write_text(yaml.safe_dump(params))


@pytest.fixture
def checkout(tiny_checkout: Path, predictor_folder: Path) -> Path:
    """The tiny checkout with dataset and predictor; one given label is wrong, its report right."""
    entries = artifacts.read_csv(tiny_checkout / "data/entries.csv")
    entries.loc[entries["image"] == "train_000.png", "findings"] = "Hernia"
    entries.to_csv(tiny_checkout / "data/entries.csv", index=False)
    (tiny_checkout / "optional").mkdir()
    (tiny_checkout / "optional/dvc.yaml").write_bytes(
        (REPOSITORY / "optional/dvc.yaml").read_bytes()
    )
    settings(tiny_checkout)
    reports_stage.main()
    dataset_stage.main()
    return tiny_checkout


def written(root: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    stage.main()
    folder = root / "artifacts/label_noise"
    return (
        artifacts.read_table(folder / "suspects.parquet"),
        json.loads((folder / "noise.json").read_text()),
    )


def test_every_known_label_is_ranked_once_and_the_queue_has_pictures(checkout: Path) -> None:
    found, summary = written(checkout)
    assert list(found.columns) == list(COLUMNS)
    table = manifest.read(checkout / "artifacts/dataset/manifest.parquet")
    judged = table[table["split"].isin(["train", "validation"])]
    assert len(found) == manifest.known(judged).sum() == summary["labels"]
    assert not found.duplicated(["image", "finding"]).any()
    assert list(found["rank"]) == list(range(1, len(found) + 1))
    assert found["quality_score"].is_monotonic_increasing
    queue = found[found["picture"] != ""]
    assert list(queue["rank"]) == list(range(1, QUEUE + 1))
    for row in queue.itertuples():
        folder = checkout / "artifacts/label_noise"
        picture = cv2.imread(str(folder / str(row.picture)), cv2.IMREAD_UNCHANGED)
        heatmap = cv2.imread(str(folder / str(row.heatmap)), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (64, 64)
        assert heatmap.shape == (64, 64, 4)
        assert heatmap[..., 3].max() > heatmap[..., 3].min()  # it lets the image through


def test_a_wrong_label_that_its_report_contradicts_comes_first(checkout: Path) -> None:
    found, summary = written(checkout)
    wrong = found[
        found["image"].eq("train_000.png") & found["finding"].isin(["Hernia", FINDINGS[0]])
    ]
    assert set(wrong["rank"]) <= set(range(1, 7))
    assert wrong["flagged"].all()
    assert "there is atelectasis." in " ".join(wrong["sentence"].str.lower())
    assert summary["compared"]["truth"]["precision_at_wrong"] >= 0.5
    assert summary["compared"]["adjudicated"]["reason"]


def test_the_same_inputs_give_the_same_files(checkout: Path) -> None:
    def content() -> dict[str, str]:
        stage.main()
        folder = checkout / "artifacts/label_noise"
        return {
            str(path.relative_to(folder)): artifacts.sha256_file(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    assert content() == content()


def test_what_people_have_corrected_is_not_asked_again(checkout: Path) -> None:
    first, _ = written(checkout)
    image, finding = first.loc[0, "image"], first.loc[0, "finding"]
    label = 1 - int(first.loc[0, "given"])
    with (checkout / "corrections.csv").open("a") as file:
        file.write(f"{image},{finding},{label},ann,2026-01-01,\n")
    dataset_stage.main()
    found, _ = written(checkout)
    here = found[found["image"].eq(image) & found["finding"].eq(finding)].iloc[0]
    assert (here["given"], here["picture"]) == (label, "")
    assert (found["picture"] != "").sum() == QUEUE


def test_reports_can_be_left_out(checkout: Path) -> None:
    settings(checkout, use_reports=False)
    found, summary = written(checkout)
    assert not found["news"].any()
    assert summary["findings"]["Mass"]["with_reports"]["called_present"] is None
    assert summary["findings"]["Mass"]["with_reports"]["reason"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"folds": 90}, "label_noise.folds is 90"), ({"splits": ["none"]}, "splits")],
)
def test_settings_that_do_not_fit_the_data_are_named(
    checkout: Path, changes: dict[str, Any], message: str
) -> None:
    settings(checkout, **changes)
    with pytest.raises(BadInput, match=message):
        stage.main()


def test_adjudicated_labels_that_are_neither_0_nor_1_are_named(checkout: Path) -> None:
    (checkout / "data/adjudicated.csv").write_text("image,finding,label\na.png,Mass,maybe\n")
    with pytest.raises(BadInput, match=r"adjudicated.csv row 2: label 'maybe'"):
        stage.main()


@pytest.mark.slow
def test_networks_judge_what_they_did_not_learn_and_go_on_after_a_kill(
    phantom_like: Callable[[], tuple[Any, Examples]], tmp_path: Path
) -> None:
    pixels, whole = phantom_like()
    recipe = LabelNoiseConfig.model_validate(
        {"network": {"model": {"backbone": "resnet10", "stride_px": 8, "transition_channels": 16,
                               "pooling": "average"}, "loss": "cel", "kept": "last",
                     "learning_rate": 0.003, "batch_size": 16, "epochs": 2, "patience_epochs": 2,
                     "device": "cpu", "threads": 1}}
    ).network  # fmt: skip
    parts = folds.patient_folds(whole.rows["patient"], 2, seed=1)
    first = network.logits(pixels, whole, parts, settings=recipe, state=tmp_path / "a")
    again = network.logits(pixels, whole, parts, settings=recipe, state=tmp_path / "a")
    np.testing.assert_array_equal(first, again)  # the finished state is taken up
    present = whole.targets == 1
    assert first[present].mean() > first[~present].mean()
    other = whole.targets.copy()
    other[parts == 1] = 1 - other[parts == 1]
    changed = Examples(whole.rows, other, whole.known)
    second = network.logits(pixels, changed, parts, settings=recipe, state=tmp_path / "b")
    np.testing.assert_array_equal(first[parts == 1], second[parts == 1])
