"""The whole loop in a temporary clone, with the network closed where this machine can close it."""

import json
import time

import pytest

from tests.end_to_end.checkout import can_close_network
from tests.end_to_end.conftest import Finished
from thorax.findings import FINDINGS

pytestmark = pytest.mark.end_to_end


def test_the_loop_ends_in_a_blessed_bento_and_says_so(finished: Finished) -> None:
    assert finished.run.returncode == 0, finished.run.stdout + finished.run.stderr
    manifest = finished.checkout.json("artifacts/release/manifest.json")
    decision = finished.checkout.json("artifacts/gate/decision.json")
    assert decision["verdict"] == "pass"
    assert decision["blessing"]
    for said in ("dataset", "label quality", "95% interval", "gate", manifest["tag"], "make serve"):
        assert said in finished.run.stdout
    assert "Traceback" not in finished.run.stdout + finished.run.stderr


def test_every_finding_is_on_the_screen_with_its_auc(finished: Finished) -> None:
    metrics = finished.checkout.json("artifacts/evaluation/metrics.json")
    assert set(metrics["findings"]) == set(FINDINGS)
    for row in metrics["findings"].values():
        if row["auc_score"] is not None:
            assert f"{row['auc_score']:.3f}" in finished.run.stdout


def test_the_loop_needs_no_network(finished: Finished) -> None:
    if not can_close_network():
        pytest.skip("this machine lets nobody make a network namespace (unshare -rn)")
    assert finished.checkout.closed
    assert finished.run.returncode == 0
    asked = finished.checkout.requests
    assert not asked.exists(), f"asked of a proxy: {asked.read_text()}"


def test_a_second_retrain_does_nothing_and_prints_the_same_screen(finished: Finished) -> None:
    before = (finished.checkout.path / "dvc.lock").read_bytes()
    started = time.monotonic()
    second = finished.checkout.run("retrain")
    seconds = time.monotonic() - started
    assert second.returncode == 0, second.stderr
    assert "Nothing to do" in second.stdout
    assert "Starting Prefect" not in second.stdout
    assert seconds < 10
    assert (finished.checkout.path / "dvc.lock").read_bytes() == before
    panel = finished.run.stdout[finished.run.stdout.index("╭") :]
    assert second.stdout[second.stdout.index("╭") :] == panel


def test_data_and_artifacts_are_in_the_dvc_remote(finished: Finished) -> None:
    remote = finished.checkout.path / ".thorax/remote/files/md5"
    lock = (finished.checkout.path / "dvc.lock").read_text()
    digests = [line.split()[-1] for line in lock.splitlines() if line.strip().startswith("md5:")]
    outs = [digest for digest in digests if digest.endswith(".dir")]
    present = [digest for digest in outs if (remote / digest[:2] / digest[2:]).exists()]
    assert len(present) >= 9, f"{len(present)} of {len(outs)} folders were pushed"


def test_status_names_version_verdict_and_the_missing_champion(finished: Finished) -> None:
    status = finished.checkout.run("status")
    assert status.returncode == 0, status.stderr
    assert "nothing" in status.stdout
    assert "pass" in status.stdout
    assert "production.yaml names no release" in status.stdout


def test_the_record_says_how_long_each_stage_took(finished: Finished) -> None:
    lines = (finished.checkout.path / ".thorax/stages.jsonl").read_text().splitlines()
    stages = [json.loads(line)["stage"] for line in lines]
    assert stages[:3] == ["reports", "dataset", "validation"]
    assert stages[-1] == "release"
