"""The command line as a whole: what its help shows, its version, and its exit statuses."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PANELS = {
    "First steps": ["retrain", "status", "doctor"],
    "Data": ["pull", "validate", "forget", "data"],
    "Labels": ["mine", "noise", "review"],
    "Model": ["score", "show", "evaluate"],
    "Production": ["serve", "schedule"],
    "Experiments": ["experiment", "tables"],
}


def thorax(*arguments: str, python: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *python, "-m", "thorax.cli.app", *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "COLUMNS": "100"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_version_is_the_packages() -> None:
    answer = thorax("--version")
    assert answer.returncode == 0
    assert answer.stdout == f"thorax {version('thorax')}\n"


def test_the_help_groups_every_command_in_working_order() -> None:
    answer = thorax("--help")
    assert answer.returncode == 0
    lines = [line.strip("│╭─╮ ") for line in answer.stdout.splitlines()]
    words = [line.split()[0] if line not in PANELS else line for line in lines if line]
    places = []
    for panel, commands in PANELS.items():
        places += [words.index(name) for name in (panel, *commands)]
    assert places == sorted(places)
    assert thorax().stdout == answer.stdout


def test_the_help_imports_no_heavy_library() -> None:
    answer = thorax("--help", python=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"numpy", "pandas", "torch", "prefect", "bentoml", "cv2", "sklearn"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("mine", "--no-such-option"),
        ("serve", "--port", "high"),
        ("data", "checkout"),
        ("data", "no-such-command"),
        ("evaluate", "--split"),
        ("show", "image.png"),
    ],
)
def test_wrong_usage_is_one_line_and_exits_64(arguments: tuple[str, ...]) -> None:
    answer = thorax(*arguments)
    assert answer.returncode == 64
    assert answer.stderr.count("\n") == 1
    assert "--help` shows the usage" in answer.stderr


def test_a_group_alone_shows_its_help() -> None:
    answer = thorax("data")
    assert answer.returncode == 64
    assert "checkout" in answer.stdout


def test_outside_a_checkout_a_command_says_so(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "THORAX_ROOT"}
    answer = subprocess.run(
        [sys.executable, "-m", "thorax.cli.app", "status"],
        env={**environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("thorax: ")
    assert answer.stderr.count("\n") == 1
