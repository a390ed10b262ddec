"""The undisturbed run that the end-to-end tests compare with, made once."""

import subprocess
from dataclasses import dataclass

import pytest

from tests.end_to_end.checkout import Checkout, can_close_network, clone


@dataclass(frozen=True)
class Finished:
    """A clone in which the loop has run once, and what it printed."""

    checkout: Checkout
    run: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    checkout = clone(tmp_path_factory.mktemp("loop") / "thorax", closed=can_close_network())
    return Finished(checkout, checkout.run("retrain"))
