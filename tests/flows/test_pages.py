"""The pages of a run: what is copied, what is served, and to whom."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows import pages
from thorax import artifacts
from thorax.errors import ThoraxError


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    (tmp_path / "params.yaml").write_text("schedule: {cron: '* * * * *', pages_port: 4999}\n")
    for name, text in {
        "validation/docs/summary.html": "<p>two checks failed",
        "evaluation/roc.png": "png",
        "evaluation/metrics.json": "{}",
        "evaluation/roc.csv": "a,b",
        "release/card.md": "# Card <b>",
        "release/thorax-1.bento": "weights",
        "training/weights.safetensors": "weights",
    }.items():
        artifacts.write_text(tmp_path / "artifacts" / name, text)
    (tmp_path / "artifacts/validation/docs/out.html").symlink_to("/etc/hostname")
    return tmp_path


@pytest.fixture
def served(root: Path) -> Iterator[str]:
    port = free_port()
    with pages.served(port):
        yield f"http://127.0.0.1:{port}"


def get(url: str, **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        return client.get(url, headers=headers)


def test_a_run_keeps_the_pages_of_its_own_stages(root: Path, served: str) -> None:
    pages.keep("a-run", ["validation"])
    pages.keep("b-run", ["validation", "evaluation", "release"])
    assert "two checks failed" in get(f"{served}/a-run/validation/summary.html").text
    assert get(f"{served}/a-run/evaluation/roc.png").status_code == 404
    assert get(f"{served}/b-run/evaluation/roc.png").text == "png"
    assert "# Card &lt;b&gt;" in get(f"{served}/b-run/release/card.html").text
    index = get(f"{served}/b-run").text
    assert "release/card.html" in index
    assert "roc.png" in index
    assert (
        pages.url("b-run", "release/card.html") == "http://127.0.0.1:4999/b-run/release/card.html"
    )


def test_neither_data_nor_weights_nor_links_are_copied(root: Path) -> None:
    pages.keep("a-run", ["validation", "evaluation", "release"])
    found = {path.name for path in (root / ".thorax/pages/a-run").rglob("*")}
    assert not found & {"roc.csv", "thorax-1.bento", "weights.safetensors", "out.html", "card.md"}


@pytest.mark.parametrize(
    "path",
    [
        "/../params.yaml", "/..%2f..%2fparams.yaml", "/%2e%2e/%2e%2e/params.yaml",
        "/a-run/../../../params.yaml", "/a-run/..%2f..%2f..%2fparams.yaml", "//etc/hostname",
        "/a-run/%2fetc%2fhostname", "/link/hostname", "/a-run/%00",
    ],
)  # fmt: skip
def test_no_path_leaves_the_pages(path: str, root: Path, served: str) -> None:
    pages.keep("a-run", ["validation"])
    (root / ".thorax/pages/link").symlink_to("/etc")
    host, port = served.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:  # as it is, not cleaned
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split()[1] in (b"404", b"400", b"405"), answer[:200]
    assert b"cron" not in answer


def test_another_host_name_is_refused(root: Path, served: str) -> None:
    pages.keep("a-run", ["validation"])
    assert get(f"{served}/a-run/", Host="evil.example").status_code == 400


def test_nothing_can_be_written(served: str) -> None:
    with httpx.Client(trust_env=False) as client:
        assert client.put(f"{served}/x.html", content=b"x").status_code == 405


def test_the_pages_of_old_runs_go(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "KEPT", 2)
    for run in ("a", "b", "c"):
        pages.keep(run, ["validation"])
    assert sorted(path.name for path in (root / ".thorax/pages").iterdir()) == ["b", "c"]


def test_a_taken_port_is_said(root: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = pages.served(other.getsockname()[1])
        with pytest.raises(ThoraxError, match=r"schedule\.pages_port"), taken:
            pass
