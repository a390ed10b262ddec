"""Holds the house: who may import whom, which library lives where, and what a stage depends on."""

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"

LEVELS = {
    "cli": 6,
    "flows": 5, "serving": 5, "validation": 5, "forget": 5,
    "release": 4, "gate": 4, "tables": 4, "label_noise": 4, "review": 4,
    "training": 3, "inference": 3,
    "dataset": 2, "model": 2, "sources": 2,
    "reports": 1, "evaluation": 1, "localization": 1,
    "artifacts": 0, "config": 0, "images": 0, "image_formats": 0, "blessing": 0, "findings": 0,
    "errors": 0, "files": 0, "locks": 0, "stage": 0, "progress": 0, "environment": 0, "validity": 0,
    "schemas": 0, "disk_space": 0, "origin": 0, "stats": 0, "tar_archives": 0,
    "appearance": 0, "image_checks": 0, "keys": 0, "seal": 0,
}  # fmt: skip

# Within the lowest line, `findings` and `errors` import nothing of ours.
GROUND = {name for name, level in LEVELS.items() if level == 0}
NARROWER = {
    "serving": {"thorax.inference.predictor", "thorax.inference.boxes",
                "thorax.inference.colours", "thorax.images",
                "thorax.image_checks", "thorax.seal", "thorax.blessing", "thorax.findings",
                "thorax.errors"},
    "validation": {f"thorax.{name}" for name in GROUND},
}  # fmt: skip

HOMES = {
    "prefect": {"flows"},
    "bentoml": {"serving", "release"},
    "great_expectations": {"validation"},
    "dvc": set(),
    "cleanlab": {"label_noise"},
    "torch": {
        "model",
        "training",
        "thorax.dataset.augment",
        "thorax.inference.export",
        "thorax.label_noise.network",
    },
    "torchvision": {"model", "training", "thorax.dataset.augment", "thorax.inference.export"},
    "onnxruntime": {"thorax.inference.predictor"},
    "openvino": {"thorax.inference.predictor"},
}

# `thorax doctor` asks torch whether it sees a GPU; it does nothing else with it.
EXCUSED = {("thorax.cli.doctor", "torch")}


def modules() -> dict[str, Path]:
    found = {}
    for top, base in ((SRC / "thorax", SRC), (ROOT / "flows", ROOT), (ROOT / "serving", ROOT),
                      (ROOT / "validation", ROOT)):  # fmt: skip
        for path in top.rglob("*.py"):
            parts = path.relative_to(base).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "thorax" and len(parts) > 1 else parts[0]


@cache
def imports(module: str) -> frozenset[str]:
    """Every module that `module` imports, anywhere in its code, lazily too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.add(whole if whole in MODULES else node.module)
    return frozenset(names)


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name in MODULES}


def test_there_is_something_to_hold() -> None:
    assert len(MODULES) > 40
    assert {room(name) for name in MODULES if "." in name} <= set(LEVELS) | {"__init__"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_rooms_import_downwards_only(module: str) -> None:
    mine = room(module)
    if module == "thorax":
        return
    for other in ours(module):
        theirs = room(other)
        if theirs != mine:
            allowed = LEVELS[theirs] < LEVELS[mine] or LEVELS[mine] == LEVELS[theirs] == 0
            assert allowed, f"{module} imports {other}: {theirs} is not below {mine}"
            if mine in NARROWER:
                named = any(
                    other == name or other.startswith(f"{name}.") for name in NARROWER[mine]
                )
                assert named, f"{module} may not import {other}"


@pytest.mark.parametrize("module", ["thorax.findings", "thorax.errors"])
def test_the_ground_imports_nothing_of_ours(module: str) -> None:
    assert ours(module) == set()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_libraries_live_in_their_rooms(module: str) -> None:
    for name in imports(module):
        top = name.split(".")[0]
        if top in HOMES and (module, top) not in EXCUSED:
            assert room(module) in HOMES[top] or module in HOMES[top], f"{module} imports {top}"


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if MODULES[name].name == "__init__.py")
)
def test_package_files_import_nothing(module: str) -> None:
    assert imports(module) == frozenset()


def test_serving_reaches_no_training_code() -> None:
    reached = transitive({name for name in MODULES if room(name) == "serving"})
    rooms = {room(name) for name in reached}
    assert rooms <= {
        "serving",
        "inference",
        "localization",
        "appearance",
        "image_checks",
        "images",
        "seal",
        "image_formats",
        "blessing",
        "validity",
        "findings",
        "errors",
        "thorax",
    }
    assert {name for name in reached if room(name) == "localization"} <= {
        "thorax.localization",
        "thorax.localization.iou",
    }
    assert "thorax.inference.export" not in reached


def transitive(start: set[str]) -> set[str]:
    reached, todo = set(), list(start)
    while todo:
        module = todo.pop()
        if module not in reached:
            reached.add(module)
            todo += ours(module)
    return reached


# Stages of the room `validation`, which stands at the top; its second one is a file.
PACKAGES = {"validation": "validation", "validation_predictions": "validation.predictions"}


def stages() -> dict[str, dict[str, object]]:
    files = (ROOT / "dvc.yaml", ROOT / "optional" / "dvc.yaml")
    return {name: about for file in files for name, about in declared(file).items()}


def declared(file: Path) -> dict[str, dict[str, object]]:
    return yaml.safe_load(file.read_text())["stages"]


@pytest.mark.parametrize("stage", sorted(stages()))
def test_a_stage_names_everything_that_it_imports(stage: str) -> None:
    entry = PACKAGES.get(stage, f"thorax.{stage}")
    start = {name for name in (entry, f"{entry}.__main__") if name in MODULES}
    assert start, f"no room for stage {stage}"
    deps = [ROOT / str(dep) for dep in stages()[stage]["deps"]]  # type: ignore[attr-defined]
    for module in transitive(start):
        path = MODULES[module]
        if path.name == "__init__.py" and path.stat().st_size == 0:
            continue
        covered = any(path == dep or dep in path.parents for dep in deps)
        assert covered, f"stage {stage} imports {module}, which its deps do not name"


@pytest.mark.parametrize("stage", sorted(stages()))
def test_a_stage_is_a_room_a_command_and_a_folder(stage: str) -> None:
    section = stages()[stage]
    package = PACKAGES.get(stage, f"thorax.{stage}")
    assert str(section["cmd"]).endswith(f" -m {package}")
    assert section["outs"] == [f"artifacts/{stage}"]
    assert section["params"] == [stage]
    assert "requirements.lock" in section["deps"]  # type: ignore[operator]
    assert (ROOT / "tests" / stage).is_dir()
    for dep in section["deps"]:  # type: ignore[attr-defined]
        assert str(dep).startswith(("artifacts/", "data/")) or (ROOT / str(dep)).exists(), dep
