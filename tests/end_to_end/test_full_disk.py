"""A disk that fills up ends a retraining with one line; with space again the same command works."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.checkout import Checkout
from tests.end_to_end.conftest import Finished

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

# A stage, the folder that lies on the small disk, and what is left of it beside its content.
CASES = {
    "validation": ("artifacts", 30_000),
    "training": (".thorax/state", 200_000),
}  # fmt: skip
MOUNT = """
set -e
cp -r {folder} {aside}
mount -t tmpfs -o size={size} none {folder}
cp -r {aside}/. {folder}/
exec "$@"
"""


def can_mount() -> bool:
    """Whether this machine lets us mount a small disk in a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def used_bytes(folder: Path) -> int:
    pages = (-(-file.stat().st_size // 4096) for file in folder.rglob("*") if file.is_file())
    return 4096 * sum(pages)


@pytest.mark.parametrize("stage", CASES)
def test_a_full_disk_is_one_line_and_the_rerun_is_right(
    finished: Finished, tmp_path: Path, stage: str
) -> None:
    if not can_mount():
        pytest.skip("this machine lets nobody mount a disk in a namespace (unshare -rm)")
    shutil.copytree(finished.checkout.path, tmp_path / "thorax", symlinks=True)
    checkout = Checkout((tmp_path / "thorax").resolve())
    code = "import sys; from flows import dvc; dvc.write('repro', '--force', '-s', sys.argv[1])"
    name, spare = CASES[stage]
    folder = checkout.path / name
    shutil.rmtree(checkout.path / ".thorax/state")  # a finished training would have nothing to do
    shutil.rmtree(checkout.path / "artifacts" / stage)
    (checkout.path / ".thorax/state").mkdir()
    script = MOUNT.format(folder=folder, aside=tmp_path / "aside", size=used_bytes(folder) + spare)
    full = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", sys.executable, "-c", code, stage],
        cwd=checkout.path,
        env=checkout.environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert full.returncode != 0, full.stdout
    assert f"{stage}: no space left on the disk" in full.stdout, full.stdout + full.stderr
    assert "Traceback" not in full.stdout

    again = checkout.run("retrain")
    assert again.returncode == 0, again.stdout + again.stderr
    assert checkout.results() == finished.checkout.results()
