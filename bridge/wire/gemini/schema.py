"""JSON schemas for models that read only Gemini's own subset of OpenAPI 3.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["openapi_schema"]

_KEPT = (
    "title",
    "description",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
)
_FORMATS = frozenset({"float", "double", "int32", "int64", "enum", "date-time"})


def openapi_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """
    `schema` as Gemini's `Schema` says it: types in capitals, references written out.

    What the subset cannot say is left out, so that the model is told less than `schema`
    demands and never something else. A schema that contains itself ends in an object.
    """
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    return _converted(schema, definitions, frozenset())


def _converted(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], above: frozenset[str]
) -> dict[str, Any]:
    if isinstance(reference := schema.get("$ref"), str):
        name = reference.rsplit("/", 1)[-1]
        if name in above or name not in definitions:
            return {"type": "OBJECT"}
        return _converted(definitions[name], definitions, above | {name})
    converted = {key: schema[key] for key in _KEPT if key in schema}
    converted |= _kind(schema)
    converted |= _choice(schema)
    if isinstance(items := schema.get("items"), Mapping):
        converted["items"] = _converted(items, definitions, above)
    if isinstance(properties := schema.get("properties"), Mapping) and properties:
        converted["properties"] = {
            name: _converted(part, definitions, above) for name, part in properties.items()
        }
        required = [name for name in schema.get("required") or () if name in properties]
        converted |= {"required": required} if required else {}
    return converted | _alternatives(schema, definitions, above)


def _kind(schema: Mapping[str, Any]) -> dict[str, Any]:
    said = schema.get("type")
    types = [said] if isinstance(said, str) else list(said or ())
    named = [name for name in types if name != "null"]
    kind: dict[str, Any] = {"nullable": True} if "null" in types or schema.get("nullable") else {}
    if len(named) == 1:
        kind["type"] = named[0].upper()
    elif named:
        kind["anyOf"] = [{"type": name.upper()} for name in named]
    if schema.get("format") in _FORMATS:
        kind["format"] = schema["format"]
    return kind


def _choice(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Only texts can be enumerated."""
    values = [schema["const"]] if "const" in schema else schema.get("enum") or ()
    texts = [value for value in values if isinstance(value, str)]
    return {"type": "STRING", "enum": texts} if texts and len(texts) == len(values) else {}


def _alternatives(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], above: frozenset[str]
) -> dict[str, Any]:
    branches = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or ()
    some = [branch for branch in branches if branch.get("type") != "null"]
    converted = [_converted(branch, definitions, above) for branch in some]
    nullable = {"nullable": True} if len(some) < len(branches) else {}
    if len(converted) == 1:
        return converted[0] | nullable
    if converted and "allOf" not in schema:
        return {"anyOf": converted} | nullable
    return nullable
