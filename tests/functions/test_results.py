from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bridge.functions.results import MAX_SIZE, NotJsonError, plain

MARKER = "\n[cut here: the result is longer than 16 KiB]"


@dataclass
class Loaf:
    kind: str
    price: Decimal


class Shelf(BaseModel):
    loaves: list[Loaf]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, None),
        ("seven to six", "seven to six"),
        (12, 12),
        ({"a": [1, 2.5, True]}, {"a": [1, 2.5, True]}),
        ((1, 2), [1, 2]),
        (date(2026, 1, 31), "2026-01-31"),
        (Loaf("rye", Decimal("1.20")), {"kind": "rye", "price": "1.20"}),
        ([Shelf(loaves=[Loaf("rye", Decimal(1))])], [{"loaves": [{"kind": "rye", "price": "1"}]}]),
        ("half \ud800 pair", "half ? pair"),
        ({"half \ud800": "\udc00"}, {"half ?": "?"}),
    ],
)
def test_results(result: Any, expected: Any) -> None:
    """What JSON can say stays as it is; the rest becomes what pydantic makes of it."""
    assert plain(result) == expected


def endless() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(3_000):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    "result", [object(), float("nan"), {"a": float("inf")}, {(1, 2): 3}, endless(), deep()]
)
def test_what_json_cannot_say(result: Any) -> None:
    """The author is told the type that was returned, and not its content."""
    with pytest.raises(NotJsonError, match=f"in a {type(result).__name__}"):
        plain(result)


def test_long_texts_are_cut() -> None:
    """16 KiB of UTF-8 are kept, in whole characters, and a marker says so."""
    assert plain("x" * MAX_SIZE) == "x" * MAX_SIZE
    assert plain("x" * (MAX_SIZE + 1)) == "x" * MAX_SIZE + MARKER
    assert plain("x" + "ü" * MAX_SIZE) == "x" + "ü" * (MAX_SIZE // 2 - 1) + MARKER


def test_long_structures_are_cut() -> None:
    """What is too long for JSON becomes its beginning, as a text with a marker."""
    cut = plain([{"name": "x" * 50} for _ in range(10_000)])

    assert cut.startswith('[{"name": "xxx')
    assert cut.endswith(MARKER)
    assert len(cut.encode()) == MAX_SIZE + len(MARKER)


def test_writing_stops_where_it_is_too_long() -> None:
    """A result without an end is looked at only so far."""

    class Endless(list[int]):
        taken = 0

        def __iter__(self) -> Any:
            while True:
                self.taken += 1
                yield 1

    endless = Endless([1])

    assert plain(endless).endswith(MARKER)
    assert endless.taken < MAX_SIZE


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_JSON)
@settings(max_examples=100, deadline=None)
def test_every_answer_can_be_sent(result: Any) -> None:
    """Whatever comes out is JSON in UTF-8, and not longer than a little over 16 KiB."""
    try:
        answer = plain(result)
    except NotJsonError:
        return

    sent = json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    assert json.loads(sent) == answer
