"""The stage as DVC runs it: what it refuses, what it writes, and that it writes the same twice."""

import json
import shutil
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from tests.release import bench
from tests.release.bench import Bench
from tests.serving import server
from thorax import artifacts
from thorax.release.bundle import MODULES


@pytest.fixture
def checkout(tmp_path: Path) -> Bench:
    return bench.make(tmp_path / "thorax")


def refusal(checkout: Bench, **environment: str) -> str:
    """The one line of a release that is refused and leaves nothing behind."""
    answer = checkout.release(**environment)
    assert answer.returncode == 2, answer.stderr
    assert answer.stdout == ""
    assert answer.stderr.startswith("release: ") and answer.stderr.count("\n") == 1
    assert not checkout.output.exists()
    return answer.stderr


def test_a_gate_that_said_no_stops_the_release(checkout: Bench) -> None:
    checkout.decide(verdict="fail", bless=False)
    assert "the gate's verdict is 'fail'" in refusal(checkout)


def test_a_pass_without_a_blessing_stops_the_release(checkout: Bench) -> None:
    checkout.decide(bless=False)
    assert "carries no blessing" in refusal(checkout)


def test_a_decision_changed_after_its_blessing_stops_the_release(checkout: Bench) -> None:
    path = checkout.path / "artifacts/gate/decision.json"
    path.write_text(path.read_text().replace('"value": 0.7', '"value": 0.9'))
    assert "one of the two was changed" in refusal(checkout)


def test_another_key_than_the_pinned_one_stops_the_release(checkout: Bench) -> None:
    assert "another key" in refusal(checkout, THORAX_BLESSING_PUBLIC_KEY="A" * 43 + "=")


def test_a_pass_on_a_waiver_that_has_ended_stops_the_release(checkout: Bench) -> None:
    checkout.decide(valid_until="2017-07-21")
    assert "2017-07-21" in refusal(checkout)


def test_another_predictor_than_the_judged_one_stops_the_release(checkout: Bench) -> None:
    bench.make_predictor(checkout.path / "artifacts/inference/predictor", seed=9)
    assert "not the file that the gate judged" in refusal(checkout)


def test_a_missing_decision_is_an_error_that_names_it(checkout: Bench) -> None:
    (checkout.path / "artifacts/gate/decision.json").unlink()
    answer = checkout.release()
    assert answer.returncode == 1
    assert "decision.json is missing" in answer.stderr and "Traceback" not in answer.stderr


def test_code_that_bentoml_cannot_load_is_an_error_without_a_traceback(checkout: Bench) -> None:
    (checkout.path / "serving/service.py").write_text("import nothing_of_that_name\n")
    answer = checkout.release()
    assert answer.returncode == 1
    assert "nothing_of_that_name" in answer.stderr and "Traceback" not in answer.stderr
    assert not checkout.output.exists()


def test_the_same_inputs_give_the_same_bytes_elsewhere_too(released: Bench, tmp_path: Path) -> None:
    again = Bench(tmp_path / "elsewhere")
    shutil.copytree(released.path, again.path, ignore=shutil.ignore_patterns("release.lock"))
    shutil.rmtree(again.path / "artifacts/release")
    assert again.release().returncode == 0
    assert again.manifest() == released.manifest()


def test_a_no_after_a_release_leaves_the_release_in_service(
    released: Bench, tmp_path: Path
) -> None:
    later = Bench(Path(shutil.copytree(released.path, tmp_path / "later")))
    shutil.rmtree(later.output)  # as DVC does before it runs the stage
    later.decide(verdict="fail", bless=False)
    assert "the gate's verdict is 'fail'" in refusal(later)
    kept = later.path / ".thorax/releases" / released.manifest()["version"]
    assert json.loads((kept / "manifest.json").read_text()) == released.manifest()
    assert (
        artifacts.sha256_file(kept / released.manifest()["bento"]) == released.manifest()["sha256"]
    )


def test_a_killed_stage_takes_its_build_along_and_the_next_clears_up(checkout: Bench) -> None:
    stage = subprocess.Popen(
        [sys.executable, "-m", "thorax.release"], cwd=checkout.path, env=checkout.environment()
    )
    build = wait_for_build(stage)
    try:
        build.suspend()  # so that it cannot end by itself
        stage.kill()
        assert server.ends_within([build], 10)
    finally:
        with suppress(psutil.NoSuchProcess):
            build.kill()
        stage.wait(10)
    scratch = (checkout.path / ".thorax/scratch/release").resolve()
    assert (scratch / "staged").is_dir()
    assert checkout.release().returncode == 0
    assert not scratch.exists()
    assert not list((checkout.path / ".thorax/scratch").iterdir())


def wait_for_build(stage: "subprocess.Popen[bytes]") -> psutil.Process:
    """BentoML's process below the stage's, once it runs."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and stage.poll() is None:
        for child in psutil.Process(stage.pid).children():
            with suppress(psutil.NoSuchProcess):
                if "bentoml" in child.cmdline():
                    return child
        time.sleep(0.01)
    raise AssertionError("the stage started no build")


def test_the_manifest_names_the_archive_and_carries_the_blessing(released: Bench) -> None:
    manifest = released.manifest()
    path = released.output / manifest["bento"]
    assert path.name == f"thorax-{manifest['version']}.bento"
    assert manifest["tag"] == f"thorax:{manifest['version']}"
    assert manifest["sha256"] == artifacts.sha256_file(path)
    assert manifest["blessing"] == released.decision()["blessing"]


def test_the_bento_holds_what_ships_and_nothing_else(released: Bench) -> None:
    with tarfile.open(released.output / released.manifest()["bento"]) as archive:
        names = {member.name for member in archive if member.isfile()}
    source = {name.removeprefix("src/") for name in names if name.startswith("src/")}
    serving = {
        str(file.relative_to(bench.ROOT))
        for file in (bench.ROOT / "serving").rglob("*")
        if file.suffix in (".py", ".html")
    }
    assert source == {
        *(f"thorax/{module}" for module in MODULES), *serving,
        "predictor/model.onnx", "predictor/predictor.json",
        "decision.json", "requirements.lock", "CARD.md", "bentofile.yaml", "seal.json",
    }  # fmt: skip
    assert {name.split("/")[0] for name in names} == {
        "src",
        "env",
        "apis",
        "bento.yaml",
        "README.md",
    }


def test_the_bento_names_our_lock_and_the_commit_s_time(released: Bench, tmp_path: Path) -> None:
    with tarfile.open(released.output / released.manifest()["bento"]) as archive:
        archive.extractall(tmp_path, filter="data")
    info = yaml.safe_load((tmp_path / "bento.yaml").read_text())
    lock = (bench.ROOT / "serving/requirements.lock").read_text()
    assert (tmp_path / "env/python/requirements.txt").read_text() == lock
    assert info["image"]["python_requirements"] == lock
    assert info["labels"] == released.manifest()["labels"]
    assert info["args"] == bench.SETTINGS["release"]["serving"]
    assert not any(str(released.path) in file.read_text() for file in tmp_path.rglob("*.yaml"))


def test_a_change_of_anything_that_ships_changes_the_version(
    released: Bench, tmp_path: Path
) -> None:
    changed = Bench(tmp_path / "changed")
    shutil.copytree(released.path, changed.path)
    shutil.rmtree(changed.output)
    params = json.loads(json.dumps(bench.SETTINGS))
    params["release"]["serving"]["threads"] = 2
    (changed.path / "params.yaml").write_text(yaml.safe_dump(params))
    assert changed.release().returncode == 0
    assert changed.manifest()["version"] != released.manifest()["version"]
