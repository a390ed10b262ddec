"""A checkout with a predictor of one number, and a hospital's folder, for `thorax evaluate`."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from thorax import artifacts
from thorax.findings import FINDINGS
from thorax.inference.predictor import (
    DESCRIPTION,
    MODEL,
    Calibration,
    Description,
    OperatingAim,
    OperatingPoint,
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
