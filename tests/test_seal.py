"""The seal: one changed, added or missing file is refused, and so is whatever is no signature."""

import json
import py_compile
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.release import bench
from tests.release.bench import Bench
from thorax import blessing, seal
from thorax.errors import Refused, ThoraxError

NOW = datetime(2017, 7, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return bench.make(tmp_path_factory.mktemp("sealed") / "thorax")


@pytest.fixture
def bento(checkout: Bench, tmp_path: Path) -> Path:
    checkout.decide()
    return lay_out(checkout, tmp_path / "bento")


def lay_out(checkout: Bench, folder: Path) -> Path:
    """What ships, laid out and signed as a bento."""
    src = folder / "src"
    shutil.copytree(checkout.path / "artifacts/inference/predictor", src / "predictor")
    shutil.copytree(checkout.path / "serving", src / "serving")
    (src / "thorax").mkdir()
    shutil.copy(bench.ROOT / "src/thorax/blessing.py", src / "thorax")
    shutil.copy(checkout.path / "artifacts/gate/decision.json", src)
    (folder / "bento.yaml").write_text("service: serving.service:Thorax\n")
    write_seal(checkout, folder)
    return folder


def write_seal(checkout: Bench, folder: Path) -> None:
    key = blessing.load_or_make_key(checkout.path / ".thorax/keys/blessing.pem")
    seal.write(folder, key, tag="thorax:1")


def check_refused(bento: Path, reason: str, public_key: str | None) -> None:
    with pytest.raises(Refused, match=reason):
        seal.require_sealed(bento, public_key=public_key, now=NOW)


def test_what_was_released_is_accepted_with_the_pinned_key_alone(
    bento: Path, checkout: Bench
) -> None:
    seal.require_sealed(bento, public_key=checkout.public_key(), now=NOW)
    check_refused(bento, "no public key is pinned", None)
    check_refused(bento, "another key", "A" * 43 + "=")


@pytest.mark.parametrize(
    "name",
    [
        "bento.yaml", "src/decision.json", "src/predictor/model.onnx",
        "src/predictor/predictor.json", "src/serving/service.py", "src/serving/page.html",
        "src/thorax/blessing.py",
    ],
)  # fmt: skip
def test_a_changed_and_a_missing_file_are_refused(name: str, bento: Path, checkout: Bench) -> None:
    path = bento / name
    content = path.read_bytes()
    path.write_bytes(content + b"\n")
    check_refused(bento, f"{name} is not the file that was released", checkout.public_key())
    path.unlink()
    check_refused(bento, f"{name} is not the file that was released", checkout.public_key())


@pytest.mark.parametrize("name", ["src/numpy.py", "src/thorax/seal.py", "src/serving/x.so"])
def test_an_added_file_is_refused(name: str, bento: Path, checkout: Bench) -> None:
    (bento / name).write_text("")
    check_refused(bento, f"{name} is not among the files", checkout.public_key())


def test_a_link_is_refused(bento: Path, checkout: Bench, tmp_path: Path) -> None:
    (bento / "src/numpy").symlink_to(tmp_path)
    check_refused(bento, "src/numpy is a link", checkout.public_key())


def test_python_s_own_compiled_files_are_accepted_and_planted_ones_refused(
    bento: Path, checkout: Bench
) -> None:
    source = bento / "src/thorax/blessing.py"
    compiled = Path(str(py_compile.compile(str(source))))
    seal.require_sealed(bento, public_key=checkout.public_key(), now=NOW)
    evil = bento / "evil.py"
    evil.write_text("def verify(*_): pass\n")
    py_compile.compile(str(evil), cfile=str(compiled))
    evil.unlink()
    check_refused(bento, "blessing.*pyc is not among the files", checkout.public_key())


def test_a_bento_that_is_signed_again_with_a_key_of_one_s_own_is_refused(
    bento: Path, checkout: Bench, tmp_path: Path
) -> None:
    (bento / "src/serving/service.py").write_text("print('mine')\n")
    key = blessing.load_or_make_key(tmp_path / "forged.pem")
    seal.write(bento, key, tag="thorax:1")
    check_refused(bento, "another key", checkout.public_key())
    document = json.loads((bento / seal.SEAL).read_text())
    document["blessing"]["public_key"] = checkout.public_key()
    (bento / seal.SEAL).write_text(json.dumps(document))
    check_refused(bento, "one of the two was changed", checkout.public_key())


def test_a_decision_about_another_predictor_or_none_is_refused(
    checkout: Bench, tmp_path: Path
) -> None:
    key = checkout.public_key()
    checkout.decide(inputs={"artifacts/evaluation/metrics.json": "0"})
    check_refused(lay_out(checkout, tmp_path / "none"), "names no file", key)
    checkout.decide(inputs={f"{seal.PREDICTOR}/model.onnx": "0"})
    check_refused(lay_out(checkout, tmp_path / "other"), r"predictor/model\.onnx is not", key)
    checkout.decide(inputs=["artifacts/inference/predictor/model.onnx"])
    check_refused(lay_out(checkout, tmp_path / "list"), "'inputs' is no table", key)


def test_a_pass_holds_to_the_end_of_its_last_day_and_no_longer(
    checkout: Bench, tmp_path: Path
) -> None:
    checkout.decide(valid_until="2017-07-21")
    last = lay_out(checkout, tmp_path / "last")
    seal.require_sealed(last, public_key=checkout.public_key(), now=NOW)
    checkout.decide(valid_until="2017-07-20")
    check_refused(lay_out(checkout, tmp_path / "ended"), "2017-07-20", checkout.public_key())


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"files": {}}', "[" * 99_999, "1"])
@pytest.mark.parametrize("name", [seal.SEAL, seal.DECISION])
def test_a_file_that_is_no_signed_document_is_refused(
    name: str, text: str, bento: Path, checkout: Bench
) -> None:
    (bento / name).write_text(text)
    check_refused(bento, ".", checkout.public_key())


def _json_values() -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=6,
    )


CHANGES: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "the whole": lambda document, value: value,
    "verdict": lambda document, value: document | {"verdict": value},
    "blessing": lambda document, value: document | {"blessing": value},
    "public_key": lambda document, value: (
        document | {"blessing": document["blessing"] | {"public_key": value}}
    ),
    "signature": lambda document, value: (
        document | {"blessing": document["blessing"] | {"signature": value}}
    ),
    "inputs": lambda document, value: document | {"inputs": value},
    "files": lambda document, value: document | {"files": value},
    "valid_until": lambda document, value: document | {"valid_until": value, "new": 1},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", [seal.SEAL, seal.DECISION])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=_json_values())
def test_no_document_is_a_crash(
    name: str, change: str, checkout: Bench, bento: Path, value: Any
) -> None:
    path = bento / name
    original = path.read_text()
    document = json.loads(original)
    changed = CHANGES[change](document, value)
    path.write_text(json.dumps(changed))
    try:
        if changed != document:
            with pytest.raises(ThoraxError):
                seal.require_sealed(bento, public_key=checkout.public_key(), now=NOW)
            with pytest.raises(ThoraxError):
                blessing.require_pass(changed, public_key=None, now=NOW)
    finally:
        path.write_text(original)


def test_code_from_elsewhere_than_the_bento_is_refused(bento: Path) -> None:
    with pytest.raises(Refused, match="serve it by its folder"):
        seal.require_own_code(bento)
    seal.require_own_code(bench.ROOT)
