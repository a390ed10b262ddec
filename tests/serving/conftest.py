"""One bento, one environment and one server for every test that only asks."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.release import bench
from tests.release.bench import Bench
from tests.serving import server


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    checkout = bench.make(tmp_path_factory.mktemp("shipped") / "thorax")
    checkout.commit()
    answer = checkout.release()
    assert answer.returncode == 0, answer.stderr
    return checkout


@pytest.fixture(scope="session")
def python() -> Path:
    """An interpreter that has what the bento's lock names and nothing else."""
    return server.environment_python()


@pytest.fixture(scope="session")
def hospital(released: Bench, python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BentoML home away from the checkout into which the `.bento` was imported."""
    home = tmp_path_factory.mktemp("hospital")
    archive = released.output / released.manifest()["bento"]
    subprocess.run(
        [python, "-m", "bentoml", "import", archive],
        cwd=home,
        env=server.clean_environment(home),
        check=True,
        capture_output=True,
    )
    return home


@pytest.fixture(scope="session")
def client(released: Bench, python: Path, hospital: Path) -> Iterator[httpx.Client]:
    """A client of the served bento, which trusts the key that the bench signs with."""
    tag, key = released.manifest()["tag"], released.public_key()
    with server.serving(python, tag, hospital, THORAX_BLESSING_PUBLIC_KEY=key) as served:
        yield served
