from __future__ import annotations

from typing import Any

import pytest
from referencing.exceptions import Unresolvable

from bridge.errors import ConfigError, ToolArgumentsError
from bridge.functions.json_schema import JsonSchema

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "enum": ["monday", "tuesday"]},
        "count": {"type": "integer", "minimum": 1},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "to": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 4}}},
    },
    "required": ["day"],
    "additionalProperties": False,
}


def test_what_fits() -> None:
    """Arguments that fit pass, with and without what is optional."""
    schema = JsonSchema(SCHEMA)

    schema.check({"day": "monday"})
    schema.check({"day": "monday", "count": 2, "note": None, "to": {"city": "Ulm"}})


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "arguments: 'day' is a required property"),
        ({"day": "hunter2"}, r'day: breaks the rule enum \["monday", "tuesday"\]'),
        ({"day": "monday", "count": 0}, "count: breaks the rule minimum 1"),
        ({"day": "monday", "count": "hunter2"}, 'count: breaks the rule type "integer"'),
        ({"day": "monday", "note": 1}, "note: has none of the forms that the schema allows"),
        ({"day": "monday", "to": {"city": "hunter2"}}, "to.city: breaks the rule maxLength 4"),
        ({"day": "monday", "x": "hunter2"}, "arguments: has an argument that does not exist"),
    ],
)
def test_what_does_not_fit(arguments: dict[str, Any], reason: str) -> None:
    """The model is told the name and the rule, and no value."""
    with pytest.raises(ToolArgumentsError, match=reason) as raised:
        JsonSchema(SCHEMA).check(arguments)

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({}, '"type": "object"'),
        ({"type": "string"}, '"type": "object"'),
        ({"type": "object", "properties": 1}, "no valid JSON schema"),
        ({"type": "object", "required": "day"}, "no valid JSON schema"),
    ],
)
def test_schemas_that_are_none(schema: dict[str, Any], reason: str) -> None:
    """A schema that cannot check anything is refused where it is declared."""
    with pytest.raises(ConfigError, match=reason):
        JsonSchema(schema)


def test_nothing_is_fetched() -> None:
    """A reference to another document is an error and no request."""
    schema = JsonSchema({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/s"}}})

    with pytest.raises(Unresolvable):
        schema.check({"a": 1})
