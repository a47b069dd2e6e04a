"""JSON schemas in Gemini's subset of OpenAPI: Google's own type has to read each."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from google.genai import types

from bridge.wire.gemini.schema import openapi_schema


def converted(schema: dict[str, Any]) -> dict[str, Any]:
    result = openapi_schema(schema)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        types.Schema.model_validate(result)
    return result


def test_types_are_written_in_capitals() -> None:
    schema = converted(
        {
            "type": "object",
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "additionalProperties": False,
            "properties": {
                "day": {"type": "string", "description": "The day.", "minLength": 1},
                "loaves": {"type": "array", "items": {"type": "integer", "format": "int32"}},
            },
            "required": ["day", "gone"],
        }
    )

    assert schema == {
        "type": "OBJECT",
        "properties": {
            "day": {"type": "STRING", "description": "The day.", "minLength": 1},
            "loaves": {"type": "ARRAY", "items": {"type": "INTEGER", "format": "int32"}},
        },
        "required": ["day"],
    }


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "STRING", "nullable": True}),
        (
            {"oneOf": [{"type": "string"}, {"type": "number"}]},
            {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]},
        ),
        (
            {"type": ["string", "integer"]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
        ),
        ({"allOf": [{"type": "string"}]}, {"type": "STRING"}),
        ({"allOf": [{"type": "object"}, {"type": "object"}], "title": "T"}, {"title": "T"}),
        ({"const": "rye"}, {"type": "STRING", "enum": ["rye"]}),
        ({"type": "string", "enum": ["a", "b"]}, {"type": "STRING", "enum": ["a", "b"]}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "INTEGER"}),
        ({"type": "string", "format": "email"}, {"type": "STRING"}),
        ({"type": "object"}, {"type": "OBJECT"}),
    ],
)
def test_what_has_another_word_is_translated(said: dict[str, Any], expected: object) -> None:
    assert converted(said) == expected


def test_references_are_written_out() -> None:
    schema = converted(
        {
            "type": "object",
            "properties": {"order": {"$ref": "#/$defs/Order"}},
            "$defs": {"Order": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        }
    )

    assert schema["properties"]["order"] == {
        "type": "OBJECT",
        "properties": {"n": {"type": "INTEGER"}},
    }


def test_a_schema_that_contains_itself_ends() -> None:
    schema = converted(
        {
            "$ref": "#/$defs/Tree",
            "$defs": {"Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}}},
        }
    )

    assert schema == {"type": "OBJECT", "properties": {"left": {"type": "OBJECT"}}}
