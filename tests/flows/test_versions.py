import json
import shutil
import subprocess
from pathlib import Path

import pytest

from flows import versions
from tests.flows.conftest import work_in
from thorax.cli import versions as faces
from thorax.errors import BadInput


def write_data(root: Path, images: dict[str, str]) -> None:
    folder = root / "data"
    folder.mkdir(exist_ok=True)
    for name, text in {
        "entries.csv": "image,findings\n" + "".join(f"{k},{v}\n" for k, v in images.items()),
        "source.json": json.dumps({"source": "test", "archives": {}}),
    }.items():
        (folder / name).unlink(missing_ok=True)  # DVC may have linked it to its cache
        (folder / name).write_text(text)


@pytest.fixture(scope="module")
def prepared(
    empty_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, tuple[str, str]]:
    """A repository of two committed versions, the first tagged `one`, and their digests."""
    root = tmp_path_factory.mktemp("two") / "versions"
    shutil.copytree(empty_repository, root)
    with pytest.MonkeyPatch.context() as patch:
        work_in(root, patch)
        write_data(root, {"a.png": "Mass", "b.png": ""})
        first = versions.track()
        versions.commit("First data")
        versions.tag("one")
        write_data(root, {"a.png": "Nodule", "c.png": ""})
        second = versions.track()
        versions.commit("Second data")
    return root, (first, second)


@pytest.fixture
def two(
    prepared: tuple[Path, tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """A copy of it in `tmp_path`; the digests."""
    shutil.copytree(prepared[0], tmp_path, dirs_exist_ok=True)
    work_in(tmp_path, monkeypatch)
    return prepared[1]


def test_the_log_lists_versions_newest_first_with_their_tags(two: tuple[str, str]) -> None:
    rows = versions.log()
    assert [row.digest for row in rows] == [two[1], two[0]]
    assert rows[1].tags == ("one",)
    assert rows[0].subject == "Second data"


def test_an_uncommitted_version_leads_the_log(two: tuple[str, str], tmp_path: Path) -> None:
    write_data(tmp_path, {"d.png": ""})
    digest = versions.track()
    assert (versions.log()[0].digest, versions.log()[0].commit) == (digest, "")


@pytest.mark.parametrize("name", ["one", "digest"])
def test_checkout_brings_back_the_bytes(two: tuple[str, str], tmp_path: Path, name: str) -> None:
    versions.checkout(two[0][:8] if name == "digest" else name)
    assert "b.png" in (tmp_path / "data/entries.csv").read_text()
    assert versions.current() == two[0]


def test_diff_names_what_came_went_and_changed(
    two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    faces.print_diff("one", None)
    said = capsys.readouterr().out
    assert "+ 1: c.png" in said
    assert "- 1: b.png" in said
    assert "~ 1: a.png" in said


def test_a_commit_takes_data_dvc_alone(repository: Path) -> None:
    (repository / "other.txt").write_text("staged by somebody\n")
    subprocess.run(["git", "add", "other.txt"], check=True)
    write_data(repository, {"a.png": ""})
    versions.track()
    versions.commit("Data only")
    shown = subprocess.run(
        ["git", "show", "--name-only", "--format="], capture_output=True, text=True, check=True
    )
    staged = subprocess.run(
        ["git", "diff", "--cached", "--name-only"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["data.dvc"]
    assert staged.stdout.split() == ["other.txt"]


def test_an_uncommitted_version_cannot_be_tagged(repository: Path) -> None:
    write_data(repository, {"a.png": ""})
    versions.track()
    with pytest.raises(BadInput, match="not committed"):
        versions.tag("early")


def test_an_unknown_version_is_named(repository: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        versions.checkout("nowhere")


def test_merge_markers_are_named(two: tuple[str, str], tmp_path: Path) -> None:
    text = (tmp_path / "data.dvc").read_text()
    (tmp_path / "data.dvc").write_text(f"<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n")
    with pytest.raises(BadInput, match="merge markers"):
        versions.current()


def test_a_tag_goes_before_a_digest_and_a_doubtful_digest_is_refused(
    two: tuple[str, str], tmp_path: Path
) -> None:
    versions.tag(two[0][:8])  # the second version bears a name that begins the first's digest
    assert versions.digest_at(two[0][:8]) == two[1]
    text = (tmp_path / "data.dvc").read_text()
    (tmp_path / "data.dvc").write_text(text.replace(two[1], two[0][:6] + two[1][6:]))
    versions.commit("A digest that begins as the first one's")
    with pytest.raises(BadInput, match="give more of it"):
        versions.digest_at(two[0][:6])
