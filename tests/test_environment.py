import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proxies import refusing_proxy
from thorax import environment

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "hospital.example"}, "hospital.example,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "a, b", "no_proxy": "b,c,"}, "a,b,c,localhost,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "*,localhost,127.0.0.1,::1"),
        ({"no_proxy": "::1,localhost"}, "::1,localhost,127.0.0.1"),
    ],
)
def test_loopback_goes_through_no_proxy_and_the_users_exceptions_stay(
    given: dict[str, str], expected: str
) -> None:
    ours = environment.direct_loopback(given)
    assert (ours["NO_PROXY"], ours["no_proxy"]) == (expected, expected)


def test_a_socks_proxy_that_nothing_here_speaks_is_left_out() -> None:
    given = {"ALL_PROXY": "socks5h://127.0.0.1:9", "HTTPS_PROXY": "http://proxy.example:3128"}
    assert environment.unusable_proxies(given) == ["ALL_PROXY"]
    assert "ALL_PROXY" not in environment.direct_loopback(given)
    assert environment.direct_loopback(given)["HTTPS_PROXY"] == "http://proxy.example:3128"


def test_what_is_imported_as_a_library_asks_for_nothing_outside(tmp_path: Path) -> None:
    """onnxruntime reports its start, but not where it finds the variables of a CI system."""
    code = "import thorax.inference.predictor, time; time.sleep(3)"
    with refusing_proxy() as proxy:
        kept = {key: value for key, value in os.environ.items() if key not in _CI}
        kept.pop("ORT_DISABLE_TELEMETRY", None)
        subprocess.run(
            [sys.executable, "-c", code],
            env={**kept, **proxy.variables(), "HOME": str(tmp_path), "NO_PROXY": ""},
            cwd=ROOT, check=True,
        )  # fmt: skip
    assert proxy.requests == []
    assert list(tmp_path.iterdir()) == []


_CI = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "BUILD_ID", "JENKINS_URL", "TEAMCITY_VERSION")
