from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.release import bench
from thorax import seal
from thorax.errors import Refused

NOW = datetime(2017, 7, 21, 12, tzinfo=UTC)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """What ships, laid out as in the bento, beside the checkout that it came from."""
    return lay_out(bench.make(tmp_path / "thorax"))


def lay_out(checkout: bench.Bench) -> Path:
    bundle = checkout.path / "artifacts/inference"
    decision = (checkout.path / "artifacts/gate/decision.json").read_bytes()
    (bundle / "decision.json").write_bytes(decision)
    return bundle


def check_refused(bundle: Path, reason: str, public_key: str | None = None) -> None:
    with pytest.raises(Refused, match=reason):
        seal.require_blessed(bundle, public_key=public_key, now=NOW)


def test_what_the_gate_blessed_is_accepted_with_and_without_a_pinned_key(tmp_path: Path) -> None:
    checkout = bench.make(tmp_path / "thorax")
    seal.require_blessed(lay_out(checkout), public_key=None, now=NOW)
    seal.require_blessed(lay_out(checkout), public_key=checkout.public_key(), now=NOW)


@pytest.mark.parametrize("name", ["model.onnx", "predictor.json"])
def test_one_changed_byte_of_the_predictor_is_refused(name: str, bundle: Path) -> None:
    path = bundle / "predictor" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    check_refused(bundle, f"{name} is not the file that the gate blessed")


def test_a_missing_and_an_added_file_are_refused(bundle: Path) -> None:
    (bundle / "predictor/model.onnx.data").write_bytes(b"x")
    check_refused(bundle, r"model\.onnx\.data is not the file")
    (bundle / "predictor/model.onnx.data").unlink()
    (bundle / "predictor/model.onnx").unlink()
    check_refused(bundle, r"model\.onnx is not the file")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"verdict": "pass"}', "nonsense"])
def test_a_file_that_is_no_blessed_decision_is_refused(text: str, bundle: Path) -> None:
    (bundle / "decision.json").write_text(text)
    with pytest.raises(Refused):
        seal.require_blessed(bundle, public_key=None, now=NOW)


def test_a_changed_decision_is_refused(bundle: Path) -> None:
    path = bundle / "decision.json"
    path.write_text(path.read_text().replace('"bound": 0.5', '"bound": 0.4'))
    check_refused(bundle, "one of the two was changed")


def test_a_decision_about_no_predictor_is_refused(tmp_path: Path) -> None:
    checkout = bench.make(tmp_path / "thorax")
    checkout.decide(inputs={"artifacts/evaluation/metrics.json": "0"})
    check_refused(lay_out(checkout), "names no file")


def test_a_pass_holds_to_the_end_of_its_last_day_and_no_longer(tmp_path: Path) -> None:
    checkout = bench.make(tmp_path / "thorax")
    checkout.decide(valid_until="2017-07-21")
    seal.require_blessed(lay_out(checkout), public_key=None, now=NOW)
    checkout.decide(valid_until="2017-07-20")
    check_refused(lay_out(checkout), "2017-07-20")


def test_code_from_elsewhere_than_the_bento_is_refused(bundle: Path) -> None:
    with pytest.raises(Refused, match="serve it by its folder"):
        seal.require_own_code(bundle)
    seal.require_own_code(bench.ROOT)
