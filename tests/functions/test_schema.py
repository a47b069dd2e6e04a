from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from bridge.errors import ConfigError, ToolArgumentsError
from bridge.functions.schema import FunctionSchema, misfit

if TYPE_CHECKING:
    from decimal import Decimal


class Bread(StrEnum):
    RYE = "rye"
    WHEAT = "wheat"


class Address(BaseModel):
    """Where somebody lives."""

    title: str = Field(description="How to address them.")
    city: str


@dataclass
class Order:
    bread: Bread
    to: Address


class Tree(BaseModel):
    branches: list[Tree]


class Given:
    pass


async def order(
    day: date,
    orders: list[Order],
    how: Literal["fetch", "bring"] = "fetch",
    *,
    count: Annotated[int, Field(gt=0, description="How many loaves.")] = 1,
    note: str | None = None,
) -> None:
    """
    Order bread.

    Args:
        day: When.
        count: Not told, for the annotation says more.
        how: How it gets there.
    """


def test_schema_of_a_function() -> None:
    """Types become a flat JSON schema with descriptions, defaults and what is required."""
    schema = FunctionSchema.of(order)

    address = {
        "type": "object",
        "description": "Where somebody lives.",
        "properties": {
            "title": {"type": "string", "description": "How to address them."},
            "city": {"type": "string"},
        },
        "required": ["title", "city"],
    }
    assert schema.description == "Order bread."
    assert schema.parameters == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "format": "date", "description": "When."},
            "orders": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "bread": {"type": "string", "enum": ["rye", "wheat"]},
                        "to": address,
                    },
                    "required": ["bread", "to"],
                    "additionalProperties": False,
                },
            },
            "how": {
                "type": "string",
                "enum": ["fetch", "bring"],
                "default": "fetch",
                "description": "How it gets there.",
            },
            "count": {
                "type": "integer",
                "exclusiveMinimum": 0,
                "default": 1,
                "description": "How many loaves.",
            },
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["day", "orders"],
        "additionalProperties": False,
    }


def test_arguments_are_converted() -> None:
    """A function gets what it asks for, and its own defaults stay its own."""
    arguments = FunctionSchema.of(order).convert(
        {
            "day": "2026-01-31",
            "orders": [{"bread": "rye", "to": {"title": "Dr", "city": "Ulm"}}],
            "count": "3",
        }
    )

    assert arguments == {
        "day": date(2026, 1, 31),
        "orders": [Order(Bread.RYE, Address(title="Dr", city="Ulm"))],
        "count": 3,
    }


def test_numbers_for_texts() -> None:
    """A model that says 4711 where a text is asked for means "4711"."""

    def find(number: str) -> None: ...

    assert FunctionSchema.of(find).convert({"number": 4711}) == {"number": "4711"}


def test_names_that_pydantic_uses() -> None:
    """An argument may be called as a method of a model is."""

    def find(json: str, copy: int, schema: bool, model_config: str, _hidden: int) -> None: ...

    arguments = {"json": "a", "copy": 1, "schema": True, "model_config": "b", "_hidden": 2}

    assert FunctionSchema.of(find).convert(arguments) == arguments


def test_defaults_written_as_fields() -> None:
    """A default inside of a Field is passed on, for the function cannot use it itself."""

    def find(day: str = Field(default="today", description="When.")) -> None: ...

    schema = FunctionSchema.of(find)

    assert schema.parameters["properties"]["day"]["description"] == "When."
    assert schema.convert({}) == {"day": "today"}


def test_defaults_that_json_cannot_say() -> None:
    """Such a default is not shown, and stays the very same object."""
    nothing = object()

    def find(day: Any = nothing) -> object:
        return day

    schema = FunctionSchema.of(find)

    assert schema.parameters["properties"] == {"day": {}}
    assert find(**schema.convert({})) is nothing


def test_given_parameters() -> None:
    """What the bridge fills in is not part of the schema, and no model can set it."""

    def find(day: str, call: Given) -> None: ...

    schema = FunctionSchema.of(find, given=(Given,))

    assert list(schema.parameters["properties"]) == ["day"]
    assert schema.given == {"call": Given}
    with pytest.raises(ToolArgumentsError, match="call: there is no such argument"):
        schema.convert({"day": "x", "call": {}})


def test_methods_and_partials() -> None:
    """Whatever has a signature will do."""

    class Shop:
        def find(self, day: str) -> None:
            """Find bread."""

    def find(shop: str, day: str) -> None:
        """Find bread."""

    for function in (Shop().find, partial(find, "mine")):
        schema = FunctionSchema.of(function)

        assert schema.description == "Find bread."
        assert list(schema.parameters["properties"]) == ["day"]


def test_what_does_not_fit() -> None:
    """The model is told names and reasons, all at once, and no value."""
    schema = FunctionSchema.of(order)

    with pytest.raises(ToolArgumentsError) as raised:
        schema.convert({"day": "hunter2", "orders": [{"bread": "hunter2"}], "color": "hunter2"})

    text = str(raised.value)
    assert text.startswith("The arguments do not fit: day: Input should be a valid date")
    assert "orders.0.bread: Input should be 'rye' or 'wheat'" in text
    assert "orders.0.to: is required" in text
    assert "color: there is no such argument" in text
    assert "hunter2" not in text


def test_tags_are_not_repeated() -> None:
    """The word that chooses between two forms is a value, too."""

    class Cash(BaseModel):
        kind: Literal["cash"]

    class Card(BaseModel):
        kind: Literal["card"]

    def pay(by: Any) -> None: ...

    pay.__annotations__["by"] = Annotated[Cash | Card, Field(discriminator="kind")]
    schema = FunctionSchema.of(pay)

    assert "discriminator" not in schema.parameters["properties"]["by"]
    with pytest.raises(ToolArgumentsError, match=r"by: 'kind' is none of the expected words") as e:
        schema.convert({"by": {"kind": "hunter2"}})
    assert "hunter2" not in str(e.value)


def test_many_problems() -> None:
    """The text stays short, however much is wrong."""
    error = misfit(f"a{index}: is required" for index in range(10))

    assert "a7: is required; and 2 more." in str(error)
    assert "a8" not in str(error)


def test_long_names_are_cut() -> None:
    """A name that the model made up does not fill the context."""

    def find() -> None: ...

    with pytest.raises(ToolArgumentsError) as raised:
        FunctionSchema.of(find).convert({"x" * 10_000: 1})

    assert len(str(raised.value)) < 200


def no_type(day) -> None: ...  # type: ignore[no-untyped-def]


def many(*days: str, **more: str) -> None: ...


def positional(day: str, /) -> None: ...


def unknown(price: Decimal) -> None: ...


def callback(then: Callable[[], None]) -> None: ...


def foreign(given: Given) -> None: ...


def endless(tree: Tree) -> None: ...


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (no_type, "day: has no type; write one, such as `day: str`"),
        (many, "days: a model passes .* by their names; more: a model passes"),
        (positional, "day: a model passes"),
        (unknown, "types cannot be read .*Decimal.* at the top level"),
        (callback, "a model cannot fill in its parameters"),
        (foreign, "a model cannot fill in its parameters"),
        (endless, "a model cannot fill in Tree, which contains itself"),
    ],
)
def test_functions_that_are_no_tools(function: Callable[..., Any], reason: str) -> None:
    """The author learns why, where the function is declared."""
    with pytest.raises(ConfigError, match=reason):
        FunctionSchema.of(function)
