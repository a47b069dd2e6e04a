"""Bodies are bounded, and errors have one shape."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.types import Message

from bridge.web.bodies import TooLong, error, read_body


def request(*messages: Message) -> Request:
    """One whose body comes in these pieces."""
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def pieces(*bodies: bytes) -> Sequence[Message]:
    last = len(bodies) - 1
    return [
        {"type": "http.request", "body": body, "more_body": number < last}
        for number, body in enumerate(bodies)
    ]


async def test_a_body_is_read_to_its_end() -> None:
    assert await read_body(request(*pieces(b"ab", b"", b"c")), 3) == b"abc"


async def test_a_body_is_not_read_any_further_than_it_may_be_long() -> None:
    """Whoever sends without end is not listened to without end."""
    endless = [{"type": "http.request", "body": b"x" * 10, "more_body": True}] * 3
    with pytest.raises(TooLong):
        await read_body(request(*endless), 20)


async def test_a_body_that_breaks_off_is_none() -> None:
    broken: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.disconnect"},
    ]

    assert await read_body(request(*broken), 10) == b""


def test_errors_have_a_code_and_a_message() -> None:
    answer = error(404, "unknown_call", "no such call", Warning="w")

    assert answer.status_code == 404
    assert json.loads(bytes(answer.body)) == {
        "error": {"code": "unknown_call", "message": "no such call"}
    }
    assert answer.headers["warning"] == "w"
