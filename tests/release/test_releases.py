"""What this machine keeps of its releases, and which one is the last."""

import json
import shutil
from pathlib import Path

import pytest

from thorax.release import releases


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    return tmp_path


def make(checkout: Path, version: str) -> Path:
    """A release of that version where the stage writes it, in the place of the one before."""
    folder = checkout / "artifacts/release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    manifest = {
        "tag": f"thorax:{version}", "version": version, "bento": f"thorax-{version}.bento",
        "sha256": "", "blessing": {},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / manifest["bento"]).write_text(f"bento of {version}")
    return folder


def versions(checkout: Path) -> set[str]:
    return {path.name for path in (checkout / ".thorax/releases").iterdir() if path.is_dir()}


def test_before_the_first_release_there_is_no_last_one() -> None:
    assert releases.last() is None


def test_a_kept_release_outlives_the_one_that_it_was_copied_from(checkout: Path) -> None:
    folder = make(checkout, "a")
    manifest = releases.keep(folder, kept=3)
    (folder / "thorax-a.bento").write_text("changed in place")
    shutil.rmtree(folder)
    assert releases.last() == manifest
    assert (manifest.parent / "thorax-a.bento").read_text() == "bento of a"


def test_only_the_newest_stay_and_the_last_is_one_of_them(checkout: Path) -> None:
    for version in "abcad":
        releases.keep(make(checkout, version), kept=3)
    assert versions(checkout) == {"d", "a", "c"}
    assert releases.last() == checkout / ".thorax/releases/d/manifest.json"


def test_keeping_it_again_changes_nothing_but_brings_it_to_the_front(checkout: Path) -> None:
    for version in "aba":
        releases.keep(make(checkout, version), kept=2)
    assert versions(checkout) == {"a", "b"}
    assert releases.is_last(make(checkout, "a"))
    assert not releases.is_last(make(checkout, "b"))


def test_a_copy_that_failed_leaves_the_last_one_in_service(checkout: Path) -> None:
    first = releases.keep(make(checkout, "a"), kept=1)
    second = make(checkout, "b")
    (second / "thorax-b.bento").unlink()
    with pytest.raises(FileNotFoundError):
        releases.keep(second, kept=1)
    assert releases.last() == first
    assert versions(checkout) == {"a"}


def test_what_a_killed_run_left_behind_goes_with_the_next_release(checkout: Path) -> None:
    (checkout / ".thorax/releases/.a.x.tmp").mkdir(parents=True)
    releases.keep(make(checkout, "a"), kept=1)
    assert versions(checkout) == {"a"}
