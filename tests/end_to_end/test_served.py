"""The bento that the loop made, served away from the checkout: it answers as it was scored."""

import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from tests.end_to_end.conftest import Finished
from tests.serving import server
from thorax import images
from thorax.inference.predictor import Predictor

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter that has what the bento's lock names and nothing else."""
    return server.environment_python()


@pytest.fixture(scope="module")
def served(
    finished: Finished, python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of the loop's bento, imported into a BentoML home away from the checkout."""
    assert finished.run.returncode == 0, finished.run.stdout + finished.run.stderr
    home = tmp_path_factory.mktemp("hospital")
    manifest = finished.checkout.json("artifacts/release/manifest.json")
    (archive,) = (finished.checkout.path / "artifacts/release").glob("*.bento")
    answer = subprocess.run(
        [python, "-m", "bentoml", "import", archive],
        cwd=home, env=server.clean_environment(home), capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    key = manifest["blessing"]["public_key"]
    with server.serving(
        python, manifest["tag"], home, THORAX_BLESSING_PUBLIC_KEY=key
    ) as client:  # fmt: skip
        assert client.get("/readyz").status_code == 200
        yield client


@pytest.fixture(scope="module")
def scored(finished: Finished) -> pd.DataFrame:
    """The predictions of the loop: a row per test image, a column per finding."""
    path = finished.checkout.path / "artifacts/inference/predictions.parquet"
    predictions = pd.read_parquet(path)
    test = predictions[predictions["split"] == "test"]
    return test.pivot(index="image", columns="finding", values="probability")


def pulled_image(data: Path, name: str) -> bytes:
    """The bytes of one image as `thorax pull` brought them."""
    for path in sorted(data.glob("images/*.tar")):
        with tarfile.open(path) as archive:
            if name in archive.getnames():
                return archive.extractfile(name).read()  # type: ignore[union-attr]
    raise AssertionError(f"{name} was scored but is in no archive of {data}")


def test_what_is_served_is_what_was_scored_and_what_the_predictor_says(
    finished: Finished, served: httpx.Client, scored: pd.DataFrame
) -> None:
    image = str(scored.index[0])
    content = pulled_image(finished.checkout.path / "data", image)
    predictor = Predictor.load(finished.checkout.path / "artifacts/inference/predictor")
    pixels = images.to_frame(images.decode(content).pixels, predictor.size_px)
    expected = predictor.predict(pixels[None]).probabilities[0]  # [F]

    answer = served.post("/predict", files={"image": (image, content)})
    assert answer.status_code == 200, answer.text
    assert (
        answer.json()["model"] == finished.checkout.json("artifacts/release/manifest.json")["tag"]
    )
    rows = answer.json()["findings"]
    assert [row["finding"] for row in rows] == list(predictor.findings)
    probabilities = [row["probability"] for row in rows]
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-6)
    recorded = scored.loc[image, list(predictor.findings)].to_numpy(float)
    np.testing.assert_allclose(probabilities, recorded, rtol=0, atol=1e-6)


@pytest.mark.parametrize("library", ["torch", "prefect", "dvc"])
def test_the_environment_that_serves_has_no_training_code(
    library: str, python: Path, tmp_path: Path
) -> None:
    answer = subprocess.run(
        [python, "-c", f"import {library}"],
        cwd=tmp_path, env=server.clean_environment(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert f"No module named '{library}'" in answer.stderr
