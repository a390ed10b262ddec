"""One bento for every test that only looks at it."""

import pytest

from tests.release import bench
from tests.release.bench import Bench


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A checkout at a commit in which the release stage has run once."""
    checkout = bench.make(tmp_path_factory.mktemp("released") / "thorax")
    checkout.commit()
    answer = checkout.release()
    assert answer.returncode == 0, answer.stderr
    return checkout
