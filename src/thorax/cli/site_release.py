"""Finds the predictor that `thorax evaluate` names: the current one, a release, a bento, a folder.

Of a bento only the predictor's two files and the gate's decision are taken out; nothing of it
is run.
"""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thorax import artifacts, validity
from thorax.errors import BadInput
from thorax.files import refuse_special
from thorax.release import bundle

_FILES: Final = ("predictor.json", "model.onnx")
_DECISION: Final = "decision.json"
_PLACES: Final = (".", "predictor", "src/predictor", "inference/predictor",
                  "artifacts/inference/predictor")  # fmt: skip


@dataclass(frozen=True)
class Named:
    """A predictor's folder, and what to call it in the report."""

    folder: Path
    name: str


def find(release: str | None, scratch: Path) -> Named:
    """The predictor that `release` means.

    Args:
        release: a tag or version in `.thorax/releases/` (its beginning is enough), a `.bento`
            file, a folder that holds a predictor; None: the current artifacts'.
        scratch: where a bento's predictor is put.

    Raises:
        BadInput: there is no such release, or no predictor in it.
    """
    if release is None:
        folder = artifacts.root() / "artifacts/inference/predictor"
        if not (folder / _FILES[0]).is_file():
            raise BadInput(
                "there is no predictor in artifacts/ yet: run `make retrain`, or name a release, "
                "a .bento file or a predictor's folder"
            )
        return Named(folder, "the current predictor (artifacts/inference)")
    path = Path(release).expanduser()
    refuse_special(path)
    if path.is_file():
        return _of_bento(path, scratch, name=path.name)
    if path.is_dir():
        return _of_folder(path, scratch)
    return _of_folder(_kept(release), scratch)


def waivers(predictor: Path) -> list[str]:
    """What people accepted in the data that a predictor comes from, as far as its folder tells.

    Args:
        predictor: the folder of its files; the gate's decision may lie in or beside it.
    """
    root = artifacts.root()
    if predictor == root / "artifacts/inference/predictor":
        path = root / "artifacts/validation/verdict.json"
        found = []
        if path.is_file():
            found = validity.waivers(validity.require_whole(artifacts.read_json(path), str(path)))
    else:
        decisions = [folder / _DECISION for folder in (predictor, predictor.parent)]
        there = [path for path in decisions if path.is_file()]
        found = artifacts.read_json(there[0]).get("waivers", []) if there else []
    return [
        f"The data behind this predictor failed the check {item['expectation']!r}; "
        f"{item['person']} accepts that until {item['expires']}: {item['reason']}"
        for item in found
    ]


def _kept(release: str) -> Path:
    home = artifacts.home() / "releases"
    versions = sorted(path.name for path in home.glob("*") if path.is_dir())
    wanted = release.removeprefix(f"{bundle.NAME}:")
    found = [version for version in versions if wanted and version.startswith(wanted)]
    if len(found) == 1:
        return home / found[0]
    there = ", ".join(f"{bundle.NAME}:{version}" for version in versions) or "none"
    what = "more than one release" if found else "no file, folder or release"
    raise BadInput(f"{what} called {release!r}; releases on this machine: {there}")


def _of_folder(folder: Path, scratch: Path) -> Named:
    for place in _PLACES:
        if all((folder / place / name).is_file() for name in _FILES):
            return Named(folder / place, str(folder))
    if (folder / "manifest.json").is_file():
        manifest = artifacts.read_json(folder / "manifest.json")
        bento = folder / str(manifest.get("bento", ""))
        if not bento.is_file() or artifacts.sha256_file(bento) != manifest.get("sha256"):
            raise BadInput(f"{folder} lacks the bento that its manifest.json names, or has another")
        return _of_bento(bento, scratch, name=str(manifest["tag"]))
    raise BadInput(f"{folder} holds no predictor ({' and '.join(_FILES)}) and no release")


def _of_bento(path: Path, scratch: Path, *, name: str) -> Named:
    folder = scratch / artifacts.sha256_file(path)[:16]
    if not folder.is_dir():
        with artifacts.atomic_folder(folder) as temporary:
            for file, content in _members(path).items():
                (temporary / file).write_bytes(content)
    return Named(folder, name)


def _members(path: Path) -> dict[str, bytes]:
    wanted = {f"src/predictor/{name}": name for name in _FILES} | {f"src/{_DECISION}": _DECISION}
    found: dict[str, bytes] = {}
    refuse_special(path)
    try:
        with tarfile.open(path, "r:*") as tar:
            for member in tar:
                file = wanted.get(member.name.removeprefix("./"))
                content = tar.extractfile(member) if file and member.isfile() else None
                if file and content:
                    found[file] = content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        reason = str(error).partition(":")[0]  # its lines go on with every compression tried
        raise BadInput(f"{path} is no whole .bento file ({reason}): name another") from None
    if not set(_FILES) <= set(found):
        raise BadInput(f"{path} holds no predictor: is it a bento of Thorax?")
    return found
