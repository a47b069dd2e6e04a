"""
What the protocol allows, by the types of the official `openai` package.

Those types accept unknown fields and convert values, so an event is validated strictly by
the model of its own type, and then searched for fields that the model does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from openai.types.realtime.realtime_session_create_response import RealtimeSessionCreateResponse
from pydantic import BaseModel, ValidationError

__all__ = ["CLIENT_TYPES", "SERVER_TYPES", "Problem", "client_problem", "server_problem"]

_READ_ONLY = {"session.id", "session.object", "session.expires_at"}  # of created and updated
_APPEND_FIELDS = {"type", "audio", "event_id"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an event is refused, in the words of the API's errors."""

    code: str
    param: str
    message: str


def _models(union: Any) -> dict[str, type[BaseModel]]:
    return {
        kind: model
        for model in get_args(get_args(union)[0])
        for kind in get_args(model.model_fields["type"].annotation)
    }


CLIENT_TYPES: Mapping[str, type[BaseModel]] = _models(RealtimeClientEvent)
SERVER_TYPES: Mapping[str, type[BaseModel]] = _models(RealtimeServerEvent)


def client_problem(event: Mapping[str, Any]) -> Problem | None:
    """The first thing that is wrong with a client event."""
    kind = event.get("type")
    if kind == "input_audio_buffer.append" and event.keys() <= _APPEND_FIELDS:
        # Fifty a second for each call: the same rules by hand.
        return None if isinstance(event.get("audio"), str) else _wrong("audio", "missing")
    if not isinstance(kind, str) or kind not in CLIENT_TYPES:
        return Problem("invalid_value", "type", f"Invalid value: {kind!r}.")
    return _problem(CLIENT_TYPES[kind], event)


def server_problem(event: Mapping[str, Any]) -> Problem | None:
    """The first thing that is wrong with a server event."""
    kind = event["type"]
    if kind in {"session.created", "session.updated"}:
        described = _problem(RealtimeSessionCreateResponse, event["session"])
        return described or _problem(SERVER_TYPES[kind], event, allowed=_READ_ONLY)
    return _problem(SERVER_TYPES[kind], event)


def _problem(
    model: type[BaseModel], words: Mapping[str, Any], allowed: set[str] | None = None
) -> Problem | None:
    try:
        read = model.model_validate(words, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        names = [str(part) for part in first["loc"]]
        param = ".".join(name for name in names if not name[:1].isupper())
        return _wrong(param, first["type"])
    extras = (path for path in _extras(read, "") if path not in (allowed or set()))
    unknown = next(extras, None)
    if unknown is None:
        return None
    return Problem("unknown_parameter", unknown, f"Unknown parameter: '{unknown}'.")


def _wrong(param: str, kind: str) -> Problem:
    if kind == "missing":
        message = f"Missing required parameter: '{param}'."
        return Problem("missing_required_parameter", param, message)
    return Problem("invalid_value", param, f"Invalid value for '{param}' ({kind}).")


def _extras(value: Any, path: str) -> Iterator[str]:
    """The fields that no model knows, by path."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}{name}"
        for name in type(value).model_fields:
            yield from _extras(getattr(value, name), f"{path}{name}.")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _extras(item, f"{path.rstrip('.')}[{number}].")
