"""A temporary clone of this checkout, with small settings, and the commands that run in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml

ROOT = Path(__file__).resolve().parents[2]
CLOSE = ["unshare", "-rn", sys.executable, str(Path(__file__).with_name("closed_network.py"))]
# Where onnxruntime finds one of these it sends nothing, and would hide what it sends elsewhere.
CI_VARIABLES = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "BUILD_ID", "JENKINS_URL", "TEAMCITY_VERSION")

SMALL: dict[str, Any] = {
    "sources": {"phantom": {"patients": 60, "size_px": 128}},
    "dataset": {"size_px": 64},
    # Clones are compared with each other, and each would measure for itself which is faster.
    "training": {"epochs": 2, "patience_epochs": 2, "precision": "float32"},
    "evaluation": {"replicates": 100},
    # What a gate refuses is tested in tests/gate; here the loop must reach its end.
    "gate": {
        "rules": [
            {"metric": "validation", "verdict": "accept"},
            {"metric": "mean_auc", "min": 0.3},
        ]
    },
}  # fmt: skip


@dataclass(frozen=True)
class Checkout:
    """A clone, and how to run the command line in it."""

    path: Path
    closed: bool = False

    @property
    def said(self) -> Path:
        """Where a started command writes; ignored by git, as what is new would be another run."""
        return self.path / ".thorax/run.log"

    def command(self, *arguments: str) -> list[str]:
        thorax = [sys.executable, "-m", "thorax.cli.app", *arguments]
        if self.closed:
            return [*CLOSE, str(self.requests), *thorax]
        return thorax

    @property
    def requests(self) -> Path:
        """What a closed checkout's commands asked a proxy for, a line per request."""
        return self.path / ".thorax/requests.log"

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        for name in ("THORAX_ROOT", *CI_VARIABLES):
            kept.pop(name, None)
        return {**kept, "PYTHONPATH": f"{self.path / 'src'}:{self.path}", "COLUMNS": "120"}

    def run(self, *arguments: str, timeout_s: float = 900) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command that writes to `said`: an orphan of it would hold a pipe open."""
        self.said.parent.mkdir(exist_ok=True)
        with self.said.open("wb") as log:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.path,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text())

    def results(self) -> dict[str, Any]:
        """What "the same result" means: predictions, metrics and verdict."""
        decision = self.json("artifacts/gate/decision.json")
        predictions = pd.read_parquet(self.path / "artifacts/inference/predictions.parquet")
        return {
            "predictions": predictions.to_dict("list"),
            "metrics": self.json("artifacts/evaluation/metrics.json"),
            "verdict": decision["verdict"],
            "rules": decision["rules"],
        }

    def processes(self, marker: str) -> Iterator[psutil.Process]:
        """Live processes of this clone whose command line holds `marker`."""
        for process in psutil.process_iter(["cmdline", "status"]):
            try:
                line = " ".join(process.info["cmdline"] or [])
                alive = process.info["status"] != psutil.STATUS_ZOMBIE
                if alive and marker in line and Path(process.cwd()) == self.path:
                    yield process
            except (psutil.Error, OSError):
                continue


def clone(
    target: Path, *, closed: bool = False, settings: dict[str, Any] | None = None
) -> Checkout:
    """Clone this checkout as it is in the working tree, and set small values in its params."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
    listing = ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, target / name)
        else:
            (target / name).unlink(missing_ok=True)
    path = target / "params.yaml"
    params = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(_merged(params, SMALL if settings is None else settings)))
    (target / ".thorax").mkdir(exist_ok=True)
    return Checkout(target.resolve(), closed)


def can_close_network() -> bool:
    """Whether this machine lets us make a network namespace."""
    if shutil.which("unshare") is None:
        return False
    probe = [*CLOSE, os.devnull, "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _merged(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in values.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
