"""Fields of Google's JSON: camel or snake case, and of the kind they should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.wire.gemini import fields
from bridge.wire.gemini.fields import Fields, Unreadable


@pytest.mark.parametrize("written", ["newHandle", "new_handle"])
def test_a_field_is_found_however_it_is_written(written: str) -> None:
    assert fields.value({written: "h"}, "newHandle") == "h"
    assert fields.camel(written) == "newHandle"


@pytest.mark.parametrize("message", [{}, {"thing": None}])
def test_a_field_that_is_not_there_is_empty(message: Fields) -> None:
    """Google's JSON leaves out what is false, zero or empty."""
    assert fields.object_of(message, "thing") is None
    assert fields.items(message, "thing") == []
    assert fields.text(message, "thing") == ""
    assert fields.flag(message, "thing") is False
    assert fields.seconds(message, "thing") == 0.0


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (fields.object_of, []),
        (fields.object_of, "x"),
        (fields.items, {}),
        (fields.text, 7),
        (fields.seconds, "soon"),
        (fields.seconds, {}),
    ],
)
def test_a_field_of_another_kind_is_unreadable(
    read: Callable[[Fields, str], object], wrong: Any
) -> None:
    """The text names the field and never what was in it."""
    with pytest.raises(Unreadable) as caught:
        read({"thing": wrong}, "thing")

    assert str(caught.value).startswith("thing is not")


@pytest.mark.parametrize(("written", "expected"), [("9.5s", 9.5), ("60s", 60.0), (3, 3.0)])
def test_a_duration_is_seconds(written: object, expected: float) -> None:
    assert fields.seconds({"timeLeft": written}, "timeLeft") == expected
