import os
import tarfile
from pathlib import Path

import pytest

from thorax.release import archive


def make_folder(path: Path, *, mode: int, time_s: int) -> Path:
    (path / "b").mkdir(parents=True)
    for name, content in (("b/two.txt", "two"), ("a.txt", "one"), ("empty.txt", "")):
        (path / name).write_text(content)
        (path / name).chmod(mode)
        os.utime(path / name, (time_s, time_s))
    return path


def test_the_same_files_give_the_same_bytes_whatever_their_times_and_modes(tmp_path: Path) -> None:
    first = make_folder(tmp_path / "first", mode=0o600, time_s=1)
    second = make_folder(tmp_path / "second", mode=0o664, time_s=2_000_000_000)
    archive.pack(first, tmp_path / "first.bento", compression=1)
    archive.pack(second, tmp_path / "second.bento", compression=1)
    assert (tmp_path / "first.bento").read_bytes() == (tmp_path / "second.bento").read_bytes()


def test_what_is_unpacked_is_what_was_packed(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "folder", mode=0o644, time_s=1)
    archive.pack(folder, tmp_path / "x.bento", compression=1)
    archive.unpack(tmp_path / "x.bento", tmp_path / "back")
    texts = {
        str(file.relative_to(tmp_path / "back")): file.read_text()
        for file in (tmp_path / "back").rglob("*")
        if file.is_file()
    }
    assert texts == {"a.txt": "one", "b/two.txt": "two", "empty.txt": ""}


def test_a_broken_archive_leaves_no_folder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "folder", mode=0o644, time_s=1)
    archive.pack(folder, tmp_path / "x.bento", compression=1)
    whole = (tmp_path / "x.bento").read_bytes()
    (tmp_path / "x.bento").write_bytes(whole[: len(whole) // 2])
    with pytest.raises((EOFError, tarfile.TarError)):
        archive.unpack(tmp_path / "x.bento", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_member_that_points_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evil.txt").write_text("x")
    with tarfile.open(tmp_path / "x.bento", "w:xz") as evil:
        evil.add(tmp_path / "evil.txt", "../outside.txt")
    with pytest.raises(tarfile.FilterError):
        archive.unpack(tmp_path / "x.bento", tmp_path / "in" / "back")
    assert not (tmp_path / "in" / "outside.txt").exists()
