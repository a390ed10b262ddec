"""A checkout with git and DVC, a remote, and two versions of a hospital's data, each released."""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from flows import dvc, versions
from thorax.cli.forget import forget

REPOSITORY = Path(__file__).parents[2]
PYTHON = sys.executable

_COLUMNS = ("file", "patient", "age", "sex", "view", "split", "report")
_SPLITS = ("train", "validation", "test")
_STAGES = {
    "reports": ("thorax.reports", ["data/reports.csv"]),
    "dataset": ("thorax.dataset", ["artifacts/reports", "corrections.csv", "data/entries.csv",
                                   "data/source.json"]),
    "training": ("stages training", ["artifacts/dataset/manifest.parquet"]),
    "inference": ("stages inference", ["artifacts/dataset/manifest.parquet", "artifacts/training"]),
    "release": ("stages release", ["artifacts/inference", "data/source.json"]),
}  # fmt: skip

_DVC = """[core]
    remote = far
[cache]
    type = "hardlink,reflink,copy"
['remote "far"']
    url = ../../remote
"""


def png(seed: int) -> bytes:
    """A little grey picture; another one for another seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32), np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1])


def image(number: int) -> str:
    return f"scan_{number:04d}.png"


@dataclass(frozen=True)
class Site:
    """A checkout, and beside it the hospital's folder and the DVC remote."""

    top: Path

    @property
    def root(self) -> Path:
        return self.top / "checkout"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def cache(self) -> Path:
        return self.root / ".dvc/cache"

    @property
    def remote(self) -> Path:
        return self.top / "remote"

    def add(self, *numbers: int) -> None:
        """Images 2n and 2n + 1 are patient Pn's, who is in split n modulo 3."""
        with (self.top / "hospital/studies.csv").open("a", newline="") as file:
            for number in numbers:
                (self.top / "hospital" / image(number)).write_bytes(png(number))
                text = f"FINDINGS: There is a mass.\nStudy {number}."
                patient = number // 2
                split = _SPLITS[patient % 3]
                row = (image(number), f"P{patient}", 50, "F", "PA", split, text)
                csv.writer(file).writerow(row)

    def pull(self, message: str) -> None:
        """Pull, track and commit."""
        versions.pull_version(None)
        versions.commit(message)

    def repro(self) -> None:
        """Run the pipeline, commit its lock, send everything to the remote."""
        dvc.write("repro", "--quiet", show=lambda _: None)
        dvc.write("push", "--quiet")
        git("add", "dvc.lock")
        git("commit", "-qm", "Run")


def objects(place: Path) -> dict[str, bytes]:
    """md5 -> content of every object of a cache or remote."""
    files = [path for path in (place / "files/md5").rglob("*") if path.is_file()]
    return {path.parent.name + path.name: path.read_bytes() for path in files}


def git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
    return answer.stdout


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Images 0-11 in archives of four, run and released; then 12-15 come, run again, all pushed."""
    site = Site(tmp_path_factory.mktemp("forget"))
    with pytest.MonkeyPatch.context() as patch:
        _stand_in(site, patch)
        _found(site)
        site.add(*range(12))
        site.pull("First data")
        site.repro()
        site.add(*range(12, 16))
        site.pull("Second data")
        site.repro()
        yield site


@pytest.fixture
def two(made: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A copy of that checkout to work on."""
    return _copy(made, tmp_path, monkeypatch)


@dataclass(frozen=True)
class Done:
    """A checkout after P3 was forgotten, what it was before, and what was printed."""

    site: Site
    before: dict[str, bytes]
    cache: dict[str, bytes]
    remote: dict[str, bytes]
    said: str


@pytest.fixture(scope="session")
def forgotten(made: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """To be read only."""
    with pytest.MonkeyPatch.context() as patch:
        site = _copy(made, tmp_path_factory.mktemp("forgotten"), patch)
        yield _forget_p3(site, erase=False)


@pytest.fixture(scope="session")
def erased(made: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """The same with --erase."""
    with pytest.MonkeyPatch.context() as patch:
        site = _copy(made, tmp_path_factory.mktemp("erased"), patch)
        yield _forget_p3(site, erase=True)


def copy(done: Done, folder: Path, patch: pytest.MonkeyPatch) -> Site:
    """A copy of what was done, to go on with."""
    return _copy(done.site, folder, patch)


def _copy(site: Site, folder: Path, patch: pytest.MonkeyPatch) -> Site:
    shutil.rmtree(folder)
    subprocess.run(["cp", "-a", str(site.top), str(folder)], check=True)
    _stand_in(Site(folder), patch)
    return Site(folder)


def _forget_p3(site: Site, *, erase: bool) -> Done:
    corrections = site.root / "corrections.csv"
    for number in (6, 0):
        with corrections.open("a") as file:
            file.write(f"{image(number)},Mass,0,A,2026-11-01,\n")
    git("commit", "-qam", "Correct")
    before = bytes_of(site.data), objects(site.cache), objects(site.remote)
    said = io.StringIO()
    with redirect_stdout(said):
        forget("P3", source=None, erase=erase, dry_run=False, yes=True)
    return Done(site, *before, said.getvalue())


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Path -> content of every file in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _stand_in(site: Site, patch: pytest.MonkeyPatch) -> None:
    site.root.mkdir(exist_ok=True)
    patch.setenv("THORAX_ROOT", str(site.root))
    patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    patch.setenv("DVC_SITE_CACHE_DIR", str(site.root / ".thorax/dvc"))
    paths = [str(Path(__file__).parent), str(REPOSITORY / "src"), str(REPOSITORY)]
    patch.setenv("PYTHONPATH", os.pathsep.join(paths))
    for key in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{key}_NAME", "A Tester")
        patch.setenv(f"GIT_{key}_EMAIL", "tester@example.org")
    patch.chdir(site.root)


def _found(site: Site) -> None:
    (site.top / "hospital").mkdir()
    (site.top / "hospital/studies.csv").write_text(",".join(_COLUMNS) + "\n")
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    columns = {name: name for name in ("patient", "age", "sex", "view", "split", "report")}
    folder = {"images": "../hospital", "table": "studies.csv",
              "columns": {"image": "file", **columns}}  # fmt: skip
    settings = {
        "sources": {"name": "folder", "images_per_archive": 4, "folder": folder},
        "reports": params["reports"],
        "dataset": {**params["dataset"], "size_px": 32},
    }
    (site.root / "params.yaml").write_text(yaml.safe_dump(settings))
    stages = {
        name: {"cmd": f"exec {PYTHON} -m {command}", "deps": deps, "outs": [f"artifacts/{name}"]}
        for name, (command, deps) in _STAGES.items()
    }
    (site.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (site.root / ".gitignore").write_text("/data\n/.data.*\n/.thorax\n/artifacts\n")
    (site.root / "corrections.csv").write_text("image,finding,label,reader,date,comment\n")
    for command in (
        ["git", "init", "-q", "-b", "main"],
        [PYTHON, "-m", "dvc", "init", "-q"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    (site.root / ".dvc/config").write_text(_DVC)
    git("add", "-A")
    git("commit", "-qm", "Begin")
