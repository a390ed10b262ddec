"""`thorax evaluate` end to end: a folder of images and a table, a tiny predictor, a report."""

import json
from pathlib import Path

import numpy as np
import pytest

from thorax import artifacts
from thorax.cli import site_report
from thorax.cli.evaluate import evaluate
from thorax.cli.site_data import SCORED, SiteData, gather
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference.predictor import DESCRIPTION, Predictor
from thorax.origin import Origin

IMAGES = 60
HEADER = "image,patient,age,sex,view,findings"


def gathered(checkout: Path, site: Path, split: str = "auto") -> SiteData:
    predictor = Predictor.load(checkout / "artifacts/inference/predictor", threads=1)
    return gather("folder", site, folder=checkout / "site", predictor=predictor, split=split)


def scored_images(checkout: Path, site: Path, split: str = "auto") -> list[str]:
    table = gathered(checkout, site, split).table
    return table.loc[table["split"] == SCORED, "image"].tolist()


def run(
    site: Path, *, release: str | None = None, output: Path | None = None, split: str = "auto"
) -> None:
    evaluate(release, source="folder", from_path=site, output=output, split=split)


def test_a_folder_and_a_table_give_a_report_and_leave_the_checkout_alone(
    checkout: Path, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path for path in checkout.rglob("*") if ".thorax" not in path.parts)
    run(site, output=tmp_path / "report")
    metrics = json.loads((tmp_path / "report/metrics.json").read_text())
    assert metrics["images"] == IMAGES - 1
    entry = metrics["findings"]["Effusion"]
    assert entry["auc_low"] < entry["auc_score"] < entry["auc_high"]
    assert entry["auc_score"] > 0.7
    assert metrics["findings"]["Mass"]["auc_score"] is None
    assert metrics["findings"]["Mass"]["reason"] == "no positive image"
    notes = " ".join(metrics["notes"])
    assert "1 images are missing or unreadable and not scored (00.png: PNG cut short" in notes
    assert "No AUC for Atelectasis, Cardiomegaly" in notes
    shipped = metrics["operating_points"]["screening"]["findings"]["Effusion"]
    refitted = metrics["refitted"]["operating_points"]["screening"]["findings"]["Effusion"]
    assert shipped["threshold"] == 0.2 != refitted["threshold"]
    assert metrics["localization"]["reason"] == "no scored image has a true box"
    page = (tmp_path / "report/report.html").read_text()
    assert page.count("data:image/png;base64,") == 3
    assert "http" not in page
    screen = capsys.readouterr().out
    assert "Effusion" in screen
    where = Origin(**metrics["origin"])
    assert (where.source, len(where.version)) == ("folder", 12)
    assert where.line in page and where.line in screen
    assert f"{entry['auc_score']:.3f}" in screen
    after = sorted(path for path in checkout.rglob("*") if ".thorax" not in path.parts)
    assert after == before
    first = {path.name: artifacts.sha256_file(path) for path in (tmp_path / "report").iterdir()}
    run(site, output=tmp_path / "report")  # replaces its own report with the same one
    second = {path.name: artifacts.sha256_file(path) for path in (tmp_path / "report").iterdir()}
    assert second == first


def test_other_files_in_the_output_folder_are_not_replaced(
    checkout: Path, site: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("years of work")
    with pytest.raises(BadInput, match="holds other files"):
        run(site, output=tmp_path / "thesis")
    assert (tmp_path / "thesis/chapter.txt").exists()


def test_an_official_test_split_alone_is_scored_unless_all_is_asked_for(
    checkout: Path, site: Path
) -> None:
    lines = (site / "labels.csv").read_text().splitlines()
    rows = [f"{line},{'test' if place < 20 else 'train'}" for place, line in enumerate(lines[1:])]
    (site / "labels.csv").write_text("\n".join([HEADER + ",split", *rows]) + "\n")
    for split, images in (("auto", 19), ("all", 59), ("train", 40)):
        assert len(scored_images(checkout, site, split)) == images
    with pytest.raises(BadInput, match="official splits here: test, train"):
        scored_images(checkout, site, "validation")
    with pytest.raises(BadInput, match="choose one of auto, all"):
        scored_images(checkout, site, "tests")


def test_patients_that_the_model_was_trained_on_are_left_out(checkout: Path, site: Path) -> None:
    seen = gathered(checkout, site).table
    seen = seen.assign(split=np.where(seen["image"] == "03.png", "train", "test"))
    artifacts.write_table(checkout / "artifacts/dataset/manifest.parquet", seen)
    weights = checkout / "artifacts/training/weights.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    path = checkout / "artifacts/inference/predictor" / DESCRIPTION
    description = json.loads(path.read_text())
    path.write_text(json.dumps({**description, "weights_sha256": artifacts.sha256_file(weights)}))
    left = set(range(IMAGES)) - {0, 2, 3}  # 00 is broken; 02 and 03 are one patient's
    assert scored_images(checkout, site) == [f"{number:02}.png" for number in sorted(left)]
    assert "2 images are left out" in " ".join(gathered(checkout, site).notes)


def test_corrections_count_and_are_said(checkout: Path, site: Path) -> None:
    before = gathered(checkout, site, "all")
    image = str(before.table["image"].iloc[1])  # the first is broken
    was = int(before.table["target_Mass"].iloc[1])
    (checkout / "corrections.csv").write_text(
        f"image,finding,label,reader,date,comment\n{image},Mass,{1 - was},ann,2026-01-01,\n"
    )
    after = gathered(checkout, site, "all")
    assert int(after.table["target_Mass"].iloc[1]) == 1 - was
    assert any("Labels of 1 images" in note for note in after.notes)
    assert not any("corrections.csv" in note for note in before.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("findings", "remarks", 1), "no labels: it needs a column"),
        (lambda text: text.replace("patient", "name", 1), "no column for the patient"),
        (lambda text: text.replace("Effusion", "Water", 1), "row 2: unknown label 'Water'"),
        (lambda text: text + text.splitlines()[5] + "\n", "stands in row 6 already"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_plain_words(
    checkout: Path, site: Path, change, message: str
) -> None:
    table = site / "labels.csv"
    table.write_text(change(table.read_text()))
    with pytest.raises(BadInput, match=message):
        run(site)


def test_a_box_outside_its_frame_is_told_before_anything_is_scored(
    checkout: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scored(*_: object) -> None:
        raise AssertionError("scored before the boxes were looked at")

    monkeypatch.setattr(Predictor, "predict", scored)
    boxes = site / "boxes.csv"
    boxes.write_text(
        "image,finding,x_px,y_px,w_px,h_px,frame_px\n"
        "01.png,Mass,1,1,4,4,32\n02.png,Effusion,20,3,15,8,32\n"
    )
    with pytest.raises(
        BadInput, match=r"row 3: the box of Effusion on 02\.png .*outside its frame"
    ):
        run(site)
    boxes.write_text(boxes.read_text().replace("20,3,15", "12,3,15"))
    with pytest.raises(AssertionError, match="before the boxes"):
        run(site)


def test_a_folder_without_readable_images_is_refused(checkout: Path, site: Path) -> None:
    for image in site.glob("*.png"):
        image.write_bytes(b"not an image")
    with pytest.raises(BadInput, match="no image is left to score"):
        run(site)


def test_a_missing_folder_and_an_unknown_source_are_refused(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        run(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="no source 'radiopaedia'"):
        evaluate(None, source="radiopaedia", from_path=None, output=None, split="auto")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_screen_fits_the_terminal_and_cuts_nothing(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    entry = {
        "positives": 12_345, "auc_score": 0.7, "auc_low": None, "auc_high": None,
        "auc_reason": "too few patients",
    }  # fmt: skip
    rates = {"sensitivity_score": 0.9, "specificity_score": 0.8}
    points = {"youden": {"findings": dict.fromkeys(FINDINGS, rates)}}
    mean = {**entry, "findings": 14, "calibration_error": 0.1, "calibration_before_error": 0.2}
    whole = {
        "predictor": "thorax:1", "source": "folder", "images": 1, "patients": 1, "notes": [],
        "trained_on": "nih",
        "findings": dict.fromkeys(FINDINGS, entry), "mean": mean,
        "operating_points": points, "refitted": {"operating_points": points}, "origin": {},
    }  # fmt: skip
    site_report.print_screen(whole, Path("report.html"))
    screen = capsys.readouterr().out
    table = [line for line in screen.splitlines() if line.startswith("│")]
    assert len(table) == 2 + len(FINDINGS) + 1
    assert "…" not in screen
    assert all(len(line) <= int(columns) for line in table)
    assert all("0.90  0.80   0.90  0.80" in line for line in table[2:-1])


def test_the_report_says_what_the_model_was_trained_on(
    checkout: Path, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkout / "artifacts/inference/predictor" / DESCRIPTION
    trained_on = {"source": "phantom", "images": 9}
    path.write_text(json.dumps({**json.loads(path.read_text()), "trained_on": trained_on}))
    run(site, output=tmp_path / "report")
    said = "trained on: phantom, not radiographs"
    assert said in capsys.readouterr().out
    assert said in (tmp_path / "report/report.html").read_text()
    assert json.loads((tmp_path / "report/metrics.json").read_text())["trained_on"] in said
