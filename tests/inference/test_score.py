"""Scoring files: folders, lists, formats, and files that are no images."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from thorax import images
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference import drawn
from thorax.inference.boxes import Box
from thorax.inference.predictor import Predictor
from thorax.inference.score import score_paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two PNG files, a JPEG file two folders down, a broken PNG file, and a text file."""
    folder = tmp_path / "films"
    (folder / "a" / "b").mkdir(parents=True)
    chance = np.random.default_rng(1)
    for name in ("two.png", "one.png", "a/b/three.JPG"):
        pixels = chance.integers(0, 256, (80, 70), np.uint8)
        content = cv2.imencode(Path(name).suffix.lower(), pixels)[1].tobytes()
        (folder / name).write_bytes(content)
    (folder / "broken.png").write_bytes((folder / "one.png").read_bytes()[:500])
    (folder / "notes.md").write_text("not an image")
    return folder


def test_a_folder_gives_every_image_and_names_what_it_could_not_read(
    predictor: Predictor, folder: Path
) -> None:
    scored = score_paths(predictor, [folder])
    table, unreadable = scored.table, scored.unscored
    assert list(table.columns) == [
        "image", "finding", "probability", "threshold", "flagged", "warnings"
    ]  # fmt: skip
    names = [str(folder / name) for name in ("a/b/three.JPG", "one.png", "two.png")]
    assert list(table["image"].unique()) == names
    assert list(table["finding"][:14]) == list(FINDINGS)
    [broken] = unreadable
    assert broken.image == str(folder / "broken.png")
    assert "cut short" in broken.reason


def test_a_file_scores_as_its_pixels_do(predictor: Predictor, folder: Path) -> None:
    table = score_paths(predictor, [folder / "one.png"]).table
    pixels = images.to_frame(images.decode((folder / "one.png").read_bytes()).pixels, 64)
    expected = predictor.predict(pixels[None]).probabilities[0]
    np.testing.assert_allclose(table["probability"], expected, atol=1e-6)


def test_a_list_names_files_relative_to_itself_and_missing_ones_are_unreadable(
    predictor: Predictor, folder: Path
) -> None:
    (folder / "list.txt").write_text("two.png\n\na/b/three.JPG\ngone.png\n")
    scored = score_paths(predictor, [folder / "list.txt"])
    table, unreadable = scored.table, scored.unscored
    assert list(table["image"].unique()) == [str(folder / "two.png"), str(folder / "a/b/three.JPG")]
    assert [each.image for each in unreadable] == [str(folder / "gone.png")]


def test_an_image_named_twice_is_scored_once(predictor: Predictor, folder: Path) -> None:
    table = score_paths(predictor, [folder / "one.png", folder]).table
    assert table["image"].nunique() == 3
    assert len(table) == 3 * len(FINDINGS)


def test_nothing_readable_gives_empty_tables_with_their_columns(
    predictor: Predictor, folder: Path
) -> None:
    scored = score_paths(predictor, [folder / "broken.png"])
    assert len(scored.table) == len(scored.boxes) == 0
    assert list(scored.boxes.columns)[:3] == ["image", "finding", "x_px"]
    assert len(scored.unscored) == 1


def test_paths_without_an_image_are_bad_input(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        score_paths(predictor, [tmp_path / "gone"])
    with pytest.raises(BadInput, match="no PNG or JPEG image in"):
        score_paths(predictor, [tmp_path])
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="is not text"):
        score_paths(predictor, [tmp_path / "list.txt"])


def test_boxes_only_for_findings_that_reach_their_threshold(predictor: Predictor) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (4, 64, 64), np.uint8)
    prediction = predictor.predict(pixels)
    for row, boxes in enumerate(drawn.boxes_of(prediction, predictor)):
        above = {
            finding
            for finding, probability in zip(FINDINGS, prediction.probabilities[row], strict=True)
            if predictor.thresholds[finding] is not None and probability >= 0.5
        }
        assert {box.finding for box in boxes} == above
    every = drawn.boxes_of(prediction, predictor, boxes_for="every finding")
    assert {box.finding for box in every[0]} == set(FINDINGS)


def test_the_table_of_boxes_keeps_every_field() -> None:
    box = Box("Mass", 1.0, 2.0, 3.0, 4.0, 1024, 0.5, "paper")
    table = drawn.boxes_table(["a.png", "b.png"], [[], [box]])
    assert table.to_dict("records") == [{"image": "b.png", **vars(box)}]


def test_flags_follow_the_thresholds_of_the_row(predictor: Predictor, folder: Path) -> None:
    table = score_paths(predictor, [folder / "one.png"]).table.set_index("finding")
    with_limit = table.drop(index=FINDINGS[-1])
    expected = with_limit["probability"] >= with_limit["threshold"]
    assert (with_limit["flagged"] == expected).all()
    assert table.loc[FINDINGS[-1], ["threshold", "flagged"]].isna().all()


def test_a_pipe_is_refused_and_not_waited_for(predictor: Predictor, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(BadInput, match="named pipe"):
        score_paths(predictor, [tmp_path / "pipe.png"])
    (tmp_path / "list.txt").write_text("pipe.png\n")
    [unscored] = score_paths(predictor, [tmp_path / "list.txt"]).unscored
    assert "named pipe" in unscored.reason
