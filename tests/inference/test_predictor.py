"""The predictor: calibrated probabilities, no training code, and folders that are wrong."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference.predictor import DESCRIPTION, MODEL, Predictor


def levels(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 64, 64), np.uint8)


def test_probabilities_are_the_calibrated_logits(predictor: Predictor) -> None:
    answer = predictor.predict(levels(3))
    expected = 1 / (1 + np.exp(-(2.0 * answer.logits.astype(np.float64) + 0.5)))
    np.testing.assert_allclose(answer.probabilities, expected, atol=1e-6)
    assert answer.probabilities.dtype == np.float32
    assert answer.probabilities.shape == (3, len(FINDINGS))
    assert answer.heatmaps.shape == (3, len(FINDINGS), 4, 4)


def test_an_images_score_does_not_depend_on_its_batch(predictor: Predictor) -> None:
    pixels = levels(5)
    alone = np.concatenate([predictor.predict(pixels[i : i + 1]).logits for i in range(5)])
    np.testing.assert_allclose(predictor.predict(pixels).logits, alone, atol=1e-5)


def test_it_says_what_it_is(predictor: Predictor) -> None:
    assert (predictor.size_px, predictor.frame_px) == (64, 1024)
    assert predictor.findings == FINDINGS
    assert predictor.thresholds["Mass"] == 0.5
    assert predictor.thresholds["Hernia"] is None


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((1, 32, 32), np.uint8),
        np.zeros((64, 64), np.uint8),
        np.zeros((1, 64, 64), np.float32),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(
    predictor: Predictor, pixels: np.ndarray
) -> None:
    with pytest.raises(BadInput, match=r"expected uint8 pixels of shape \[B, 64, 64\]"):
        predictor.predict(pixels)


def edit(**changes: object) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / DESCRIPTION
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return apply


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / MODEL).unlink(), r"model\.onnx cannot be read"),
        (lambda folder: (folder / DESCRIPTION).unlink(), r"predictor\.json cannot be read"),
        (lambda folder: (folder / DESCRIPTION).write_text("{"), r"predictor\.json: .*JSON"),
        (lambda folder: (folder / MODEL).write_bytes(b"other"), "is not the model that"),
        (edit(thresholds={}), "thresholds does not name exactly the findings"),
        (edit(size_px="wide"), "size_px"),
        (edit(surprise=1), "surprise"),
    ],
)
def test_a_folder_that_is_wrong_is_refused_by_name(
    predictor_folder: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(predictor_folder)
    with pytest.raises(BadInput, match=message):
        Predictor.load(predictor_folder)


def test_bytes_that_are_no_graph_are_refused_although_their_digest_fits(
    predictor_folder: Path,
) -> None:
    import hashlib

    (predictor_folder / MODEL).write_bytes(b"no graph")
    edit(model_sha256=hashlib.sha256(b"no graph").hexdigest())(predictor_folder)
    with pytest.raises(BadInput, match="is not an ONNX model"):
        Predictor.load(predictor_folder)


def test_it_loads_without_training_code_and_tables() -> None:
    """The bento's environment has neither; here they are made impossible to import."""
    code = """
import sys
for name in ("torch", "torchvision", "pandas", "pyarrow", "onnx", "sklearn"):
    sys.modules[name] = None
import thorax.inference.predictor, thorax.inference.boxes, thorax.inference.overlay
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
