"""A checkout in miniature, with everything up to a blessed decision, and how to run it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from thorax import blessing
from thorax.findings import FINDINGS

ROOT = Path(__file__).resolve().parents[2]
SIZE_PX = 32
CELLS = 4  # the heatmaps are CELLS x CELLS

SETTINGS = {
    "release": {
        "compression": 0,
        "python_version": "3.11",
        "serving": {
            "workers": 1,
            "threads": 1,
            "max_upload_bytes": 200_000,
            "max_concurrency": 8,
            "timeout_s": 30,
            "upload_grace_s": 2,
            "upload_bytes_per_s_min": 100_000,
        },
    }
}


@dataclass(frozen=True)
class Bench:
    """The miniature checkout, and what runs in it."""

    path: Path

    def release(self, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the stage as DVC would."""
        return self.python("-m", "thorax.release", **environment)

    def python(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def environment(self, **more: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("THORAX_")}
        return {**kept, "PYTHONPATH": str(self.path / "src"), **more}

    @property
    def output(self) -> Path:
        return self.path / "artifacts/release"

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.output / "manifest.json").read_text())

    def decision(self) -> dict[str, Any]:
        return json.loads((self.path / "artifacts/gate/decision.json").read_text())

    def public_key(self) -> str:
        return str(self.decision()["blessing"]["public_key"])

    def decide(self, *, bless: bool = True, **changes: Any) -> None:
        """Write a decision about the predictor that lies here, signed when `bless`."""
        folder = self.path / "artifacts/inference/predictor"
        decision: dict[str, Any] = {
            "verdict": "pass",
            "rules": [_rule()],
            "inputs": {
                f"artifacts/inference/predictor/{file.name}": _sha256(file.read_bytes())
                for file in sorted(folder.iterdir())
            },
            "valid_until": None,
            **changes,
        }  # fmt: skip
        key = blessing.load_or_make_key(self.path / ".thorax/keys/blessing.pem")
        signature = blessing.sign(decision, key) if bless else None
        _write_json(self.path / "artifacts/gate/decision.json", {**decision, "blessing": signature})

    def commit(self) -> str:
        """Make the checkout a git repository with one commit; returns it."""
        who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "bench"]):
            subprocess.run(["git", *command], cwd=self.path, check=True)
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=self.path, check=True, capture_output=True, text=True
        )
        return answer.stdout.strip()


def make(path: Path) -> Bench:
    """Lay the miniature checkout out at `path`."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", path / "src", ignore=ignore)
    shutil.copytree(ROOT / "serving", path / "serving", ignore=ignore)
    (path / ".gitignore").write_text("/.thorax/\n/artifacts/\n/data/\n__pycache__/\n")
    (path / "dvc.yaml").write_text("stages: {}\n")
    (path / "params.yaml").write_text(yaml.safe_dump(SETTINGS))
    (path / "requirements.lock").write_text("")
    (path / "data.dvc").write_text(
        yaml.safe_dump({"outs": [{"md5": "0f" * 16 + ".dir", "path": "data"}]})
    )
    _write_json(path / "data/source.json", {"source": "phantom", "licence": "CC0-1.0"})
    _write_json(path / "artifacts/evaluation/metrics.json", _metrics())
    make_predictor(path / "artifacts/inference/predictor")
    bench = Bench(path)
    bench.decide()
    return bench


def make_predictor(folder: Path, *, seed: int = 8) -> None:
    """A linear model in ONNX: cell means of the image, weighted per finding."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    step = SIZE_PX // CELLS
    weight = rng.normal(size=(len(FINDINGS), 1, 1, 1)).astype(np.float32) / 64
    nodes = [
        helper.make_node("Cast", ["pixels"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node(
            "AveragePool", ["levels"], ["cells"], kernel_shape=[step, step], strides=[step, step]
        ),
        helper.make_node("Conv", ["cells", "weight"], ["heatmaps"]),
        helper.make_node("GlobalMaxPool", ["heatmaps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["logits"]),
    ]
    f = len(FINDINGS)
    graph = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["B", 1, SIZE_PX, SIZE_PX])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", f]),
            helper.make_tensor_value_info("heatmaps", TensorProto.FLOAT, ["B", f, CELLS, CELLS]),
        ],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))
    _write_json(folder / "predictor.json", _predictor_json((folder / "model.onnx").read_bytes()))


def _predictor_json(graph: bytes) -> dict[str, Any]:
    thresholds: dict[str, float | None] = dict.fromkeys(FINDINGS, 0.5)
    thresholds["Hernia"] = None
    return {
        "findings": list(FINDINGS),
        "size_px": SIZE_PX,
        "frame_px": 1024,
        "calibration": {name: {"scale": 0.5, "bias": 0.1, "reason": ""} for name in FINDINGS},
        "thresholds": thresholds,
        "trained_on": {"source": "phantom", "images": 60},
        "weights_sha256": _sha256(b"bench"),
        "model_sha256": _sha256(graph),
    }


def _metrics() -> dict[str, Any]:
    scored = {
        finding: {
            "auc_score": 0.7, "auc_low": 0.6, "auc_high": 0.8, "average_precision_score": 0.3,
            "positives": 12, "negatives": 88, "reason": "",
        }
        for finding in FINDINGS
    }  # fmt: skip
    undefined = dict.fromkeys(("auc_score", "auc_low", "auc_high", "average_precision_score"))
    scored["Hernia"] |= {**undefined, "positives": 0, "reason": "no positives"}  # type: ignore[operator]
    mean = {"auc_score": 0.7, "auc_low": 0.65, "auc_high": 0.75, "findings": 13}
    return {
        "split": "test", "images": 100, "patients": 40, "replicates": 100,
        "findings": scored, "mean": mean,
    }  # fmt: skip


def _rule() -> dict[str, Any]:
    return {
        "rule": "mean_auc", "finding": None, "metric": "mean_auc", "value": 0.7, "low": 0.65,
        "high": 0.75, "bound": 0.5, "positives": None, "verdict": "pass", "reason": "",
    }  # fmt: skip


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))
