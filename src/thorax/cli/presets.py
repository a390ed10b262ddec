"""Presets: named sets of values that are merged into `params.yaml`, the one file that DVC reads.

Every preset sets the same keys, so going from one to another leaves nothing of the first behind,
and what a user changed under other keys stays. Comments in `params.yaml` stay as well.
"""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from thorax import artifacts
from thorax.config import read_params
from thorax.errors import BadInput


@dataclass(frozen=True)
class Change:
    """One value that a merge replaced."""

    key: str
    old: Any
    new: Any


def names(root: Path) -> list[str]:
    """The presets that there are."""
    return sorted(path.stem for path in (root / "presets").glob("*.yaml"))


def merge(name: str, root: Path) -> list[Change]:
    """Merge `presets/NAME.yaml` into `params.yaml`; returns what that changed."""
    path = root / "presets" / f"{name}.yaml"
    if not path.exists():
        raise BadInput(f"no preset {name!r}; there are: {', '.join(names(root))}")
    return set_values({"preset": name, **read_params(path)}, root)


def set_values(values: dict[str, Any], root: Path) -> list[Change]:
    """Set nested `values` in `params.yaml`, its comments kept; returns what that changed."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100
    path = root / "params.yaml"
    read_params(path)  # a broken file is named before anything is written
    params = yaml.load(path.read_text(encoding="utf-8"))
    changes = _merge(params, values, ())
    if changes:
        text = StringIO()
        yaml.dump(params, text)
        artifacts.write_text(path, text.getvalue())
    return changes


def _merge(target: Any, values: dict[str, Any], above: tuple[str, ...]) -> list[Change]:
    changes = []
    for key, value in values.items():
        here = (*above, key)
        old = target.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            changes += _merge(old, value, here)
        elif old != value:
            target[key] = value
            changes.append(Change(".".join(here), old, value))
    return changes
