"""`thorax forget --erase`: nothing of them is left in the cache, the remote and this machine."""

import hashlib
import io
import json
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from flows import dvc
from tests.forget.conftest import Done, Site, bytes_of, copy, git, image, objects, png
from thorax import artifacts
from thorax.cli.forget import forget
from thorax.errors import ThoraxError

DIGESTS = {hashlib.sha256(png(number)).hexdigest() for number in (6, 7)}
NAMES = (image(6).encode(), image(7).encode(), b"scan_0006", b"Study 6.")


def holds(content: bytes) -> bool:
    """Written apart from the code that erases: names, texts, pixels, wherever they are packed."""
    if content[:4] == b"PAR1":
        table = pd.read_parquet(io.BytesIO(content))
        content = table.to_csv().encode()
        return any(name in content for name in NAMES) or ",P3," in table.to_csv()
    if content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = [archive.extractfile(member).read() for member in archive]  # type: ignore
        if any(hashlib.sha256(file).hexdigest() in DIGESTS for file in files):
            return True
    return any(name in content for name in (*NAMES, png(6), png(7))) or b",P3," in content


def test_the_search_of_these_tests_finds_the_patient_before(made: Site) -> None:
    for store in (made.cache, made.remote):
        assert sum(map(holds, objects(store).values())) > 8


@pytest.mark.parametrize("store", ["cache", "remote"])
def test_no_object_of_theirs_is_left_in_a_store(erased: Done, store: str) -> None:
    left = objects(getattr(erased.site, store))
    assert [digest for digest, content in left.items() if holds(content)] == []
    before = getattr(erased, store)
    gone = [before[digest] for digest in before.keys() - left.keys()]
    drawn = [content for content in gone if content.startswith((b"a drawing of", b"<ul>"))]
    assert len(drawn) == 4  # a picture or page of either version may show them, named or not
    assert all(holds(content) for content in gone if content not in drawn)


def test_everybody_elses_data_stay(erased: Done) -> None:
    assert (erased.site.data / "images/0001.tar").read_bytes() == erased.before["images/0001.tar"]
    kept = {name: hashlib.md5(content).hexdigest() for name, content in erased.before.items()
            if name.startswith("images/") and name != "images/0002.tar"}  # fmt: skip
    assert set(kept.values()) <= objects(erased.site.cache).keys()
    assert set(kept.values()) <= objects(erased.site.remote).keys()


def test_nothing_of_theirs_is_left_in_the_checkout(erased: Done) -> None:
    skipped = (".dvc/cache", ".git/")
    left = [name for name, content in bytes_of(erased.site.root).items()
            if not name.startswith(skipped) and holds(content)]  # fmt: skip
    assert left == []
    pixels = [path.name for path in (erased.site.root / ".thorax/pixels").iterdir()]
    archive = hashlib.sha256(erased.before["images/0002.tar"]).hexdigest()[:16]
    assert pixels and not any(name.startswith(archive) for name in pixels)


def test_it_says_that_nothing_is_left_and_what_it_cannot_reach(erased: Done) -> None:
    assert "searched again by name and digest: nothing of them is left" in erased.said
    assert "corrections.csv names their images" in erased.said
    for words in ("clones, copies", "backups", "git history", "the source itself"):
        assert words in erased.said


def test_the_receipt_has_digests_and_no_name_and_no_journal_stays(erased: Done) -> None:
    (receipt,) = (erased.site.root / ".thorax/forget").iterdir()
    digests = artifacts.read_json(receipt)["objects"]
    assert set(digests) == erased.cache.keys() - objects(erased.site.cache).keys()
    assert not holds(receipt.read_bytes())


def test_the_new_version_is_run_pushed_and_pulled_elsewhere(
    erased: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = copy(erased, tmp_path, monkeypatch)
    site.repro()
    manifest = pd.read_parquet(site.root / "artifacts/dataset/manifest.parquet")
    assert len(manifest) == 14 and manifest["readable"].all()
    here = bytes_of(site.data), bytes_of(site.root / "artifacts")
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(site.root), str(other)], check=True)
    monkeypatch.chdir(other)
    monkeypatch.setenv("THORAX_ROOT", str(other))
    dvc.write("pull", "--quiet")
    assert (bytes_of(other / "data"), bytes_of(other / "artifacts")) == here


_KILLED = """
import os, signal, sys
from thorax.cli.forget import forget
from thorax.errors import ThoraxError
def step(name):
    if name.startswith(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
forget("P3", source=None, erase=True, dry_run=False, yes=True, step=step)
"""


@pytest.mark.slow
def test_killed_before_any_step_the_same_command_goes_on_to_the_same_end(
    two: Site, erased: Done, capsys: pytest.CaptureFixture[str]
) -> None:
    log = two.root / ".thorax/predictions.jsonl"
    log.write_text("".join(json.dumps({"image": image(n)}) + "\n" for n in (5, 6)))
    for step in ("data", "commit", "object DVC", "object remote far"):
        command = [sys.executable, "-c", _KILLED, step]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == -signal.SIGKILL, (step, answer.stdout, answer.stderr)
    forget("P3", source=None, erase=True, dry_run=False, yes=True)
    for store in ("cache", "remote"):
        now, then = (objects(getattr(site, store)) for site in (two, erased.site))
        assert not any(map(holds, now.values()))
        differing = [now[digest] for digest in now.keys() - then.keys()]
        assert len(now) == len(then)
        # Another salt: another source.json, and another listing that names it.
        assert all(b"forgotten" in content or b"source.json" in content for content in differing)
    now, then = (bytes_of(site.data) for site in (two, erased.site))
    assert now.pop("source.json") != then.pop("source.json")
    assert now == then
    said = capsys.readouterr().out  # the last run alone: the first ones were killed
    assert "models that learned from their images" in said
    assert said.count("withdraw thorax:") == 2
    assert log.read_text() == json.dumps({"image": image(5)}) + "\n"
    assert len(git("log", "--format=%h", "--", "forgotten.csv").split()) == 1


def test_a_remote_that_does_not_answer_is_named_and_a_later_call_ends_it(
    two: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    config = two.root / ".dvc/config"
    config.write_text(config.read_text() + "['remote \"gone\"']\n    url = s3://bucket\n")
    with pytest.raises(ThoraxError, match="not everything is erased"):
        forget("P3", source=None, erase=True, dry_run=False, yes=True)
    said = capsys.readouterr().out
    assert "not looked into: remote gone (s3://bucket)" in said
    assert not any(map(holds, objects(two.remote).values()))
    receipt, journal = sorted(
        (two.root / ".thorax/forget").iterdir(), key=lambda path: -len(path.name)
    )
    assert image(6) in journal.read_text()
    first = set(artifacts.read_json(receipt)["objects"])
    git("commit", "-qam", "Another remote")
    config.write_text(config.read_text().replace("s3://bucket", "../../second"))
    late = two.top / "second/files/md5/ab"
    late.mkdir(parents=True)
    (late / "cdef0123456789abcdef0123456789").write_bytes(png(6))
    forget("P3", source=None, erase=True, dry_run=False, yes=True)
    assert list(late.iterdir()) == []
    assert not journal.exists()
    assert set(artifacts.read_json(receipt)["objects"]) == first | {
        "abcdef0123456789abcdef0123456789"
    }
