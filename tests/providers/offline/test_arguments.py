from __future__ import annotations

from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

from bridge.providers.offline.arguments import DAYS, arguments


def of(properties: dict[str, Any], turn: int = 0, **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, **more}
    return arguments(schema, turn)


def test_days_go_round() -> None:
    """Saturday first, then Sunday: a caller who asks again asks for another day."""
    day = {"day": {"type": "string"}}

    asked = [of(day, turn)["day"] for turn in range(8)]

    assert asked == [*DAYS, "Saturday"]


def test_days_are_taken_from_the_enumeration() -> None:
    """In the tool's own spelling, and those only."""
    schema = {"weekday": {"enum": ["MONDAY", "sunday", "holiday"]}}

    assert [of(schema, turn)["weekday"] for turn in range(3)] == ["sunday", "MONDAY", "sunday"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 4}, 4),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "default": "now"}, "now"),
        ({"type": "string", "examples": ["tea"]}, "tea"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "number", "maximum": 0.5}, 0.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": "array"}, []),
        ({"type": "array", "minItems": 2, "items": {"type": "integer"}}, [1, 1]),
        ({"type": ["string", "null"]}, "thing name"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"type": "string", "format": "date"}, "2030-01-05"),
        ({"type": "string", "minLength": 12}, "thing name.."),
        ({"type": "string", "maxLength": 3}, "thi"),
        ({"properties": {"x": {"type": "integer"}}}, {"x": 1}),
        ({}, "thing name"),
        (True, "thing name"),
    ],
)
def test_values_are_the_schemas_own_or_plain(schema: Any, value: Any) -> None:
    """Constant, enumeration, default, example, and then the plainest of the type."""
    assert of({"thing_name": schema}) == {"thing_name": value}


def test_only_what_is_required_is_given() -> None:
    """Where the schema says so; all properties where it does not."""
    schema = {"a": {"type": "integer"}, "b": {"type": "integer"}}

    assert of(schema, required=["b"]) == {"b": 1}
    assert of(schema) == {"a": 1, "b": 1}
    assert arguments(None, 0) == {}


class Guest(BaseModel):
    name: str = Field(min_length=2)
    friends: list[Guest] = []


class Booking(BaseModel):
    day: str
    people: int = Field(ge=2)
    table: Literal["inside", "outside"]
    guest: Guest
    note: str | None


def test_schemas_of_pydantic_are_satisfied() -> None:
    """References and alternatives are followed."""
    schema = Booking.model_json_schema()

    made = arguments(schema, 1)

    jsonschema.validate(made, schema)
    assert made["day"] == "Sunday"
    assert Booking.model_validate(made).people == 2


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"$ref": "#/nowhere"},
        {
            "type": "object",
            "properties": {"again": {"$ref": "#"}},
            "required": ["again"],
        },
        {"type": "array", "minItems": 1},
        {"type": "string"},
    ],
)
def test_odd_schemas_end(schema: dict[str, Any]) -> None:
    """What refers to itself or to nowhere, or is no object, gives some object."""
    assert isinstance(arguments(schema, 0), dict)
