"""`make serve`: which bento it takes, whose code it runs, and how it ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.release import bench
from tests.release.bench import Bench
from tests.serving import server
from thorax import artifacts, blessing
from thorax.errors import BadInput, Refused
from thorax.release import archive, releases, serve


@pytest.fixture
def checkout(released: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A copy of the checkout with its release; the process believes to be in it."""
    copy = Bench(Path(shutil.copytree(released.path, tmp_path / "thorax")))
    monkeypatch.setenv("THORAX_ROOT", str(copy.path))
    monkeypatch.delenv("THORAX_BLESSING_PUBLIC_KEY", raising=False)
    return copy


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_without_a_bento_it_says_how_to_get_one(checkout: Bench) -> None:
    shutil.rmtree(checkout.output)
    with pytest.raises(BadInput, match="no blessed bento yet: `make retrain`"):
        serve.install(checkout.output / "manifest.json")


def test_an_archive_that_is_not_the_named_one_is_not_unpacked(checkout: Bench) -> None:
    path = checkout.output / checkout.manifest()["bento"]
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BadInput, match=r"is not the archive that manifest\.json names"):
        serve.install(checkout.output / "manifest.json")
    assert not (checkout.path / ".thorax/bentoml/bentos").exists()


def test_a_manifest_with_another_blessing_is_refused(checkout: Bench) -> None:
    change(checkout.output / "manifest.json", blessing={"signature": "x"})
    with pytest.raises(Refused, match="another blessing"):
        serve.install(checkout.output / "manifest.json")


def test_another_key_than_the_pinned_one_is_refused(
    checkout: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THORAX_BLESSING_PUBLIC_KEY", "A" * 43 + "=")
    with pytest.raises(Refused, match="another key"):
        serve.install(checkout.output / "manifest.json")


def test_a_second_start_takes_the_unpacked_bento_as_it_is(checkout: Bench) -> None:
    folder = serve.install(checkout.output / "manifest.json")
    inode = folder.stat().st_ino
    assert serve.install(checkout.output / "manifest.json") == folder
    assert folder.stat().st_ino == inode


def test_two_ports_share_the_bento_and_nothing_that_a_start_empties(checkout: Bench) -> None:
    manifest = checkout.output / "manifest.json"
    first, second = serve.prepare(manifest, port=3001), serve.prepare(manifest, port=3002)
    assert first.command[4] == second.command[4]
    assert first.environment["BENTOML_HOME"] != second.environment["BENTOML_HOME"]
    assert "PYTHONPATH" not in first.environment
    assert first.environment["BENTOML_DO_NOT_TRACK"] == "True"


def test_what_was_blessed_last_is_served_after_artifacts_lost_it(checkout: Bench) -> None:
    manifest = checkout.manifest()
    shutil.rmtree(checkout.output)
    launch = serve.prepare(serve.choose(), port=3001)
    assert launch.tag == manifest["tag"]


def test_a_kept_archive_that_was_changed_is_not_served(checkout: Bench) -> None:
    path = releases.last().parent / checkout.manifest()["bento"]  # type: ignore[union-attr]
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BadInput, match="is not the archive"):
        serve.prepare(serve.choose(), port=3001)


def test_a_release_that_dvc_restored_is_kept_and_served(checkout: Bench) -> None:
    shutil.rmtree(checkout.path / ".thorax/releases")
    manifest = serve.choose()
    assert manifest.is_relative_to(checkout.path / ".thorax/releases")
    assert json.loads(manifest.read_text()) == checkout.manifest()


def test_a_release_without_a_blessing_does_not_take_the_last_one_s_place(checkout: Bench) -> None:
    last = releases.last()
    change(checkout.output / "manifest.json", blessing={"signature": "x"})
    with pytest.raises(Refused, match="another blessing"):
        serve.choose()
    assert releases.last() == last


@contextmanager
def served(checkout: Bench) -> Iterator[tuple[httpx.Client, "subprocess.Popen[bytes]"]]:
    port = server.free_port()
    code = f"from thorax.release.serve import serve; serve({port})"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=checkout.path,
        env={**checkout.environment(), "PYTHONPATH": f"{checkout.path}/src:{checkout.path}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            server.wait_until_alive(client, process)
            yield client, process
    finally:
        process.kill()
        process.wait(30)


def test_it_serves_the_bento_s_code_not_the_checkout_s_and_ctrl_c_ends_it(checkout: Bench) -> None:
    (checkout.path / "src/thorax/images.py").write_text("raise RuntimeError('the checkout')\n")
    (checkout.path / "serving/service.py").write_text("raise RuntimeError('the checkout')\n")
    shutil.rmtree(checkout.output)  # as before a release that the gate forbids
    with served(checkout) as (client, process):
        assert client.get("/readyz").status_code == 200
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        os.killpg(process.pid, signal.SIGINT)  # what a terminal sends
        assert process.wait(30) == 0
        assert server.ends_within(workers, 10)


def test_a_killed_server_leaves_no_worker(checkout: Bench) -> None:
    with served(checkout) as (_, process):
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.kill()
        assert server.ends_within(workers, 10)


def test_without_a_bento_the_command_line_says_so_in_one_line(tmp_path: Path) -> None:
    answer = bench.make(tmp_path / "thorax").python("-m", "thorax.cli.app", "serve")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "no blessed bento yet" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_taken_port_is_said_before_anything_starts(checkout: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"127.0.0.1:{port} cannot be served on"):
            serve.serve(port)


def repack(checkout: Bench, name: str, text: str) -> None:
    """Append `text` to a file of the bento, and name the new archive in the manifest."""
    path = checkout.output / checkout.manifest()["bento"]
    folder = checkout.path / "unpacked"
    archive.unpack(path, folder)
    with (folder / name).open("a") as file:
        file.write(text)
    archive.pack(folder, path, compression=0)
    change(checkout.output / "manifest.json", sha256=artifacts.sha256_file(path))


@pytest.mark.parametrize(
    "name", ["src/serving/service.py", "src/thorax/blessing.py", "src/CARD.md", "bento.yaml"]
)
def test_an_archive_packed_again_with_another_file_is_refused(name: str, checkout: Bench) -> None:
    repack(checkout, name, "\n")
    with pytest.raises(Refused, match=f"{name} is not the file that was released and signed"):
        serve.install(checkout.output / "manifest.json")
    answer = checkout.python("-m", "thorax.cli.app", "serve")
    assert answer.returncode == 2
    assert name in answer.stderr and "Traceback" not in answer.stderr


def test_code_changed_where_it_was_unpacked_is_refused(checkout: Bench) -> None:
    folder = serve.install(checkout.output / "manifest.json")
    with (folder / "src/serving/answer.py").open("a") as file:
        file.write("# changed\n")
    with pytest.raises(Refused, match=r"answer\.py is not the file .* remove "):
        serve.prepare(serve.choose(), port=3001)


def test_the_checkout_s_own_key_is_pinned_by_default_and_passed_on(
    checkout: Bench, tmp_path: Path
) -> None:
    manifest = checkout.output / "manifest.json"
    launch = serve.prepare(manifest, port=3001)
    assert launch.environment["THORAX_BLESSING_PUBLIC_KEY"] == checkout.public_key()
    key = checkout.path / ".thorax/keys/blessing.pem"
    key.unlink()
    with pytest.raises(Refused, match=r"no key of its own.*export THORAX_BLESSING_PUBLIC_KEY="):
        serve.install(manifest)
    blessing.load_or_make_key(key)  # another one
    with pytest.raises(Refused, match="another key"):
        serve.install(manifest)


@pytest.mark.parametrize(
    "values",
    [
        {"tag": "../../../x"}, {"tag": "thorax:../../x"}, {"tag": 3}, {"bento": "../x.bento"},
        {"bento": None}, {"version": "../x"}, {"blessing": "x"}, {"sha256": []},
    ],
    ids=str,
)  # fmt: skip
def test_a_manifest_that_no_release_wrote_is_refused_in_one_line(
    values: dict[str, object], checkout: Bench
) -> None:
    change(checkout.output / "manifest.json", **values)
    with pytest.raises(BadInput, match=r"manifest\.json: .*run release again"):
        serve.choose()
    assert not (checkout.path / "x").exists()


@pytest.mark.parametrize("text", ["", "[]", "3", '{"tag": 1}'])
def test_a_manifest_that_is_no_document_is_refused(text: str, checkout: Bench) -> None:
    (checkout.output / "manifest.json").write_text(text)
    answer = checkout.python("-m", "thorax.cli.app", "serve")
    assert answer.returncode == 1 and "Traceback" not in answer.stderr
