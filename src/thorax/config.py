"""The loader of `params.yaml`: one section per room, validated by the model that the room defines.

An unknown key, a wrong type or a missing section is a `BadInput` that names file, section and key.
"""

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from thorax import artifacts
from thorax.errors import BadInput
from thorax.files import refuse_special


class Config(BaseModel):
    """Base of every room's settings: frozen, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Section = TypeVar("Section", bound=Config)


def load(section: str, model: type[Section], path: Path | None = None) -> Section:
    """The `section` of `params.yaml` (or of `path`) as a frozen `model`."""
    path = path or artifacts.root() / "params.yaml"
    params = read_params(path)
    if section not in params:
        raise BadInput(f"{path}: section {section!r} is missing")
    return parse(params[section], model, f"{path}: {section}")


def parse(values: Any, model: type[Section], where: str) -> Section:
    """Validate `values` with `model`; `where` opens the message of a `BadInput`."""
    try:
        return model.model_validate(values if values is not None else {})
    except ValidationError as error:
        raise BadInput("; ".join(_explain(item, model, where) for item in error.errors())) from None


def read_params(path: Path) -> dict[str, Any]:
    """The whole file as a mapping; broken YAML is a `BadInput` with the line."""
    refuse_special(path)
    try:
        params = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except FileNotFoundError:
        raise BadInput(f"{path} is missing") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8: {error}") from None
    except yaml.YAMLError as error:
        raise BadInput(f"{path} cannot be used: {error}") from None
    if not isinstance(params, dict):
        raise BadInput(f"{path}: expected sections, found {type(params).__name__}")
    return params


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error; PyYAML alone would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def _refuse_date(self, node: yaml.ScalarNode) -> Any:
        problem = f"put {node.value} in quotes: DVC takes no bare dates"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_UniqueKeys.add_constructor("tag:yaml.org,2002:timestamp", _UniqueKeys._refuse_date)


def _explain(item: Any, model: type[BaseModel], where: str) -> str:
    keys = [str(part) for part in item["loc"]]
    place = ".".join([where, *keys[:-1]])
    if item["type"] == "extra_forbidden":
        close = difflib.get_close_matches(keys[-1], _field_names(model, keys[:-1]), n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return f"{place}: unknown key {keys[-1]!r}{hint}"
    if item["type"] == "missing":
        return f"{place}: key {keys[-1]!r} is missing"
    message = item["msg"].removeprefix("Value error, ")
    return (
        f"{'.'.join([where, *keys])}: {message}, not {item['input']!r}"
        if keys
        else f"{where}: {message}"
    )


def _field_names(model: type[BaseModel], path: list[str]) -> list[str]:
    for key in path:
        field = model.model_fields.get(key)
        if field is None or not (
            isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        ):
            return []
        model = field.annotation
    return list(model.model_fields)
