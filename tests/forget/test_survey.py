"""What is found and what is erased, on stores made by hand: git is real, DVC is not needed."""

import hashlib
import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from thorax.errors import NetworkError
from thorax.forget import erase, lineage, places, stores
from thorax.forget.stores import Folder, Remote, open_remote
from thorax.forget.survey import Survey, survey
from thorax.sources.layout import COLUMNS

PATIENT = "0007"


@dataclass(frozen=True)
class Repository:
    """A git repository with a cache like DVC's, filled by hand."""

    root: Path

    @property
    def cache(self) -> Folder:
        return Folder("DVC's cache", self.root / ".dvc/cache")

    def put(self, content: bytes, end: str = "") -> str:
        md5 = hashlib.md5(content).hexdigest() + end
        path = self.cache.path / stores.OBJECTS / md5[:2] / md5[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return md5

    def put_folder(self, files: dict[str, bytes]) -> dict[str, str]:
        """The md5 of every file, and of the listing under the empty name."""
        found = {path: self.put(content) for path, content in files.items()}
        listing = [{"md5": md5, "relpath": path} for path, md5 in found.items()]
        return {**found, "": self.put(json.dumps(listing).encode(), ".dir")}

    def commit(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.root / name.replace("_", ".")).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "More")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def survey(self, source: str = "folder", patient: str = PATIENT) -> Survey:
        trees = lineage.worktrees(self.root)
        return survey(self.root, patient, source=source, trees=trees, kept=[self.cache],
                      cache=self.cache.path)  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "tester@example.org")
    made = Repository(tmp_path / "root")
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    (made.root / ".gitignore").write_text("/.dvc/cache\n/.thorax\n/data\n/artifacts\n")
    made.commit()
    return made


def name(patient: str, source: str) -> str:
    return f"{patient}_000.png"  # the same in every source, as the phantom's and NIH's are


def data_of(source: str, *patients: str) -> dict[str, bytes]:
    """A version of `data/` with an image of each patient."""
    rows = [{"image": name(patient, source), "patient": patient} for patient in patients]
    reports = [{"report": f"{source}-{patient}", "patient": patient,
                "images": name(patient, source), "text": ""} for patient in patients]  # fmt: skip
    files = {}
    for table, content in (("entries", rows), ("reports", reports)):
        frame = pd.DataFrame(content, columns=list(COLUMNS[table]))
        files[f"{table}.csv"] = frame.to_csv(index=False).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for patient in patients:
            picture = f"{source} {patient}".encode()
            member = tarfile.TarInfo(name(patient, source))
            member.size = len(picture)
            tar.addfile(member, io.BytesIO(picture))
    files["images/0001.tar"] = archive.getvalue()
    sha256 = hashlib.sha256(archive.getvalue()).hexdigest()
    about = {"source": source, "archives": {"images/0001.tar": {"sha256": sha256}}}
    files["source.json"] = json.dumps(about).encode()
    return files


def dvc_file(digest: str) -> str:
    return yaml.safe_dump({"outs": [{"md5": digest, "path": "data"}]})


def lock(**stages: tuple[dict[str, str], dict[str, str]]) -> str:
    entries = {
        stage: {
            side: [{"path": path, "md5": md5} for path, md5 in files.items()]
            for side, files in zip(("deps", "outs"), sides, strict=True)
        }
        for stage, sides in stages.items()
    }
    return yaml.safe_dump({"stages": entries})


def manifest_of(split: str) -> bytes:
    out = io.BytesIO()
    frame = pd.DataFrame({"image": [name(PATIENT, ""), "x.png"], "split": [split, "train"]})
    frame.to_parquet(out, index=False)
    return out.getvalue()


def run_on(repository: Repository, data: dict[str, str], split: str) -> tuple[str, dict[str, str]]:
    """A lock in which a model follows from `data`, and the manifest's folder."""
    manifest = repository.put_folder({"manifest.parquet": manifest_of(split)})
    model = repository.put_folder({"weights.bin": split.encode() + data[""].encode()})
    text = lock(
        dataset=({"data/entries.csv": data["entries.csv"]}, {"artifacts/dataset": manifest[""]}),
        training=({"artifacts/dataset/manifest.parquet": manifest["manifest.parquet"]},
                  {"artifacts/training": model[""]}),
    )  # fmt: skip
    return text, manifest


def doomed(repository: Repository, found: Survey) -> set[str]:
    return set().union(*erase.objects(found, [repository.cache]).values())


def test_the_same_id_in_another_source_is_another_person(repository: Repository) -> None:
    ours = repository.put_folder(data_of("folder", PATIENT, "0008"))
    theirs = repository.put_folder(data_of("nih", PATIENT, "0009"))
    text, manifest = run_on(repository, theirs, "test")
    repository.commit(data_dvc=dvc_file(theirs[""]), dvc_lock=text)
    text, own_manifest = run_on(repository, ours, "train")
    repository.commit(data_dvc=dvc_file(ours[""]), dvc_lock=text)
    found = repository.survey()
    assert [each.version.digest for each in found.holding] == [ours[""]]
    assert len(found.models) == 1
    gone = doomed(repository, found)
    assert not gone & {*theirs.values(), *manifest.values()}
    wanted = [ours[path] for path in ("entries.csv", "reports.csv", "images/0001.tar")]
    assert gone == {*wanted, own_manifest["manifest.parquet"]}


def test_a_version_that_only_the_cache_knows_is_found(repository: Repository) -> None:
    data = repository.put_folder(data_of("folder", PATIENT, "0008"))
    (found,) = repository.survey().holding
    assert (found.version.digest, found.version.where) == (data[""], ("only in DVC's cache",))


def test_an_archive_that_a_listing_clears_is_not_read(repository: Repository) -> None:
    files = data_of("folder", PATIENT, "0008")
    repository.put_folder(files)
    listing = repository.root / ".thorax/listings"
    listing.mkdir(parents=True)
    path = listing / f"{hashlib.sha256(files['images/0001.tar']).hexdigest()}.txt"
    path.write_text(f"0008_000.png\n{name(PATIENT, '')}")
    assert len(repository.survey().archives) == 1
    path.write_text("0008_000.png\n0009_000.png")
    assert len(repository.survey().archives) == 0


def test_a_version_on_another_branch_and_in_a_worktree_is_found(
    repository: Repository, tmp_path: Path
) -> None:
    data = repository.put_folder(data_of("folder", PATIENT, "0008"))
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side/data.dvc").write_text(dvc_file(data[""]))
    (found,) = repository.survey().holding
    assert found.version.where == (f"worktree {tmp_path / 'side'}",)


@pytest.mark.parametrize(("split", "learned"), [("train", True), ("validation", True),
                                                ("test", False), ("", False)])  # fmt: skip
def test_a_model_learned_from_images_in_train_and_validation(
    repository: Repository, split: str, learned: bool
) -> None:
    data = repository.put_folder(data_of("folder", PATIENT, "0008"))
    text, _ = run_on(repository, data, split)
    repository.commit(data_dvc=dvc_file(data[""]), dvc_lock=text)
    (model,) = repository.survey().models
    assert (model.splits, model.learned) == ({split or "none": 1}, learned)


def test_a_model_whose_manifest_is_lost_counts_as_one_that_learned(repository: Repository) -> None:
    data = repository.put_folder(data_of("folder", PATIENT, "0008"))
    text, manifest = run_on(repository, data, "test")
    repository.commit(data_dvc=dvc_file(data[""]), dvc_lock=text)
    repository.cache.delete(manifest["manifest.parquet"])
    (model,) = repository.survey().models
    assert (model.splits, model.learned) == (None, True)


def test_a_version_that_no_store_has_is_unknown_and_merge_markers_stop_nothing(
    repository: Repository,
) -> None:
    repository.commit(data_dvc="<<<<<<< ours\n- x\n=======\n>>>>>>> theirs\n", dvc_lock="<<<<<<<")
    lost = hashlib.md5(b"lost").hexdigest() + ".dir"
    repository.commit(data_dvc=dvc_file(lost))
    found = repository.survey()
    assert [version.digest for version in found.unknown] == [lost]
    assert found.holding == ()


def test_rows_of_logs_go_and_databases_are_told(repository: Repository) -> None:
    repository.put_folder(data_of("folder", PATIENT, "0008"))
    found = repository.survey()
    home = repository.root / ".thorax"
    lines = [json.dumps({"image": name(patient, "")}) + "\n" for patient in (PATIENT, "0008")]
    table = f'image,text\n{name(PATIENT, "")},a\n0008_000.png,"b, ""c"""\n'
    files = {
        "review/reader.jsonl": "".join(lines),
        "review/queue.csv": table,
        "prefect/prefect.db": f"logged {name(PATIENT, '')}",
        "evaluations/site/report.html": f"<b>{name(PATIENT, '')}</b>",
        "evaluations/site/other.html": "<b>0008_000.png</b>",
        "dvc/repo/1/hashes/local/cache.db": f"artifacts/pictures/{name(PATIENT, '')}",
        "dvc/repo/1/hashes/local/cache.db-wal": "beside it",
        "dvc/repo/1/links/cache.db": "artifacts/pictures/0008_000.png",
    }
    for path, text in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    found_here = places.find(repository.root, [repository.root], found, stores=[], whole=True)
    assert {(str(place.path.relative_to(home)), place.how) for place in found_here} == {
        ("review/reader.jsonl", "rows"),
        ("review/queue.csv", "rows"),
        ("prefect/prefect.db", "tell"),
        ("evaluations/site/report.html", "remove"),
        ("dvc/repo/1/hashes/local", "remove"),
    }
    for place in found_here:
        places.clear(place, found.traces)
    assert (home / "review/reader.jsonl").read_text() == lines[1]
    assert (home / "review/queue.csv").read_text() == 'image,text\n0008_000.png,"b, ""c"""\n'
    assert (home / "prefect/prefect.db").read_text() == files["prefect/prefect.db"]
    assert not (home / "evaluations/site/report.html").exists()
    assert (home / "evaluations/site/other.html").exists()
    assert not (home / "dvc/repo/1/hashes/local").exists()
    assert (home / "dvc/repo/1/links/cache.db").exists()


def test_a_remote_elsewhere_is_read_and_emptied_through_its_protocol(
    repository: Repository,
) -> None:
    import fsspec

    data = repository.put_folder(data_of("folder", PATIENT, "0008"))
    files = fsspec.filesystem("memory")
    for digest in repository.cache.digests():
        with repository.cache.open(digest) as file:
            files.pipe(f"/bucket/store/files/md5/{digest[:2]}/{digest[2:]}", file.read())
    remote = open_remote("far", "memory://bucket/store")
    assert isinstance(remote, Remote)
    assert set(remote.digests()) == set(data.values())
    found = repository.survey()
    erased = erase.erase(
        repository.root, found, kept=[repository.cache, remote], here=list,
        journal=repository.root / ".thorax/forget/x.json",
    )  # fmt: skip
    assert erased.objects == {"DVC's cache": 3, "remote far": 3}
    assert erased.left == ()
    assert set(remote.digests()) == {data[""], data["source.json"]}


@pytest.mark.parametrize("url", ["nowhere://bucket", "/no/such/disk/remote"])
def test_a_remote_that_cannot_be_opened_says_why(url: str) -> None:
    with pytest.raises(NetworkError, match="far"):
        next(open_remote("far", url).digests(), None)
