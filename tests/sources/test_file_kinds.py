"""Named pipes, sockets, devices and odd names, wherever a command takes a path: refused, no hang.

Each command runs as its own process with a generous limit: one that hangs fails the test.
"""

import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import pytest

from tests.end_to_end.checkout import clone
from tests.sources.command import Checkout
from tests.sources.conftest import png, write_rows
from thorax import artifacts
from thorax.errors import BadInput
from thorax.files import is_plain_name, printable, refuse_special, special_kind
from thorax.sources.nih.tables import ENTRIES

COLUMNS = {"image": "file", "patient": "who", "findings": "labels"}
HEADER = ("file", "who", "labels")
LIMIT_S = 120


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path has some hundred characters at most
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


KINDS: list[tuple[Callable[[Path], None], str]] = [
    (_pipe, "named pipe"), (_socket, "socket"), (_device, "device"),
]  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Checkout]:
    with pytest.MonkeyPatch.context() as patch:
        yield Checkout(tmp_path_factory.mktemp("kinds") / "checkout", patch)


@pytest.fixture
def hang() -> Iterable[None]:
    """Fails where a read never ends, rather than waiting for ever."""
    import signal

    def fail(*_: object) -> None:
        raise TimeoutError("hangs")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


pytestmark = pytest.mark.usefixtures("hang")


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_the_kind_of_a_path_is_known_before_it_is_opened(
    tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    make(tmp_path / "x")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    for path in (tmp_path / "x", tmp_path / "link"):
        assert special_kind(path) == kind
        with pytest.raises(BadInput, match=f"{path} is a {kind}, not a file or folder"):
            refuse_special(path)
        for read in (artifacts.read_csv, artifacts.read_json, artifacts.read_table,
                     artifacts.sha256_file):  # fmt: skip
            with pytest.raises(BadInput, match=kind):
                read(path)
    refuse_special(tmp_path)
    refuse_special(tmp_path / "missing")


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_every_path_that_a_command_takes_is_looked_at_first(
    checkout: Checkout, tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    strange = tmp_path / "strange"
    make(strange)
    checkout.set_folder(columns=COLUMNS)
    output = tmp_path / "out.parquet"
    for arguments in (
        ("pull", "--from", strange),
        ("pull", "--source", "nih", "--from", strange),
        ("pull", "--source", "openi", "--from", strange),
        ("mine", strange, "--output", output),
        ("mine", strange),
        ("tables", "labels", "--from", strange),
    ):
        refused = checkout.thorax(*arguments)
        assert refused.status == 1, arguments
        assert kind in refused.message, (arguments, refused.errors)


@pytest.mark.parametrize(("make", "kind"), KINDS)
@pytest.mark.parametrize("key", ["table", "boxes", "images"])
def test_every_path_in_the_settings_is_looked_at_first(
    checkout: Checkout, tmp_path: Path, make: Callable[[Path], None], kind: str, key: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "0.png").write_bytes(png(0))
    write_rows(folder / "entries.csv", HEADER, [("0.png", "1", "Mass")])
    make(tmp_path / "strange")
    checkout.set_folder(columns=COLUMNS, **{"images": str(folder), key: str(tmp_path / "strange")})
    arguments = ("pull",) if key == "images" else ("pull", "--from", folder)
    refused = checkout.thorax(*arguments)
    assert (refused.status, kind in refused.message) == (1, True), refused.errors


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_an_image_that_is_none_stays_out_and_is_named(
    checkout: Checkout, tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    (tmp_path / "0.png").write_bytes(png(0))
    make(tmp_path / "1.png")
    write_rows(tmp_path / "entries.csv", HEADER, [("0.png", "1", "Mass"), ("1.png", "2", "")])
    checkout.set_folder(columns=COLUMNS)
    done = checkout.thorax("pull", "--from", tmp_path)
    assert done.status == 0, done.errors
    assert f"1 images stay out (the first: {tmp_path}/1.png, a {kind})" in done.errors


@pytest.mark.parametrize("name", ["images_001.tar.gz", "Data_Entry_2017_v2020.csv"])
def test_an_archive_or_table_of_nih_that_is_a_pipe_is_refused(
    checkout: Checkout, tmp_path: Path, name: str
) -> None:
    (tmp_path / "00000001_000.png").write_bytes(png(0))
    os.mkfifo(tmp_path / name)
    refused = checkout.thorax("pull", "--source", "nih", "--from", tmp_path)
    assert (refused.status, f"{name} is a named pipe" in refused.message) == (1, True)


@pytest.mark.parametrize("name", ["NLMCXR_reports.tgz", "1.xml", "gold.csv"])
def test_a_file_of_openi_that_is_a_pipe_is_refused(
    checkout: Checkout, tmp_path: Path, name: str
) -> None:
    if name == "gold.csv":
        (tmp_path / "2.xml").write_text(
            '<e><uId id="CXR2"/><AbstractText Label="FINDINGS">Clear.</AbstractText></e>'
        )
    os.mkfifo(tmp_path / name)
    refused = checkout.thorax("pull", "--source", "openi", "--from", tmp_path)
    assert (refused.status, f"{name} is a named pipe" in refused.message) == (1, True)


def test_a_report_or_rule_that_is_a_pipe_stops_no_mining(
    checkout: Checkout, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "1.txt").write_text("There is a mass.")
    os.mkfifo(reports / "2.txt")
    mined = checkout.thorax("mine", reports, "--output", tmp_path / "labels.parquet")
    assert mined.status == 1
    assert "1 of 2 were not mined, the first: 2.txt: a named pipe, not a file" in mined.message
    (tmp_path / "rules" / "rules").mkdir(parents=True)
    (tmp_path / "rules" / "phrases").mkdir()
    for name in ("rules", "phrases"):
        for path in (Path("src/thorax/reports") / name).glob("*.txt"):
            os.mkfifo(tmp_path / "rules" / name / path.name)
    refused = checkout.thorax("mine", "There is a mass.", "--rules", tmp_path / "rules")
    assert (refused.status, "is a named pipe" in refused.message) == (1, True), refused.errors


def _archive(path: Path, *names: str) -> None:
    with tarfile.open(path, "w:gz", encoding="utf-8", errors="surrogateescape") as archive:
        for seed, name in enumerate(names):
            member = tarfile.TarInfo(name)
            content = png(seed)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))


ODD_NAMES = ("images/\udcff\udcfe.png", "images/a\nb.png", "images/\x1b[31mred.png", "x\x7f.png")


def test_members_with_names_that_no_table_can_hold_are_skipped(
    checkout: Checkout, tmp_path: Path
) -> None:
    _archive(tmp_path / "images_001.tar.gz", "images/00000001_000.png", *ODD_NAMES)
    header = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender"
    row = "00000001_000.png,Mass,0,1,57,M"
    (tmp_path / ENTRIES[0]).write_text(f"{header}\n{row}\n")
    done = checkout.thorax("pull", "--source", "nih", "--from", tmp_path)
    assert done.status == 0, done.errors
    assert "4 images have names that no table can hold and stay out" in done.errors
    assert r"\udcff" in done.errors
    assert "\x1b" not in done.errors + done.output
    data = checkout.path / "data"
    from thorax.dataset import archive

    (kept,) = archive.listed(data)
    assert [name for name, _ in archive.members(kept)] == ["00000001_000.png"]


def test_loose_images_with_such_names_are_skipped(checkout: Checkout, tmp_path: Path) -> None:
    for seed, name in enumerate(("0.png", *map(os.path.basename, ODD_NAMES))):
        (tmp_path / name).write_bytes(png(seed))
    write_rows(tmp_path / "entries.csv", HEADER, [("0.png", "1", "Mass")])
    checkout.set_folder(columns=COLUMNS)
    done = checkout.thorax("pull", "--source", "folder", "--from", tmp_path)
    assert done.status == 0, done.errors
    assert "4 images stay out" in done.errors
    assert "\x1b" not in done.errors


def test_an_error_is_one_line_whatever_the_path_is_called(
    checkout: Checkout, tmp_path: Path
) -> None:
    refused = checkout.thorax("pull", "--from", tmp_path / "a\nb\x1b[31m\udcff")
    assert refused.errors.count("\n") == 1
    assert r"a\nb\x1b[31m\udcff: no such folder" in refused.message


def test_names() -> None:
    assert all(map(is_plain_name, ("a.png", "ä ö.png", "日本.png", "a'b\".png")))
    assert not any(map(is_plain_name, ("", ".a", "a/b", "a|b", "a\nb", "a\udcff", "\u2028")))
    assert printable("a\n\udc80\tä") == r"a\n\udc80\tä"


def test_a_process_that_reads_a_pipe_ends(tmp_path: Path) -> None:
    """By the command itself, as its own process: nothing of this one's can help it."""
    checkout = clone(tmp_path / "checkout", settings={})
    os.mkfifo(tmp_path / "pipe.csv")
    done = subprocess.run(
        [sys.executable, "-m", "thorax.cli.app", "mine", str(tmp_path / "pipe.csv")],
        cwd=checkout.path, env=checkout.environment(), capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is a named pipe" in done.stderr


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_score_and_evaluate_look_at_their_paths_first(
    checkout: Checkout, tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    from thorax.inference.score import find_images

    strange = tmp_path / "strange.txt"
    make(strange)
    with pytest.raises(BadInput, match=kind):
        find_images([strange])
    refused = checkout.thorax("evaluate", strange, "--from", tmp_path)
    assert (refused.status, kind in refused.message) == (1, True), refused.errors
