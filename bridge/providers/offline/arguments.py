"""
Arguments that fit a tool's JSON schema, made up by somebody who understood no word.

Rule: pure and deterministic. Days of the week go round from turn to turn, everything else
is the schema's own example, or the plainest value of its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["DAYS", "arguments"]

DAYS = ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

_DEEPEST = 8  # levels of a schema that refers to itself
_FORMATS = {
    "date": "2030-01-05",
    "time": "12:00:00Z",
    "date-time": "2030-01-05T12:00:00Z",
    "email": "caller@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def arguments(schema: Mapping[str, Any] | None, turn: int) -> dict[str, Any]:
    """What the tool is called with in the caller's `turn`, counted from 0."""
    made = _value(schema or {"type": "object"}, "", _Maker(schema or {}, turn), 0)
    return made if isinstance(made, dict) else {}


class _Maker:
    def __init__(self, root: Mapping[str, Any], turn: int) -> None:
        self._root = root
        self.turn = turn

    def resolve(self, schema: Any) -> Mapping[str, Any]:
        """The schema itself, behind references and alternatives."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, Mapping):
                return {}
            reference = schema.get("$ref")
            choices = next((schema[k] for k in ("anyOf", "oneOf", "allOf") if schema.get(k)), None)
            if isinstance(reference, str):
                schema = self._find(reference)
            elif choices and "default" not in schema:
                schema = choices[0]
            else:
                return schema
        return {}

    def _find(self, reference: str) -> Any:
        found: Any = self._root
        for name in reference.removeprefix("#/").split("/"):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


def _value(schema: Any, name: str, maker: _Maker, depth: int) -> Any:
    schema = maker.resolve(schema)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return _choice(schema["enum"], name, maker.turn)
    for key in ("default", "examples"):
        if key in schema and schema[key] not in (None, []):
            return schema[key] if key == "default" else schema[key][0]
    return _plain(schema, name, maker, depth)


def _plain(schema: Mapping[str, Any], name: str, maker: _Maker, depth: int) -> Any:
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
    match kind:
        case "object":
            return _object(schema, maker, depth)
        case "array":
            least = schema.get("minItems", 0)
            return [_value(schema.get("items", {}), name, maker, depth + 1) for _ in range(least)]
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _text(schema, name, maker.turn)


def _object(schema: Mapping[str, Any], maker: _Maker, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    if depth > _DEEPEST:
        return {}
    wanted = schema.get("required", properties)
    return {n: _value(properties.get(n, {}), n, maker, depth + 1) for n in wanted}


def _number(schema: Mapping[str, Any]) -> float:
    least: float | None = schema.get("minimum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + 1
    return min(1, schema.get("maximum", 1)) if least is None else least


def _text(schema: Mapping[str, Any], name: str, turn: int) -> str:
    if "format" not in schema and "day" in name.lower():
        return DAYS[turn % len(DAYS)]
    made: str = _FORMATS.get(schema.get("format", ""), name.replace("_", " ") or "something")
    made = made.ljust(schema.get("minLength", 0), ".")
    return made[: schema.get("maxLength", len(made))]


def _choice(values: list[Any], name: str, turn: int) -> Any:
    if "day" in name.lower():
        days = [day for day in DAYS for value in values if str(value).lower() == day.lower()]
        if days:
            wanted = days[turn % len(days)].lower()
            return next(value for value in values if str(value).lower() == wanted)
    return values[0]
