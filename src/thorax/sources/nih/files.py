"""NIH's images in a folder, in any of the shapes that people have them.

NIH's download (`images_001.tar.gz` .. `images_012.tar.gz`, or extracted to `images/`), Kaggle's
(`images_001/images/*.png` .. `images_012/images/`), or sub-folders with the same images in other
sizes or formats. An image is known by its stem; one that several sets have is taken once.
"""

import os
import re
from pathlib import Path

from thorax import artifacts
from thorax.errors import BadInput
from thorax.progress import say
from thorax.sources.layout import Archive
from thorax.sources.listing import list_all, usable_images
from thorax.sources.nih.tables import stem_of

_ARCHIVE = re.compile(r"images?_?\d+\.tar(\.gz)?|images\.tar(\.gz)?")
_PART = re.compile(r"(images)_\d{3}")
_ARCHIVES_SET = "archives"
_DEPTH = 3  # folders below the named one that are looked into


class ImageSets:
    """The sets of images in a folder: loose files by sub-folder, and archives.

    Attributes:
        loose: set -> stem -> file.
        archives: archive -> the file names in it.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.loose = _loose(folder)
        paths = sorted(path for path in folder.rglob("*.tar*") if _ARCHIVE.fullmatch(path.name))
        self.sha256 = {path: artifacts.sha256_file(path) for path in paths}
        self.archives = list_all(self.sha256.items(), home)

    def choose(self, wanted: str | None) -> tuple[dict[str, Path], list[Archive]]:
        """The files to pack (stem -> file) and the archives to keep.

        The largest set first, then every other that shares no image with what was taken, unless
        `wanted` names one.
        """
        sets: dict[str, set[str]] = {name: set(files) for name, files in self.loose.items()}
        if self.archives:
            sets[_ARCHIVES_SET] = {
                Path(name).stem for names in self.archives.values() for name in names
            }
        taken = self._named(sets, wanted) if wanted is not None else _largest(sets)
        files = {stem: path for name in taken for stem, path in self.loose.get(name, {}).items()}
        archives = [Archive(path, sha256) for path, sha256 in self.sha256.items()]
        if not taken:
            raise BadInput(f"{self.folder} has no PNG or JPEG file and no images_*.tar.gz")
        return files, archives if _ARCHIVES_SET in taken else []

    def _named(self, sets: dict[str, set[str]], wanted: str) -> list[str]:
        if wanted not in sets:
            raise BadInput(
                f"sources.nih.images: {self.folder} has no images in {wanted!r}; "
                f"it has {', '.join(sorted(sets))}"
            )
        return [wanted]


def _largest(sets: dict[str, set[str]]) -> list[str]:
    taken: list[str] = []
    stems: set[str] = set()
    for name in sorted(sets, key=lambda name: (-len(sets[name]), name)):
        if stems & sets[name]:
            shared = f"{len(stems & sets[name]):,} of its {len(sets[name]):,} images"
            say(
                f"{name}: left out, since {shared} are in {', '.join(taken)} already "
                "(sources.nih.images names another choice)"
            )
            continue
        say(f"{name}: {len(sets[name]):,} images")
        taken.append(name)
        stems |= sets[name]
    return taken


def _loose(folder: Path) -> dict[str, dict[str, Path]]:
    sets: dict[str, dict[str, Path]] = {}
    for place, folders, names in os.walk(folder):
        here = Path(place)
        parts = here.relative_to(folder).parts
        folders[:] = sorted(folders) if len(parts) < _DEPTH else []
        for path in usable_images(here / name for name in sorted(names)):
            stems = sets.setdefault(_set_name(parts), {})
            stem = stem_of(path.name)
            if stem in stems:
                raise BadInput(f"{path} and {stems[stem]} are the same image twice: remove one")
            stems[stem] = path
    return sets


def _set_name(parts: tuple[str, ...]) -> str:
    """The first folder; Kaggle's twelve `images_NNN` are one set."""
    if not parts:
        return "."
    return _PART.sub(r"\1_*", parts[0])
