"""What we tell OpenAI: its client events, as dictionaries without an id."""

from __future__ import annotations

from typing import Any

from bridge.errors import UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.wire.openai.history import write_message

__all__ = ["create_item", "truncate", "update", "write_event"]

_ROLES = {"developer": "system", "model": "assistant"}  # other vendors' words for the same

Frame = dict[str, Any]


def write_event(event: ClientEvent) -> list[Frame]:
    """The frames that say `event`. Audio and truncation know more than an event tells."""
    match event:
        case client.SessionUpdate(session):
            return [update(dict(session))]
        case client.InputAudioBufferCommit():
            return [{"type": "input_audio_buffer.commit"}]
        case client.InputAudioBufferClear():
            return [{"type": "input_audio_buffer.clear"}]
        case client.ConversationItemCreate(item):
            return [create_item(dict(item))]
        case client.ResponseCreate(instructions):
            return [_respond(instructions)]
        case client.ResponseCancel():
            return [{"type": "response.cancel"}]
        case client.Message():
            return _message(event)
        case client.ItemTruncate(item_id, heard_ms):
            return [truncate(item_id, heard_ms)]
        case client.AudioDelta() | client.UpdateSession():
            raise UnsupportedConfig(f"{type(event).__name__} is no event of OpenAI's")


def update(session: Frame) -> Frame:
    """`session` may hold a single field; the type is required with each update."""
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def create_item(item: Frame) -> Frame:
    return {"type": "conversation.item.create", "item": item}


def truncate(item_id: str, heard_ms: int) -> Frame:
    """Of a model's audio nothing is left after `heard_ms`; of none of it, no item is left."""
    if heard_ms <= 0:
        return {"type": "conversation.item.delete", "item_id": item_id}
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": heard_ms,
    }


def _message(message: client.Message) -> list[Frame]:
    role = _ROLES.get(message.role, message.role)
    try:
        item = write_message(role, message.text)
    except KeyError:
        raise UnsupportedConfig(f"OpenAI has no word for the role {message.role!r}") from None
    frames = [create_item(item)]
    return [*frames, _respond(None)] if message.respond else frames


def _respond(instructions: str | None) -> Frame:
    if instructions is None:
        return {"type": "response.create"}
    return {"type": "response.create", "response": {"instructions": instructions}}
