"""Which predictor `thorax evaluate` takes: by tag, bento or folder, and what it says of each."""

import tarfile
from pathlib import Path

import pytest

from thorax import artifacts
from thorax.cli import site_release
from thorax.errors import BadInput
from thorax.inference.predictor import DESCRIPTION, MODEL


def test_a_predictor_is_found_by_tag_bento_and_folder(checkout: Path, tmp_path: Path) -> None:
    current = site_release.find(None, tmp_path / "scratch")
    release = checkout / ".thorax/releases/abc123"
    release.mkdir(parents=True)
    bento = release / "thorax-abc123.bento"
    with tarfile.open(bento, "w:xz") as tar:
        tar.add(current.folder, "src/predictor")
    manifest = {"tag": "thorax:abc123", "bento": bento.name, "sha256": artifacts.sha256_file(bento)}
    artifacts.write_json(release / "manifest.json", manifest)
    for name in ("thorax:abc123", "abc", str(bento), str(release), str(current.folder)):
        found = site_release.find(name, tmp_path / "scratch")
        for file in (MODEL, DESCRIPTION):
            assert (found.folder / file).read_bytes() == (current.folder / file).read_bytes()
    with pytest.raises(BadInput, match="releases on this machine: thorax:abc123"):
        site_release.find("thorax:zzz", tmp_path / "scratch")
    bento.write_bytes(b"other")
    with pytest.raises(BadInput, match="or has another"):
        site_release.find("abc123", tmp_path / "scratch")
    with pytest.raises(BadInput, match="no whole"):
        site_release.find(str(bento), tmp_path / "scratch")


def test_the_waivers_behind_a_bento_and_behind_the_current_predictor_are_said(
    checkout: Path, tmp_path: Path
) -> None:
    waiver = {
        "expectation": "a: b",
        "reason": "typos",
        "person": "A Reader",
        "expires": "2027-01-31",
    }
    current = site_release.find(None, tmp_path / "scratch").folder
    decision = tmp_path / "decision.json"
    artifacts.write_json(decision, {"waivers": [waiver]})
    bento = tmp_path / "with-waiver.bento"
    with tarfile.open(bento, "w:xz") as tar:
        tar.add(current, "src/predictor")
        tar.add(decision, "src/decision.json")
    [said] = site_release.waivers(site_release.find(str(bento), tmp_path / "scratch").folder)
    assert "'a: b'; A Reader accepts that until 2027-01-31: typos" in said
    verdict = checkout / "artifacts/validation/verdict.json"
    used = [{**waiver, "used": True}]
    content = {"verdict": "accept", "waivers": used, "valid_until": waiver["expires"]}
    artifacts.write_json(verdict, content)
    assert site_release.waivers(current) == [said]
    verdict.unlink()
    assert site_release.waivers(current) == []


def test_without_any_predictor_the_ways_to_one_are_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "artifacts/inference/predictor" / DESCRIPTION).unlink()
    with pytest.raises(BadInput, match="make retrain"):
        site_release.find(None, tmp_path)
