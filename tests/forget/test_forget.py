"""`thorax forget`: the next version is without the patient; what lies in DVC's stores stays."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from flows import versions
from tests.forget.conftest import Done, Site, bytes_of, copy, git, image, objects, png
from thorax.cli import versions as faces
from thorax.cli.forget import forget
from thorax.errors import BadInput, Refused
from thorax.sources import removal
from thorax.sources.packing import Packed


def run(patient: str, *, dry_run: bool = False) -> None:
    forget(patient, source=None, erase=False, dry_run=dry_run, yes=True)


def test_a_dry_run_lists_versions_models_and_bentos_and_changes_nothing(
    two: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    before = bytes_of(two.data), objects(two.cache), git("rev-parse", "HEAD")
    first, second = versions.digest_at("HEAD~2")[:12], versions.digest_at("HEAD")[:12]
    run("P3", dry_run=True)
    both = capsys.readouterr().out
    assert "patient of folder: 2 images, 2 reports" in both
    assert first in both and second in both
    assert both.count("2 train") == 2  # both models
    assert both.count("\n thorax:") == 2
    assert both.count("served by `thorax serve`") == 1
    logs = [line for line in both.splitlines() if line.startswith("prediction log: ")]
    assert [line.rpartition("/")[2] for line in logs] == ["predictions.parquet"]
    run("P7", dry_run=True)
    later = capsys.readouterr().out
    assert second in later and first not in later
    assert later.count("\n thorax:") == 1
    assert (bytes_of(two.data), objects(two.cache), git("rev-parse", "HEAD")) == before
    assert not (two.root / "forgotten.csv").exists()


def test_the_next_version_has_nothing_of_the_patient(forgotten: Done) -> None:
    for name, content in bytes_of(forgotten.site.data).items():
        for mark in (b"P3", image(6).encode(), image(7).encode(), png(6), png(7), b"Study 6."):
            assert mark not in content, (name, mark)


def test_only_the_archive_with_their_images_is_packed_again(forgotten: Done) -> None:
    after = bytes_of(forgotten.site.data)
    gone, new = forgotten.before.keys() - after.keys(), after.keys() - forgotten.before.keys()
    assert (gone, new) == ({"images/0002.tar"}, {"images/0005.tar"})
    kept = [name for name in forgotten.before if name.startswith("images/") and name in after]
    assert len(kept) == 3
    assert all(forgotten.before[name] == after[name] for name in kept)
    packed = Packed.open(forgotten.site.data / "images", {"0005.tar"})
    assert {name: packed.read(name) for name in packed.places} == {
        image(number): png(number) for number in (4, 5)
    }


def test_other_patients_rows_keep_their_bytes(forgotten: Done) -> None:
    after = bytes_of(forgotten.site.data)
    before = forgotten.before["entries.csv"].splitlines()
    assert after["entries.csv"].splitlines() == [line for line in before if b",P3," not in line]
    assert len(removal.read_tables(forgotten.site.data)["reports"]) == 14


def test_one_commit_holds_data_tombstone_and_corrections_and_names_nobody(forgotten: Done) -> None:
    shown = subprocess.run(
        ["git", "show", "--format=%s"], cwd=forgotten.site.root, capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    files = {line[6:] for line in shown.splitlines() if line.startswith("+++ b/")}
    assert files == {"corrections.csv", "data.dvc", "forgotten.csv"}
    assert "P3" not in shown
    added = [line for line in shown.splitlines() if line.startswith("+")]
    assert not any(image(6) in line for line in added)
    corrections = (forgotten.site.root / "corrections.csv").read_text()
    assert (image(6) in corrections, image(0) in corrections) == (False, True)


def test_earlier_versions_stay_until_they_are_erased(forgotten: Done) -> None:
    assert forgotten.cache.items() <= objects(forgotten.site.cache).items()
    assert forgotten.remote == objects(forgotten.site.remote)
    assert "earlier versions still hold them" in forgotten.said


def test_it_says_what_to_retrain_and_to_withdraw(forgotten: Done) -> None:
    assert "models that learned from their images" in forgotten.said
    assert forgotten.said.count("withdraw thorax:") == 2
    assert forgotten.said.count("it is what `thorax serve` starts") == 1


def test_no_pull_brings_the_patient_back_and_new_images_still_come(
    forgotten: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = copy(forgotten, tmp_path, monkeypatch)
    version = versions.current()
    assert not versions.pull_version(None).changed
    assert versions.current() == version
    site.add(16, 17)
    result = versions.pull_version(None)
    assert (result.images, result.new_images) == (16, 2)
    assert "P3" not in set(pd.read_csv(site.data / "entries.csv")["patient"])
    assert (site.data / "images/0006.tar").exists()


def test_an_earlier_version_brings_them_back_with_a_warning_until_the_next_pull(
    forgotten: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    site = copy(forgotten, tmp_path, monkeypatch)
    faces.checkout("HEAD~2")
    assert "it holds 1 forgotten patients: train nothing on it" in capsys.readouterr().out
    assert b"P3" in (site.data / "entries.csv").read_bytes()
    assert versions.pull_version(None).changed
    assert not any(
        b"P3" in content or png(6) in content for content in bytes_of(site.data).values()
    )


def test_forgetting_twice_makes_one_version(
    forgotten: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    site = copy(forgotten, tmp_path, monkeypatch)
    before = git("rev-parse", "HEAD"), (site.root / "forgotten.csv").read_text()
    run("P3")
    assert (git("rev-parse", "HEAD"), (site.root / "forgotten.csv").read_text()) == before
    assert "without them already" in capsys.readouterr().out


def test_an_unknown_patient_is_an_error_that_names_the_source(two: Site) -> None:
    with pytest.raises(BadInput, match="no patient 'P99' in any of 2 versions of source 'folder'"):
        run("P99")
    with pytest.raises(BadInput, match="--yes"):  # nobody is there to be asked
        forget("P3", source=None, erase=False, dry_run=False, yes=False)
    assert not (two.root / "forgotten.csv").exists()


def test_the_last_patient_is_refused_and_leaves_no_tombstone(two: Site) -> None:
    for number in range(7):
        removal.remove(two.data, f"P{number}", stones=[], per_archive=4, home=two.root / ".thorax")
    before = bytes_of(two.data)
    with pytest.raises(Refused, match="last patient"):
        run("P7")
    assert bytes_of(two.data) == before
    assert not (two.root / "forgotten.csv").exists()


_HOLDER = """
import sys
from pathlib import Path
from thorax.locks import hold
with hold(Path(sys.argv[1]), "dvc repro training"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_waits_for_who_holds_dvcs_lock_and_says_for_whom(two: Site) -> None:
    holding = [sys.executable, "-c", _HOLDER, str(two.root / ".thorax/dvc.lock")]
    command = [sys.executable, "-m", "thorax.cli.app", "forget", "P3", "--yes"]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(holding, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout and holder.stdin
        holder.stdout.readline()
        with subprocess.Popen(command, stderr=pipe, stdout=nothing, text=True) as waiting:
            assert waiting.stderr
            line = next(line for line in waiting.stderr if "waiting" in line)
            assert "waiting for dvc repro training (process" in line
            assert waiting.poll() is None
            holder.stdin.close()
            assert waiting.wait(200) == 0
    assert versions.current() != versions.digest_at("HEAD~1")
    assert versions.is_tracked()
