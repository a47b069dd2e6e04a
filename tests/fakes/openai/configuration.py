"""The session object: its defaults, how an update changes it, and what no update may change."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from tests.fakes.openai.schema import Problem

__all__ = ["default_session", "update_problem", "updated"]

_SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def default_session(session_id: str, model: str, expires_in: int) -> dict[str, Any]:
    """What `session.created` tells, before anybody has configured anything."""
    pcm = {"type": "audio/pcm", "rate": 24_000}
    hears = {
        "format": dict(pcm),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": dict(_SERVER_VAD),
    }
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "expires_at": int(time.time()) + expires_in,
        "output_modalities": ["audio"],
        "instructions": "You are a helpful, witty, and friendly AI.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "audio": {
            "input": hears,
            "output": {"format": dict(pcm), "voice": "marin", "speed": 1.0},
        },
    }


def updated(session: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`session` with the fields that `change` names."""
    new = deepcopy(dict(session))
    before = session["audio"]["input"]["turn_detection"] or {}
    audio = change.get("audio") or {}
    new.update({name: value for name, value in change.items() if name != "audio"})
    for side in ("input", "output"):
        new["audio"][side].update(audio.get(side) or {})
    detection = new["audio"]["input"]["turn_detection"]
    if detection is not None:
        defaults = _SERVER_VAD if detection["type"] == "server_vad" else _SEMANTIC_VAD
        kept = before if before.get("type") == detection["type"] else {}
        new["audio"]["input"]["turn_detection"] = {**defaults, **kept, **detection}
    return new


def update_problem(
    session: Mapping[str, Any], change: Mapping[str, Any], *, heard: bool, spoken: bool
) -> Problem | None:
    """
    What forbids this update beyond its types.

    `heard`: the caller's audio came already; `spoken`: the model's voice was heard.
    """
    return next(_problems(session, change, heard=heard, spoken=spoken), None)


def _problems(
    session: Mapping[str, Any], change: Mapping[str, Any], *, heard: bool, spoken: bool
) -> Iterator[Problem]:
    new = updated(session, change)
    old_input, new_input = session["audio"]["input"], new["audio"]["input"]
    old_output, new_output = session["audio"]["output"], new["audio"]["output"]
    if new["type"] != session["type"] or new["model"] != session["model"]:
        yield _invalid("session.model")
    if len(new["output_modalities"]) != 1:
        yield _invalid("session.output_modalities")
    if "reasoning" in change and not session["model"].startswith("gpt-realtime-2"):
        param = "session.reasoning"
        yield Problem("unknown_parameter", param, f"Unknown parameter: '{param}'.")
    if spoken and new_output["voice"] != old_output["voice"]:
        message = "Cannot update a conversation's voice if assistant audio is present."
        yield Problem("cannot_update_voice", "session.audio.output.voice", message)
    if heard and new_input["format"] != old_input["format"]:
        yield _invalid("session.audio.input.format")
    if spoken and new_output["format"] != old_output["format"]:
        yield _invalid("session.audio.output.format")
    tokens = new["max_output_tokens"]
    if isinstance(tokens, int) and not 1 <= tokens <= 4_096:
        yield _invalid("session.max_output_tokens")
    yield from _tool_problems(new)
    yield from _detection_problems(new_input["turn_detection"] or {})


def _tool_problems(session: Mapping[str, Any]) -> Iterator[Problem]:
    names = [tool.get("name") or "" for tool in session["tools"] or ()]
    for number, name in enumerate(names):
        if not _TOOL_NAME.fullmatch(name) or names.index(name) != number:
            yield _invalid(f"session.tools[{number}].name")
    choice = session["tool_choice"]
    if isinstance(choice, Mapping) and choice.get("name") not in names:
        yield _invalid("session.tool_choice")


def _detection_problems(detection: Mapping[str, Any]) -> Iterator[Problem]:
    path = "session.audio.input.turn_detection"
    threshold, silence = detection.get("threshold"), detection.get("silence_duration_ms")
    if threshold is not None and not 0 <= threshold <= 1:
        yield _invalid(f"{path}.threshold")
    if silence is not None and silence < 0:
        yield _invalid(f"{path}.silence_duration_ms")


def _invalid(param: str) -> Problem:
    return Problem("invalid_value", param, f"Invalid value for '{param}'.")
