"""`thorax validate`: its screen, and its exit status as a script sees it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from thorax import artifacts
from thorax.cli.validate import screen

REPOSITORY = Path(__file__).parents[2]
INPUTS = {
    "thorax.reports": ["data/reports.csv"],
    "thorax.dataset": ["artifacts/reports", "data/entries.csv", "data/source.json"],
    "validation": ["artifacts/dataset", "data/entries.csv"],
}


def failed(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "table": "entries", "severity": "critical", "success": False,
            "observed": "1 of 42", "reason": "it matters", "waiver": None,
            "rows": [{"row": 9, "image": "07.png"}], **changes}  # fmt: skip


def shown(verdict: dict[str, Any], ended: str = "") -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(screen(verdict, ended))
    return captured.get()


def test_the_screen_says_what_refuses_first_with_its_row() -> None:
    checks = [failed("the view is PA", severity="warning"), failed("the age is right")]
    said = shown({"verdict": "refuse", "checks": checks, "valid_until": None})
    assert "refused" in said
    assert said.index("critical: entries: does not hold: the age") < said.index("warning: entries")
    assert "first: row 9, image 07.png" in said


def test_the_screen_names_the_waiver_and_its_end() -> None:
    waiver = {"reason": "typos", "person": "A Reader", "expires": "2027-01-31"}
    verdict = {
        "verdict": "accept",
        "checks": [failed("the age is right", waiver=waiver)],
        "valid_until": "2027-01-31",
        "waivers": [{"expectation": "entries: the age is right", "used": True, **waiver}],
    }
    assert "accepted until 2027-01-31" in shown(verdict)
    assert "waived: entries" in shown(verdict)
    assert "A Reader accepts 'entries: the age is right' until 2027-01-31: typos" in shown(verdict)
    assert "refused: accepted only until 2027-01-31" in shown(verdict, "the waiver ended")


@pytest.fixture
def repository(tiny_checkout: Path) -> Path:
    """The tiny checkout as a git and DVC repository with the three stages."""
    stages = {}
    for module, inputs in INPUTS.items():
        room = module.rpartition(".")[2]
        stages[room] = {
            "cmd": f"exec {sys.executable} -m {module}",
            "deps": inputs,
            "params": [room],
            "outs": [f"artifacts/{room}"],
        }
    (tiny_checkout / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    params = yaml.safe_load((tiny_checkout / "params.yaml").read_text())
    params["validation"]["images"]["fault_share_max"] = 1.0  # the tiny images are noise, no chests
    (tiny_checkout / "params.yaml").write_text(yaml.safe_dump(params))
    history = tiny_checkout / "validation/history.json"
    history.parent.mkdir(exist_ok=True)
    history.write_text('{"versions": []}')
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        run(command, tiny_checkout)
    return tiny_checkout


def run(command: list[str], root: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    environment["PYTHONPATH"] = f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def validate(root: Path) -> "subprocess.CompletedProcess[str]":
    return run([sys.executable, "-m", "thorax.cli.app", "validate"], root)


@pytest.mark.slow
def test_the_exit_status_is_0_for_yes_2_for_no_and_1_when_nothing_was_judged(
    repository: Path,
) -> None:
    yes = validate(repository)
    assert yes.returncode == 0, yes.stdout + yes.stderr
    assert "accepted" in yes.stdout
    page = repository / "artifacts/validation/docs/summary.html"
    assert f"page: {page}" in yes.stdout.splitlines() and page.is_file()

    path = repository / "data/entries.csv"
    table = artifacts.read_csv(path)
    table.loc[5, "age_years"] = "413"
    table.to_csv(path, index=False)
    no = validate(repository)
    assert no.returncode == 2, no.stdout + no.stderr
    assert "first: image train_005.png, row 7, age_number 413" in no.stdout

    path.write_text(path.read_text() + "one,cell,too,few\n")
    broken = validate(repository)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "4 cells, the header has 10" in broken.stdout + broken.stderr
    assert "Traceback" not in broken.stderr


def test_without_data_nothing_is_judged(tmp_path: Path) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    answer = validate(tmp_path)
    assert answer.returncode == 1
    assert "no data has been pulled yet" in answer.stderr
