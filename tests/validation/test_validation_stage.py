"""The stage: a refusal is an output, and nothing is touched outside the checkout."""

import os
import subprocess
import sys
from pathlib import Path

from thorax import artifacts

REPOSITORY = Path(__file__).parents[2]


def run_stages(root: Path, *rooms: str) -> subprocess.CompletedProcess[str]:
    home = root / "home"
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "THORAX_ROOT": str(root)}
    environment["PYTHONPATH"] = f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"
    for room in rooms:
        done = subprocess.run(
            [sys.executable, "-m", room], cwd=root, env=environment, capture_output=True, text=True
        )
    return done


def test_the_stage_refuses_with_exit_0_and_touches_no_home(tiny_checkout: Path) -> None:
    path = tiny_checkout / "data" / "entries.csv"
    table = artifacts.read_csv(path)
    table.loc[5, "age_years"] = "413"
    table.to_csv(path, index=False)
    done = run_stages(tiny_checkout, "thorax.reports", "thorax.dataset", "validation")
    assert done.returncode == 0, done.stderr
    answer = artifacts.read_json(tiny_checkout / "artifacts" / "validation" / "verdict.json")
    assert answer["verdict"] == "refuse"
    assert "row 7, image train_005.png" in done.stderr
    assert "the data is refused" in done.stderr
    assert (tiny_checkout / "artifacts" / "validation" / "docs" / "index.html").is_file()
    assert list((tiny_checkout / "home").rglob("*")) == []


def test_a_missing_manifest_is_one_plain_line(tiny_checkout: Path) -> None:
    done = run_stages(tiny_checkout, "thorax.reports", "validation")
    assert done.returncode == 1
    assert "manifest.parquet is missing" in done.stderr
    assert "Traceback" not in done.stderr
