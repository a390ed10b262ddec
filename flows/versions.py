"""Dataset versions, thin over git and DVC: track, list, compare, check out, tag.

A version is the digest that `data.dvc` holds. Tracking writes that file and commits nothing; a
commit is made when it is asked for, of `data.dvc` alone, and leaves what else is staged as it was.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flows import data_history, dvc
from thorax import artifacts, config
from thorax.errors import BadInput
from thorax.progress import say
from thorax.sources.fingerprint import last_folder
from thorax.sources.pull import PullResult, SourcesConfig, pull

FILE = "data.dvc"
TAG_PREFIX = "data/"
NETWORK = "network"


@dataclass(frozen=True)
class Version:
    """One version: its digest, size in bytes and number of files, and where git knows it from."""

    digest: str
    size_bytes: int
    files: int
    commit: str
    date: str
    subject: str
    tags: tuple[str, ...]


def current() -> str:
    """The digest of the version that `data.dvc` names; empty when nothing is tracked yet."""
    path = artifacts.root() / FILE
    return _digest(path.read_text()) if path.exists() else ""


def is_tracked() -> bool:
    """Whether `data/` is as `data.dvc` says, by DVC's own account."""
    return (artifacts.root() / FILE).exists() and FILE not in dvc.status(FILE, wait=True)


def track() -> str:
    """`dvc add data`: make what lies in `data/` a version; returns its digest."""
    dvc.write("add", "--quiet", "data")
    return current()


def pull_version(from_path: Path | None) -> PullResult:
    """Pull from the source and track what came; nothing is downloaded or written twice.

    Args:
        from_path: a folder that has the files; None is the folder of the configured source's last
            pull, where that was one, and `network` forgets it.
    """
    settings = config.load("sources", SourcesConfig)
    if from_path is None:
        from_path = last_folder(settings.name, artifacts.home())
    elif str(from_path) == NETWORK:
        from_path = None
    data = artifacts.root() / "data"
    if not data.exists() and from_path is None:
        fetch()
    outgoing = current()
    result = pull(
        settings,
        source=None,
        from_path=from_path,
        data=data,
        home=artifacts.home(),
    )
    if data_history.keep(artifacts.root(), name=outgoing[:12]):
        say(f"what version {outgoing[:12]} held is kept in {data_history.FILE}: commit it")
    if result.changed or not is_tracked():
        track()
    return result


def fetch() -> None:
    """Get the version that `data.dvc` names from the cache or the DVC remote, where one has it."""
    if not (artifacts.root() / FILE).exists():
        return
    dvc.try_write("checkout", "--quiet", FILE) or dvc.try_write("pull", "--quiet", FILE)


def log() -> list[Version]:
    """Every version that git knows, newest first; an uncommitted one leads."""
    rows = _git("log", "--format=%H%x1f%as%x1f%s", "--", FILE).splitlines()
    versions = [_version_at(*row.split("\x1f")) for row in rows]
    if current() and current() not in {version.digest for version in versions}:
        versions.insert(0, _version(current_text(), "", "", "(not committed)", ()))
    return versions


def current_text() -> str:
    """The text of `data.dvc` in the working tree."""
    return (artifacts.root() / FILE).read_text()


def at(revision: str) -> str:
    """The text of `data.dvc` at a tag of ours, a digest's beginning, or any git revision."""
    if text := _show(f"{TAG_PREFIX}{revision}"):
        return text
    found = {version.digest: version for version in log() if version.digest.startswith(revision)}
    if revision and len(found) > 1:
        raise BadInput(f"{revision!r} begins the digests of {len(found)} versions: give more of it")
    if revision and found:
        version = next(iter(found.values()))
        return _show(version.commit) if version.commit else current_text()
    if text := _show(revision):
        return text
    raise BadInput(f"no dataset version {revision!r}; `thorax data log` lists them")


def digest_at(revision: str | None) -> str:
    """The digest of a version; None is the working tree's."""
    return _digest(at(revision)) if revision else current()


def tables_at(revision: str | None) -> dict[str, str]:
    """The tables of a version with their md5, from the folder listing that DVC keeps of it."""
    listing = json.loads(_cached(digest_at(revision) + ".dir").read_text())
    return {entry["relpath"]: entry["md5"] for entry in listing if "/" not in entry["relpath"]}


def read_table(revision: str | None, name: str) -> str:
    """The text of one table of `data/` as it was in a version."""
    return _cached(tables_at(revision)[name]).read_text(encoding="utf-8")


def _cached(md5: str) -> Path:
    """A file of DVC's cache."""
    root = artifacts.root()
    answer = subprocess.run(
        [sys.executable, "-m", "dvc", "cache", "dir"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    path = Path(answer.stdout.strip()) / "files" / "md5" / md5[:2] / md5[2:]
    if not path.exists():
        raise BadInput(
            f"version {md5[:12]} is not in DVC's cache; `dvc fetch --all-commits data.dvc`"
        )
    return path


def checkout(revision: str) -> str:
    """Bring `data.dvc` and `data/` to an earlier version; the stages then follow by `dvc repro`."""
    text = at(revision)
    path = artifacts.root() / FILE
    if (artifacts.root() / "data").exists() and not is_tracked():
        raise BadInput("data/ has changes that no version holds: `dvc add data`, or remove data/")
    before = path.read_text() if path.exists() else None
    artifacts.write_text(path, text)
    if dvc.try_write("checkout", "--quiet", FILE) or dvc.try_write("pull", "--quiet", FILE):
        return current()
    if before is not None:
        artifacts.write_text(path, before)
    raise BadInput(f"version {_digest(text)[:12]} is in neither DVC's cache nor its remote")


def commit(message: str) -> str:
    """Commit `data.dvc` alone, if it is new; returns the commit. Other staged files stay staged."""
    if current() and _digest(_show("HEAD")) == current():
        return _git("rev-parse", "--short", "HEAD").strip()
    _git("add", "--intent-to-add", FILE)
    _git("commit", "--quiet", "--only", FILE, "-m", message)
    return _git("rev-parse", "--short", "HEAD").strip()


def tag(name: str) -> str:
    """Name the committed version of the working tree; returns the git tag."""
    found = [version for version in log() if version.digest == current() and version.commit]
    if not found:
        raise BadInput("this version is not committed yet: `thorax data commit` first, then tag it")
    _git("tag", f"{TAG_PREFIX}{name}", found[0].commit)
    return f"{TAG_PREFIX}{name}"


def _version_at(commit: str, date: str, subject: str) -> Version:
    tags = _git("tag", "--points-at", commit, "--list", f"{TAG_PREFIX}*").split()
    return _version(
        _show(commit), commit[:9], date, subject, tuple(t.removeprefix(TAG_PREFIX) for t in tags)
    )


def _version(text: str, commit: str, date: str, subject: str, tags: tuple[str, ...]) -> Version:
    out = _out(text)
    return Version(
        _digest(text),
        int(out.get("size", 0)),
        int(out.get("nfiles", 0)),
        commit,
        date,
        subject,
        tags,
    )


def _out(text: str) -> dict[str, Any]:
    try:
        return dict((yaml.safe_load(text) or {}).get("outs", [{}])[0])
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, IndexError):
        raise BadInput(
            f"{FILE} is not what DVC writes (merge markers?): `git checkout {FILE}`"
        ) from None


def _digest(text: str) -> str:
    return str(_out(text).get("md5", "")).removesuffix(".dir")


def _show(revision: str) -> str:
    answer = subprocess.run(
        ["git", "show", f"{revision}:./{FILE}"],
        cwd=artifacts.root(),
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout if answer.returncode == 0 else ""


def _git(*arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=artifacts.root(), capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise BadInput(f"git {arguments[0]}: {(answer.stderr or answer.stdout).strip()}")
    return answer.stdout
