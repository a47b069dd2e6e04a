from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from bridge.telemetry import logs

log = logging.getLogger("bridge.somewhere")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging belongs to the process: leave it as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    libraries = {name: logging.getLogger(name).level for name in logs._TALKATIVE}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in libraries.items():
        logging.getLogger(name).setLevel(before)


def configured(format: str, level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, format, stream)
    return stream


def test_text() -> None:
    """A line has time, level, logger, call and message."""
    stream = configured("text")
    with logs.in_call("CA1"):
        log.info("%d frames", 3)

    time, rest = stream.getvalue().split(" ", 1)

    assert datetime.fromisoformat(time).tzinfo is not None
    assert rest == "INFO bridge.somewhere CA1: 3 frames\n"


def test_json() -> None:
    """A line is an object with the same."""
    stream = configured("json")
    with logs.in_call("CA1"):
        log.warning("%d frames", 3)

    line = json.loads(stream.getvalue())

    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "level": "warning",
        "logger": "bridge.somewhere",
        "message": "3 frames",
        "call": "CA1",
    }


def test_outside_of_a_call() -> None:
    """Without a call a line says nothing of one."""
    stream = configured("json")
    with logs.in_call("CA1"):
        pass
    log.info("started")

    assert "call" not in json.loads(stream.getvalue())
    assert logs.current_call() == ""


async def test_calls_do_not_mix() -> None:
    """Tasks that were begun in a call speak of that call, whoever else is at work."""
    stream = configured("json")

    async def work(name: str) -> None:
        await asyncio.sleep(0)
        log.info("%s", name)

    async with asyncio.TaskGroup() as tasks:
        for call in ("CA1", "CA2"):
            with logs.in_call(call):
                tasks.create_task(work(call))

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert [(line["call"], line["message"]) for line in lines] == [("CA1", "CA1"), ("CA2", "CA2")]


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_last_net(format: str) -> None:
    """A number or a key is taken out, even of an exception's words."""
    stream = configured(format)
    try:
        int("Bearer abcdef123456 of +14155550100")
    except ValueError:
        log.exception("failed for %s", "+14155550111")

    assert "Bearer [secret] of [number]" in stream.getvalue()
    assert "failed for [number]" in stream.getvalue()
    assert "test_logs.py" in stream.getvalue()


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_message_is_one_line(format: str) -> None:
    """Nobody else can write a line of ours by sending a line break."""
    stream = configured(format)
    log.info("bad frame: %s", "a\nINFO forged\x1b[2J\r")

    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_levels() -> None:
    """The level holds for us and the agent; libraries that write down keys are kept quiet."""
    stream = configured("text", "DEBUG")
    log.debug("ours")
    logging.getLogger("bakery").debug("the agent's")
    logging.getLogger("websockets.client").debug("> Authorization: secret")
    logging.getLogger("twilio.http_client").info("To: somebody")
    logging.getLogger("websockets.client").warning("theirs")

    assert [line.split(": ")[1] for line in stream.getvalue().splitlines()] == [
        "ours",
        "the agent's",
        "theirs",
    ]


def test_configured_twice() -> None:
    """The later one takes the place of the earlier."""
    first, second = configured("text"), configured("json")
    log.info("once")

    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1
