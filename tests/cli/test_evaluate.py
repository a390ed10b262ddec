"""`thorax evaluate` end to end: a folder of images and a table, a tiny predictor, a report."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from thorax import artifacts
from thorax.cli import site_release
from thorax.cli.evaluate import evaluate
from thorax.cli.site_data import SCORED, SiteData, gather
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference.predictor import (
    DESCRIPTION,
    MODEL,
    Calibration,
    Description,
    OperatingAim,
    OperatingPoint,
    Predictor,
)

REPOSITORY = Path(__file__).parents[2]
SIZE_PX = 32
IMAGES = 60
HEADER = "image,patient,age,sex,view,findings"


@pytest.fixture(scope="session")
def graph() -> bytes:
    """A graph whose every logit rises with the mean level: what is bright is called ill."""
    import onnx
    from onnx import TensorProto, helper

    ones = np.ones((1, len(FINDINGS), 1, 1), np.float32)
    constants = {
        "ones": ones,
        "middle": np.array(100, np.float32),
        "scale": np.array(0.1, np.float32),
        "axes": np.array([2, 3], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["levels", "ones"], ["heatmaps"]),
        helper.make_node("ReduceMean", ["heatmaps", "axes"], ["means"], keepdims=0),
        helper.make_node("Sub", ["means", "middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "scale"], ["logits"]),
    ]
    shape = ["b", 1, SIZE_PX, SIZE_PX]
    count = len(FINDINGS)
    made = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape)],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", count]),
            helper.make_tensor_value_info("heatmaps", TensorProto.FLOAT, ["b", count, 32, 32]),
        ],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: bytes) -> Path:
    """A checkout whose artifacts hold that predictor."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        text = (REPOSITORY / name).read_text()
        (root / name).write_text(text.replace("replicates: 1000", "replicates: 100"))
    folder = root / "artifacts/inference/predictor"
    folder.mkdir(parents=True)
    (folder / MODEL).write_bytes(graph)
    point = OperatingPoint(
        threshold=0.2, sensitivity=0.9, specificity=0.5, positives=9, negatives=9
    )
    description = Description(
        findings=FINDINGS,
        size_px=SIZE_PX,
        frame_px=1024,
        calibration={finding: Calibration() for finding in FINDINGS},
        thresholds=dict.fromkeys(FINDINGS, 0.5),
        operating_points={
            "screening": OperatingAim(
                measure="sensitivity", at_least=0.9, findings=dict.fromkeys(FINDINGS, point)
            )
        },
        weights_sha256="0" * 64,
        model_sha256=artifacts.sha256_bytes(graph),
    )
    (folder / DESCRIPTION).write_text(description.model_dump_json())
    monkeypatch.setenv("THORAX_ROOT", str(root))
    return root


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A hospital: 60 images of 30 patients; effusions are bright, the first image is broken."""
    folder = tmp_path / "hospital"
    folder.mkdir()
    rng = np.random.default_rng(5)
    rows = [HEADER]
    for number in range(IMAGES):
        ill = number % 3 == 0
        level = 95 + 10 * ill + rng.normal(0, 6)
        pixels = np.clip(rng.normal(level, 5, (40, 40)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:02}.png"), pixels)
        findings = "Effusion" if ill else "No Finding"
        rows.append(
            f"{number:02}.png,p{number // 2},{20 + number},{'FM'[number % 2]},PA,{findings}"
        )
    (folder / "00.png").write_bytes((folder / "00.png").read_bytes()[:200])
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


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


def test_a_predictor_is_found_by_tag_bento_and_folder(checkout: Path, tmp_path: Path) -> None:
    import tarfile

    current = site_release.find(None, tmp_path / "scratch")
    release = checkout / ".thorax/releases/abc123"
    release.mkdir(parents=True)
    bento = release / "thorax-abc123.bento"
    with tarfile.open(bento, "w:xz") as tar:
        tar.add(current.folder, "src/predictor")
    manifest = {"tag": "thorax:abc123", "bento": bento.name, "sha256": artifacts.sha256_file(bento)}
    artifacts.write_json(release / "manifest.json", manifest)
    for name in ("thorax:abc123", "abc", str(bento), str(release), str(current.folder)):
        found = site_release.find(name, tmp_path / "scratch")
        for file in (MODEL, DESCRIPTION):
            assert (found.folder / file).read_bytes() == (current.folder / file).read_bytes()
    with pytest.raises(BadInput, match="releases on this machine: thorax:abc123"):
        site_release.find("thorax:zzz", tmp_path / "scratch")
    bento.write_bytes(b"other")
    with pytest.raises(BadInput, match="or has another"):
        site_release.find("abc123", tmp_path / "scratch")
    with pytest.raises(BadInput, match="no whole"):
        site_release.find(str(bento), tmp_path / "scratch")


def test_the_waivers_behind_a_bento_and_behind_the_current_predictor_are_said(
    checkout: Path, tmp_path: Path
) -> None:
    import tarfile

    waiver = {
        "expectation": "a: b",
        "reason": "typos",
        "person": "A Reader",
        "expires": "2027-01-31",
    }
    current = site_release.find(None, tmp_path / "scratch").folder
    decision = tmp_path / "decision.json"
    artifacts.write_json(decision, {"waivers": [waiver]})
    bento = tmp_path / "with-waiver.bento"
    with tarfile.open(bento, "w:xz") as tar:
        tar.add(current, "src/predictor")
        tar.add(decision, "src/decision.json")
    [said] = site_release.waivers(site_release.find(str(bento), tmp_path / "scratch").folder)
    assert "'a: b'; A Reader accepts that until 2027-01-31: typos" in said
    verdict = checkout / "artifacts/validation/verdict.json"
    artifacts.write_json(verdict, {"verdict": "accept", "waivers": [{**waiver, "used": True}]})
    assert site_release.waivers(current) == [said]
    verdict.unlink()
    assert site_release.waivers(current) == []


def test_without_any_predictor_the_ways_to_one_are_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "artifacts/inference/predictor" / DESCRIPTION).unlink()
    with pytest.raises(BadInput, match="make retrain"):
        site_release.find(None, tmp_path)
