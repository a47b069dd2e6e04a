"""
Logs: lines for people or JSON for machines, each with the call that it is about.

Rule: a line is one event and holds no number, no key and no word that was spoken; the
redaction is only the last net.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from bridge.telemetry.redaction import redact

__all__ = ["configure", "current_call", "in_call"]

# These write requests and headers into their logs, which is how keys get there.
_TALKATIVE = ("hpack", "httpcore", "httpx", "redis", "twilio", "urllib3", "websockets")

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {10: "\\n", 13: "\\r"}

_call: ContextVar[str] = ContextVar("bridge_call", default="")


def configure(level: str, format: str, stream: TextIO | None = None) -> None:
    """
    Send all logs to `stream` (standard error), in the `text` or `json` format.

    `level` holds for this program and the agent; other people's libraries that write
    down what they send are kept at WARNING. Calling it again replaces what was before.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    handler.set_name("bridge")
    root = logging.getLogger()
    for old in [each for each in root.handlers if each.get_name() == "bridge"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


@contextmanager
def in_call(call_id: str) -> Iterator[None]:
    """Name the call in every line that is logged inside, and in tasks that are begun there."""
    token = _call.set(call_id)
    try:
        yield
    finally:
        _call.reset(token)


def current_call() -> str:
    """The carrier's id of the call at hand, or ""."""
    return _call.get()


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO bridge.call CA123: the message`, then the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        call = f" {current_call()}" if current_call() else ""
        message = record.getMessage().translate(_CONTROLS)
        line = f"{_time(record)} {record.levelname} {record.name}{call}: {message}"
        trace = _trace(self, record)
        return redact(f"{line}\n{trace}" if trace else line)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and call and exception if any."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if call := current_call():
            line["call"] = call
        if trace := _trace(self, record):
            line["exception"] = redact(trace)
        return json.dumps(line)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
