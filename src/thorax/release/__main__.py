"""The release stage: the blessed candidate as a bento. Without a blessed pass it stops with exit 2.

Writes `artifacts/release/`: `thorax-<version>.bento`, `card.md`, and `manifest.json`, which names
the archive with its sha256. The same inputs at the same commit give the same bytes. A copy stays
under `.thorax/releases/`, from where it is served.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thorax import artifacts, blessing, config, keys, origin, seal
from thorax import stage as stages
from thorax.errors import Refused
from thorax.release import archive, bundle, card, provenance, releases
from thorax.release.settings import ReleaseConfig


def main(clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Read the verdict, stage what ships, build it, pack it, keep it."""
    root = artifacts.root()
    settings = config.load("release", ReleaseConfig)
    document = artifacts.read_json(root / "artifacts/gate/decision.json")
    trusted = keys.trusted_public_key()
    decision = blessing.require_pass(document, public_key=trusted, now=clock())
    _require_judged_files(root, decision)
    key = _signing_key(document["blessing"]["public_key"])
    metrics = artifacts.read_json(root / "artifacts/evaluation/metrics.json")
    labels = provenance.labels(root, decision=decision, metrics=metrics)
    text = _card(root, metrics=metrics, decision=decision, labels=labels)
    folder = stages.output_folder("release")
    with _scratch() as scratch, artifacts.atomic_folder(folder) as output:
        staged, home = scratch / "staged", scratch / "bentoml"
        bundle.stage(root, staged, card=text)
        bundle.write_bentofile(staged, labels=labels, settings=settings)
        version = bundle.version(staged)
        bento = bundle.build(staged, home, version=version, created=provenance.commit_time(root))
        seal.write(bento, key, tag=f"{bundle.NAME}:{version}")
        path = output / f"{bundle.NAME}-{version}.bento"
        archive.pack(bento, path, compression=settings.compression)
        (output / "card.md").write_text(text, encoding="utf-8")
        manifest = _manifest(path, version, labels=labels, blessing=document["blessing"])
        artifacts.write_json(output / "manifest.json", manifest)
    releases.keep(folder, kept=settings.kept)


@contextmanager
def _scratch() -> Iterator[Path]:
    """An empty folder for this run; what a killed run left is removed first (the lock is held).

    It lies in the system's temporary folder, and `.thorax/scratch/release` links to it: BentoML
    refuses to build anywhere below a hidden folder.
    """
    link = artifacts.home() / "scratch/release"
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():
        _clear(link)
    folder = Path(tempfile.mkdtemp(prefix="thorax-release-"))
    link.symlink_to(folder)
    try:
        yield folder
    finally:
        _clear(link)


def _clear(link: Path) -> None:
    shutil.rmtree(link.readlink(), ignore_errors=True)
    link.unlink()


def _require_judged_files(root: Path, decision: dict[str, Any]) -> None:
    for name, digest in blessing.checksums(decision, "inputs").items():
        path = root / name
        if not path.is_file() or artifacts.sha256_file(path) != digest:
            raise Refused(f"{name} is not the file that the gate judged: run the gate again")


def _signing_key(public_key: str) -> Ed25519PrivateKey:
    """The private key that signed the decision; with it the bento's files are signed too."""
    path = keys.private_key_path()
    key = blessing.load_or_make_key(path) if path.exists() else None
    if key is None or blessing.public_half(key) != public_key:
        raise Refused(
            f"the decision was signed with another key than {path}, so the release cannot be "
            "signed here: run the gate again (dvc repro --force --single-item gate), or name the "
            "key with THORAX_BLESSING_KEY"
        )
    return key


def _card(
    root: Path, *, metrics: dict[str, Any], decision: dict[str, Any], labels: dict[str, str]
) -> str:
    localization = root / "artifacts/localization/metrics.json"
    day = provenance.commit_time(root).date()
    # Without the day of the pull: the same commit and data give the same card on every machine.
    about = replace(origin.read(root, predictor=root / "artifacts/inference/predictor"), day="")
    return card.render(
        origin=f"{about.line} · commit of {day}",
        source=artifacts.read_json(root / "data/source.json"),
        predictor=artifacts.read_json(root / "artifacts/inference/predictor/predictor.json"),
        metrics=metrics,
        localization=artifacts.read_json(localization) if localization.exists() else None,
        decision=decision,
        labels=labels,
    )


def _manifest(
    path: Path, version: str, *, labels: dict[str, str], blessing: dict[str, str]
) -> dict[str, Any]:
    return {
        "tag": f"{bundle.NAME}:{version}",
        "version": version,
        "bento": path.name,
        "sha256": artifacts.sha256_file(path),
        "size_bytes": path.stat().st_size,
        "labels": labels,
        "blessing": blessing,
    }


if __name__ == "__main__":
    stages.run("release", main)
