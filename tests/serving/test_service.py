"""The bento away from the checkout, in an environment that has only what its lock names."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tests import image_files as files
from tests.release.bench import Bench
from tests.serving import films, server
from tests.serving.films import Grey
from thorax import blessing, images, seal
from thorax.findings import FINDINGS
from thorax.inference.boxes import paper_boxes
from thorax.inference.predictor import Predictor

LEVELS = films.phantom(height_px=90, width_px=70)
PNG = images.encode_png(LEVELS)
JPEG = bytes(cv2.imencode(".jpg", LEVELS)[1])


def post(client: httpx.Client, content: bytes, name: str = "x.png") -> httpx.Response:
    return client.post("/predict", files={"image": (name, content)})


@pytest.mark.parametrize("library", ["torch", "prefect", "dvc", "pandas", "thorax"])
def test_the_environment_has_no_training_code(library: str, python: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [python, "-c", f"import {library}"],
        cwd=tmp_path, env=server.clean_environment(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert f"No module named '{library}'" in answer.stderr


def test_it_is_alive_ready_and_measured(client: httpx.Client) -> None:
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200
    post(client, PNG)
    metrics = client.get("/metrics")
    assert metrics.status_code == 200
    assert 'bentoml_service_request_total{endpoint="/predict"' in metrics.text


@pytest.mark.parametrize("content", [PNG, JPEG], ids=["png", "jpeg"])
def test_what_is_served_is_what_the_predictor_says(
    content: bytes, client: httpx.Client, released: Bench
) -> None:
    predictor = Predictor.load(released.path / "artifacts/inference/predictor")
    pixels = images.to_frame(images.decode(content).pixels, predictor.size_px)
    expected = predictor.predict(pixels[None])
    answer = post(client, content).json()
    assert answer["model"] == released.manifest()["tag"]
    assert (answer["width_px"], answer["height_px"]) == (70, 90)
    assert [each["finding"] for each in answer["findings"]] == list(FINDINGS)
    served = [each["probability"] for each in answer["findings"]]
    np.testing.assert_allclose(served, expected.probabilities[0], atol=1e-6)


def test_a_finding_is_flagged_at_its_threshold_and_has_its_boxes(
    client: httpx.Client, released: Bench
) -> None:
    predictor = Predictor.load(released.path / "artifacts/inference/predictor")
    pixels = images.to_frame(LEVELS, predictor.size_px)
    heatmaps = predictor.predict(pixels[None]).heatmaps[0]
    answer = post(client, PNG).json()
    flagged = [each for each in answer["findings"] if each["flagged"]]
    assert flagged and len(flagged) < len(FINDINGS) - 1
    expected = []
    for each in answer["findings"]:
        known = each["threshold"] is not None
        assert each["flagged"] == (each["probability"] >= each["threshold"] if known else None)
        if each["flagged"]:
            heatmap = heatmaps[FINDINGS.index(each["finding"])]
            score, frame_px = each["probability"], predictor.frame_px
            expected += paper_boxes(
                heatmap, finding=each["finding"], frame_px=frame_px, score=score
            )
    assert answer["boxes"] == [pytest.approx(vars(box), abs=1e-4) for box in expected]


def test_a_finding_without_a_threshold_is_neither_flagged_nor_cleared(client: httpx.Client) -> None:
    hernia = post(client, PNG).json()["findings"][FINDINGS.index("Hernia")]
    assert (hernia["threshold"], hernia["flagged"]) == (None, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"hello", "neither PNG nor JPEG"),
        (PNG[:-20], "cut short"),
        (JPEG[:-200], "cut short"),
        (PNG.replace(b"IDAT", b"IDAX", 1), "checksum"),
    ],
    ids=["empty", "text", "cut png", "cut jpeg", "broken png"],
)
def test_a_bad_image_is_a_400_with_the_reason(
    content: bytes, reason: str, client: httpx.Client
) -> None:
    answer = post(client, content)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_an_image_cut_or_flipped_anywhere_is_never_a_500(client: httpx.Client) -> None:
    rng = np.random.default_rng(8)
    for base in (PNG, JPEG):
        for _ in range(40):
            broken = bytearray(base[: rng.integers(1, len(base) + 1)])
            broken[rng.integers(len(broken))] ^= 1 << int(rng.integers(8))
            assert post(client, bytes(broken)).status_code in (200, 400, 422)


MADE_TO_HARM = {
    "two frames": JPEG[:-2] + b"\xff\xff" + JPEG[2:],
    "two png headers": files.with_chunk(PNG, files.header(65_500, 65_500)),
    "half zeros": JPEG[: len(JPEG) // 2] + bytes(len(JPEG) // 2) + files.END,
    "cut and closed": JPEG[: len(JPEG) // 2] + files.END,
    "many scans": files.many_scans(1024, 2_000),
    "many pixels": files.blank_png(4_300, 4_200, bits=16, colour=6),
}


@pytest.mark.parametrize("content", MADE_TO_HARM.values(), ids=MADE_TO_HARM)
def test_a_file_made_to_harm_is_a_400(content: bytes, client: httpx.Client) -> None:
    answer = post(client, content)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


def test_an_image_stored_on_its_side_is_turned_and_the_answer_says_so(client: httpx.Client) -> None:
    upright = post(client, PNG).json()
    sideways = files.png(np.rot90(images.decode(PNG).pixels))
    turned = post(client, files.with_chunk(sideways, files.chunk(b"eXIf", files.exif(6)))).json()
    assert turned["findings"] == upright["findings"]
    assert "orientation-applied" in [each["code"] for each in turned["warnings"]]


def test_a_body_beyond_the_limit_is_a_413(client: httpx.Client) -> None:
    answer = post(client, bytes(300_000))
    assert answer.status_code == 413
    assert answer.json()["error"] == "larger than 200,000 bytes"


def test_requests_at_once_each_get_their_own_answer(client: httpx.Client) -> None:
    shades = [images.encode_png(LEVELS // 2 + 20 * k) for k in range(6)]
    alone = [post(client, shade).json() for shade in shades]
    with ThreadPoolExecutor(6) as pool:
        together = [answer.json() for answer in pool.map(lambda shade: post(client, shade), shades)]
    assert together == alone
    assert len({each["findings"][0]["probability"] for each in alone}) == 6


def test_the_page_is_ours_and_loads_nothing_from_outside(client: httpx.Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "not a medical device" in answer.text
    assert "//" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_pickles_are_refused(client: httpx.Client) -> None:
    headers = {"content-type": "application/vnd.bentoml+pickle"}
    assert client.post("/predict", content=b"x", headers=headers).status_code == 415


def copy_of_the_bento(released: Bench, hospital: Path, home: Path) -> Path:
    version = released.manifest()["version"]
    return Path(shutil.copytree(hospital / "bentos/thorax" / version, home / "bento"))


@pytest.mark.parametrize("name", ["predictor/predictor.json", "serving/answer.py"])
def test_a_bento_of_which_one_file_was_changed_serves_nothing(
    name: str, released: Bench, hospital: Path, python: Path, tmp_path: Path
) -> None:
    bento = copy_of_the_bento(released, hospital, tmp_path)
    path = bento / "src" / name
    path.write_text(path.read_text() + "\n")
    pinned = {"THORAX_BLESSING_PUBLIC_KEY": released.public_key()}
    with server.serving(python, str(bento), tmp_path, **pinned) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert f"src/{name} is not the file that was released" in ready.text
        answer = post(client, PNG)
        assert answer.status_code == 503
        assert answer.json()["error"] == ready.text


def test_a_bento_that_was_signed_with_another_key_than_the_pinned_one_serves_nothing(
    released: Bench, hospital: Path, python: Path, tmp_path: Path
) -> None:
    bento = copy_of_the_bento(released, hospital, tmp_path)
    forged = blessing.load_or_make_key(tmp_path / "forged.pem")
    decision = json.loads((bento / "src/decision.json").read_text())
    del decision["blessing"]
    signed = {**decision, "blessing": blessing.sign(decision, forged)}
    (bento / "src/decision.json").write_text(json.dumps(signed))
    seal.write(bento, forged, tag=released.manifest()["tag"])
    pinned = {"THORAX_BLESSING_PUBLIC_KEY": released.public_key()}
    with server.serving(python, str(bento), tmp_path, **pinned) as client:
        assert "another key" in client.get("/readyz").text
        assert "another key" in post(client, PNG).json()["error"]


def test_without_a_pinned_key_or_a_whole_decision_it_starts_and_says_why_it_is_not_ready(
    released: Bench, hospital: Path, python: Path, tmp_path: Path
) -> None:
    bento = copy_of_the_bento(released, hospital, tmp_path)
    (bento / "src/decision.json").write_text('{"blessing": "x", "verdict": "pass"}')
    with server.serving(python, str(bento), tmp_path) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "no public key is pinned" in ready.text
        assert client.get("/").status_code == 200
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


@pytest.mark.parametrize(("image", "code"), films.NO_FILMS.values(), ids=films.NO_FILMS)
def test_what_is_no_upright_chest_is_refused_with_the_reason(
    image: Grey, code: str, client: httpx.Client
) -> None:
    answer = post(client, images.encode_png(image))
    assert answer.status_code == 422
    assert code in {each["code"] for each in answer.json()["warnings"]}
    assert answer.json()["error"] and "findings" not in answer.json()


def test_an_image_that_only_looks_odd_is_scored_with_a_warning(client: httpx.Client) -> None:
    long = films.phantom(height_px=128, width_px=230)
    answer = post(client, images.encode_png(long))
    assert answer.status_code == 200
    [warning] = answer.json()["warnings"]
    assert warning["code"] == "elongated" and "1.8 times" in warning["text"]


def test_every_answer_says_what_the_model_was_trained_on(client: httpx.Client) -> None:
    answer = post(client, PNG).json()
    assert answer["trained_on"] == "phantom, not radiographs"
    assert answer["warnings"] == []
    assert "Trained on: phantom, not radiographs." in client.get("/").text
