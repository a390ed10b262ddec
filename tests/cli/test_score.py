"""`thorax score` as a user runs it: which model, file names, columns, refused images."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.release import bench
from tests.release.bench import Bench
from tests.serving import films
from thorax import images
from thorax.findings import FINDINGS


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    made = bench.make(tmp_path_factory.mktemp("scoring") / "thorax")
    made.commit()
    assert made.release().returncode == 0
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A chest, a long one, and every image that is none."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "chest.png").write_bytes(images.encode_png(films.phantom()))
    long = films.phantom(height_px=128, width_px=230)
    (folder / "long.png").write_bytes(images.encode_png(long))
    for name, (image, _) in films.NO_FILMS.items():
        (folder / f"{name}.png").write_bytes(images.encode_png(image))
    return folder


def run(checkout: Bench, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return checkout.python("-m", "thorax.cli.app", "score", *map(str, arguments))


def test_the_blessed_release_scores_into_the_format_that_the_name_asks_for(
    checkout: Bench, folder: Path, tmp_path: Path
) -> None:
    outputs = [tmp_path / "scores.csv", tmp_path / "scores.parquet"]
    answers = [run(checkout, folder, "--output", output) for output in outputs]
    assert [answer.returncode for answer in answers] == [0, 0], answers[0].stderr
    assert "trained on: phantom, not radiographs" in answers[0].stdout
    assert "2 images scored" in answers[0].stdout
    table, other = pd.read_csv(outputs[0]), pd.read_parquet(outputs[1])
    assert list(table.columns) == list(other.columns)
    assert set(table["model"]) == {checkout.manifest()["tag"]}
    assert set(table["trained_on"]) == {"phantom, not radiographs"}
    assert len(table) == 2 * len(FINDINGS) and table["flagged"].notna().sum() == 2 * 13
    long = table[table["image"].str.endswith("long.png")]
    assert set(long["warnings"]) == {"elongated"} and "warning: " in answers[0].stderr
    for name in films.NO_FILMS:
        assert f"not scored: {folder / name}.png: " in answers[0].stderr


def test_another_model_is_scored_with_when_it_is_named(
    checkout: Bench, folder: Path, tmp_path: Path
) -> None:
    predictor = checkout.path / "artifacts/inference/predictor"
    output = tmp_path / "scores.csv"
    for model in (predictor, checkout.manifest()["tag"]):
        answer = run(checkout, folder / "chest.png", "--output", output, "--model", model)
        assert answer.returncode == 0, answer.stderr
        assert set(pd.read_csv(output)["model"]) == {str(model)}


@pytest.mark.parametrize("name", ["scores.xlsx", "scores", "scores.csv.gz"])
def test_another_extension_is_refused_before_anything_is_scored(
    name: str, checkout: Bench, folder: Path, tmp_path: Path
) -> None:
    answer = run(checkout, folder, "--output", tmp_path / name)
    assert answer.returncode == 1 and answer.stdout == ""
    assert answer.stderr.count("\n") == 1 and "must end in .csv or .parquet" in answer.stderr


def test_without_a_release_it_says_what_can_be_named(
    checkout: Bench, folder: Path, tmp_path: Path
) -> None:
    empty = bench.make(tmp_path / "thorax")
    answer = run(empty, folder, "--output", tmp_path / "scores.csv")
    assert answer.returncode == 1
    assert "no blessed release yet" in answer.stderr and "Traceback" not in answer.stderr
