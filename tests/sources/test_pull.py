import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tests.sources.conftest import Hospital, png
from thorax import artifacts
from thorax.errors import BadInput, ThoraxError
from thorax.sources.layout import COLUMNS


def _contents(data: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(data)): file.read_bytes()
        for file in sorted(data.rglob("*"))
        if file.is_file()
    }


def _members(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


def _packed(data: Path) -> dict[str, bytes]:
    images: dict[str, bytes] = {}
    for archive in sorted((data / "images").iterdir()):
        with tarfile.open(archive) as tar:
            for member in tar:
                assert member.name not in images
                images[member.name] = tar.extractfile(member).read()
    return images


def test_a_pull_packs_every_image_and_writes_every_table(hospital: Hospital) -> None:
    result = hospital.pull()
    assert (result.changed, result.images, result.new_images, result.archives) == (True, 7, 7, 3)
    assert _packed(hospital.data) == {f"{number:03d}.png": png(number) for number in range(7)}
    for name, columns in COLUMNS.items():
        lines = (hospital.data / f"{name}.csv").read_text().splitlines()
        assert lines[0] == ",".join(columns)
        assert len(lines) == (8 if name == "entries" else 1)


def test_source_json_holds_checksums_and_neither_time_nor_path(hospital: Hospital) -> None:
    hospital.pull()
    source = artifacts.read_json(hospital.data / "source.json")
    assert source["source"] == "folder"
    for name, facts in source["archives"].items():
        path = hospital.data / name
        assert facts == {
            "sha256": artifacts.sha256_file(path),
            "bytes": path.stat().st_size,
            "images": len(_members(path)),
        }
    for name, sha256 in source["tables"].items():
        assert sha256 == artifacts.sha256_file(hospital.data / name)
    assert str(hospital.folder) not in json.dumps(source)
    line = json.loads((hospital.home / "pulls.jsonl").read_text())
    assert line["from"] == str(hospital.folder) and line["source"] == "folder" and line["time"]


def test_the_same_images_give_the_same_bytes(hospital: Hospital, tmp_path: Path) -> None:
    hospital.pull()
    for file in hospital.folder.iterdir():
        os.utime(file, (1, 1))
    first = _contents(hospital.data)
    shutil.rmtree(hospital.data)
    hospital.pull()
    assert _contents(hospital.data) == first


def test_unchanged_content_leaves_every_byte_and_time(hospital: Hospital) -> None:
    hospital.pull()
    before = {path: path.stat() for path in [hospital.data, *hospital.data.rglob("*")]}
    result = hospital.pull()
    assert (result.changed, result.new_images, result.images) == (False, 0, 7)
    after = {path: path.stat() for path in [hospital.data, *hospital.data.rglob("*")]}
    assert {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in before.items()} == {
        path: (stat.st_ino, stat.st_mtime_ns) for path, stat in after.items()
    }
    assert not list(hospital.data.parent.glob(".data.*"))


def test_new_images_go_to_new_archives_and_old_ones_stay_as_they_are(hospital: Hospital) -> None:
    hospital.pull()
    old = _contents(hospital.data / "images")
    inodes = {path.name: path.stat().st_ino for path in (hospital.data / "images").iterdir()}
    hospital.add(100, 101)
    result = hospital.pull()
    assert (result.changed, result.new_images, result.images, result.archives) == (True, 2, 9, 4)
    new = _contents(hospital.data / "images")
    assert {name: new[name] for name in old} == old
    assert _members(hospital.data / "images/0004.tar") == ["100.png", "101.png"]
    assert all(
        (hospital.data / "images" / name).stat().st_ino == inode for name, inode in inodes.items()
    )


def test_a_table_that_changed_leaves_the_archives_alone(hospital: Hospital) -> None:
    hospital.pull()
    hospital.rows[0] = (*hospital.rows[0][:5], "Hernia")
    hospital.write_table()
    result = hospital.pull()
    assert result.changed and result.new_images == 0
    assert "000.png,P0,,57,M,PA,Hernia" in (hospital.data / "entries.csv").read_text()


def test_an_image_that_changed_replaces_its_archive_only(hospital: Hospital) -> None:
    hospital.pull()
    untouched = (hospital.data / "images/0002.tar").read_bytes()
    (hospital.folder / "001.png").write_bytes(png(1000))
    hospital.pull()
    packed = _packed(hospital.data)
    assert len(packed) == 7 and packed["001.png"] == png(1000)
    assert (hospital.data / "images/0002.tar").read_bytes() == untouched
    assert not (hospital.data / "images/0001.tar").exists()


def test_broken_images_are_packed_as_they_are(hospital: Hospital) -> None:
    (hospital.folder / "000.png").write_bytes(b"")
    (hospital.folder / "001.png").write_bytes(png(1)[:40])
    hospital.pull()
    packed = _packed(hospital.data)
    assert (packed["000.png"], packed["001.png"]) == (b"", png(1)[:40])


def test_read_only_archives_linked_elsewhere_are_never_written(
    hospital: Hospital, tmp_path: Path
) -> None:
    hospital.pull()
    cache = tmp_path / "cache"
    cache.mkdir()
    for archive in (hospital.data / "images").iterdir():
        archive.chmod(0o444)
        os.link(archive, cache / archive.name)
    before = _contents(cache)
    hospital.add(50)
    (hospital.folder / "001.png").write_bytes(png(1000))
    hospital.pull()
    assert _contents(cache) == before


def test_a_damaged_archive_is_packed_again(hospital: Hospital) -> None:
    hospital.pull()
    good = _contents(hospital.data)
    archive = hospital.data / "images/0002.tar"
    archive.write_bytes(archive.read_bytes()[:700])
    assert hospital.pull().changed
    assert _packed(hospital.data) == {f"{number:03d}.png": png(number) for number in range(7)}
    assert artifacts.read_json(hospital.data / "source.json")["tables"]
    assert _contents(hospital.data)["images/0001.tar"] == good["images/0001.tar"]


def test_a_failed_pull_leaves_the_last_good_version(hospital: Hospital) -> None:
    hospital.pull()
    before = _contents(hospital.data)
    hospital.add(200, findings="Massive")
    with pytest.raises(BadInput, match="unknown label 'Massive'"):
        hospital.pull()
    assert _contents(hospital.data) == before


def test_too_little_space_is_said_before_anything_is_written(hospital: Hospital, capsys) -> None:
    with pytest.raises(BadInput, match=r"pull needs .* 2 kB are free"):
        hospital.pull(free=lambda _: 2000)
    assert not hospital.data.exists()
    hospital.pull()
    assert "pull: needs" in capsys.readouterr().err


def test_a_full_disk_in_the_middle_is_a_plain_error(hospital: Hospital, monkeypatch) -> None:
    hospital.pull()
    before = _contents(hospital.data)
    hospital.add(300)

    def full(path: Path) -> str:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(artifacts, "sha256_file", full)
    with pytest.raises(ThoraxError, match="no disk space left"):
        hospital.pull()
    monkeypatch.undo()
    assert _contents(hospital.data) == before


def test_a_killed_pull_leaves_the_last_good_version_and_the_next_one_ends_it(
    hospital: Hospital,
) -> None:
    hospital.pull()
    before = _contents(hospital.data)
    hospital.add(*range(400, 430))
    for number in range(400, 430):
        os.truncate(hospital.folder / f"{number}.png", 8_000_000)  # long enough to be met at work
    script = hospital.checkout / "pull.py"
    script.write_text(
        "from pathlib import Path\n"
        "from thorax.sources.config import SourcesConfig\n"
        "from thorax.sources.pull import pull\n"
        f"config = SourcesConfig.model_validate_json({hospital.config().model_dump_json()!r})\n"
        f"pull(config, source=None, from_path=None, data=Path({str(hospital.data)!r}),"
        f" home=Path({str(hospital.home)!r}))\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    while not (at_work := list(hospital.checkout.glob(".data.*/images/*.packing"))):
        assert process.poll() is None
        time.sleep(0.001)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert at_work[0].exists()
    assert _contents(hospital.data) == before
    result = hospital.pull()
    assert (result.images, result.new_images) == (37, 30)
    assert not list(hospital.checkout.glob(".data.*"))


def test_a_version_caught_between_two_names_is_put_back(hospital: Hospital) -> None:
    hospital.pull()
    before = _contents(hospital.data)
    (hospital.checkout / ".data.x.old").mkdir()
    hospital.data.rename(hospital.checkout / ".data.x.old/was")
    assert not hospital.pull().changed
    assert _contents(hospital.data) == before


def test_another_source_starts_its_archives_anew(
    hospital: Hospital, nih_tables, add_images
) -> None:
    hospital.pull()
    add_images(nih_tables / "images")
    hospital.pull(source="nih", from_path=nih_tables)
    assert sorted(_packed(hospital.data)) == [
        f"{stem}.png"
        for stem in ("00000001_000", "00000001_001", "00000002_000", "00000003_000", "00000003_001")
    ]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"source": "mimic"}, "no source 'mimic'; known are phantom, nih, openi, folder"),
        ({"from_path": Path("/nowhere")}, "/nowhere: no such folder"),
        ({"source": "phantom", "from_path": Path("/tmp")}, "the phantom is drawn, not read"),
    ],
)
def test_a_source_that_cannot_be_asked_is_refused(hospital: Hospital, named, message) -> None:
    with pytest.raises(BadInput, match=message):
        hospital.pull(**named)
    assert not hospital.data.exists()


def test_a_folder_source_without_settings_says_what_to_set(hospital: Hospital) -> None:
    config = hospital.config().model_copy(update={"folder": None})
    with pytest.raises(BadInput, match=r"sources\.folder is missing"):
        hospital.pull(config=config)
