"""
What Gemini Live accepts, and what it closes the connection on.

Messages are judged by Google's own types; what those let through and the server does not
is judged here, from Google's documentation of each model.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from typing import Any

import pydantic
from google.genai import types

__all__ = ["ClientMessage", "Refused", "check_server_message", "check_setup", "read_message"]

MODELS = {
    "gemini-2.5-flash-native-audio-preview-12-2025": "2.5",
    "gemini-live-2.5-flash-native-audio": "2.5",
    "gemini-3.1-flash-live-preview": "3.1",
    "gemini-3.8-live": "3.8",
    "gemini-3.8-live-extended-thinking": "3.8 thinking",
}
_VERTEX_PATH = r"projects/[^/]+/locations/[^/]+/publishers/google/models"
VOICES = frozenset(
    [
        "Zephyr",
        "Puck",
        "Charon",
        "Kore",
        "Fenrir",
        "Leda",
        "Orus",
        "Aoede",
        "Callirrhoe",
        "Autonoe",
        "Enceladus",
        "Iapetus",
        "Umbriel",
        "Algieba",
        "Despina",
        "Erinome",
        "Algenib",
        "Rasalgethi",
        "Laomedeia",
        "Achernar",
        "Alnilam",
        "Schedar",
        "Gacrux",
        "Pulcherrima",
        "Achird",
        "Zubenelgenubi",
        "Vindemiatrix",
        "Sadachbia",
        "Sadaltager",
        "Sulafat",
    ]
)


class Refused(Exception):
    """The server closes the connection with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


@dataclass
class ClientMessage:
    """One message of the client's. `kind` is its only field, in snake case."""

    kind: str
    body: Any
    sent: dict[str, Any]
    turn_taking: types.RealtimeInputConfig | None = None


def read_message(frame: str | bytes) -> ClientMessage:
    try:
        sent = json.loads(frame)
    except ValueError:
        raise Refused(1007, "Invalid JSON payload received.") from None
    if not isinstance(sent, dict) or len(sent) != 1:
        raise Refused(1007, "Exactly one field of the client message has to be set.")
    (key,) = sent
    kind = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
    judged, turn_taking = sent, None
    if kind == "setup" and isinstance(sent[key], dict):
        # Google's type of the setup does not know this field, the server does.
        judged = {key: dict(sent[key])}
        given = judged[key].pop("realtimeInputConfig", None)
        given = judged[key].pop("realtime_input_config", None) if given is None else given
        turn_taking = None if given is None else _judge(types.RealtimeInputConfig, given)
    message = _judge(types.LiveClientMessage, judged)
    return ClientMessage(kind, getattr(message, kind), sent, turn_taking)


def check_server_message(message: dict[str, Any]) -> None:
    """Raises AssertionError when Google's own client could not read this."""
    judged = dict(message)
    if (activity := judged.get("voiceActivity")) is not None:
        # The wire says `type`; Google's client renames it before it validates.
        judged["voiceActivity"] = {
            "voiceActivityType" if key == "type" else key: value for key, value in activity.items()
        }
    try:
        _judge(types.LiveServerMessage, judged)
    except Refused as exc:
        raise AssertionError(f"the fake would say what the server never says: {exc}") from None


def check_setup(message: ClientMessage, *, vertex: bool) -> str:
    """The generation of the model, if the setup is right for it."""
    setup: types.LiveClientSetup = message.body
    generation = _generation(setup.model or "", vertex=vertex)
    config = setup.generation_config or types.GenerationConfig()
    modalities = config.response_modalities or []
    if modalities != [types.Modality.AUDIO]:
        raise Refused(1007, "Request contains an invalid argument: response modalities.")
    _check_speech(config)
    _check_thinking(config.thinking_config, generation)
    _check_extras(setup, config, generation)
    for tool in setup.tools or []:
        assert isinstance(tool, types.Tool), "on the wire there are no functions"
        _check_tool(tool, generation)
    return generation


def _generation(model: str, *, vertex: bool) -> str:
    prefix, _, name = model.rpartition("/")
    path = _VERTEX_PATH if vertex else "models"
    if re.fullmatch(path, prefix) is None or name not in MODELS:
        raise Refused(1008, f"{model} is not found for API version v1beta, or is not supported")
    return MODELS[name]


def _check_speech(config: types.GenerationConfig) -> None:
    voice = config.speech_config and config.speech_config.voice_config
    named = voice and voice.prebuilt_voice_config
    if named and named.voice_name not in VOICES:
        raise Refused(1007, "Request contains an invalid argument: voice.")


def _check_thinking(thinking: types.ThinkingConfig | None, generation: str) -> None:
    level = thinking is not None and thinking.thinking_level is not None
    budget = thinking is not None and thinking.thinking_budget is not None
    wrong = {
        "2.5": level,
        "3.1": budget,
        "3.8": thinking is not None,
        "3.8 thinking": budget or not level,
    }
    if wrong[generation]:
        raise Refused(1007, "Request contains an invalid argument: thinking.")


def _check_extras(
    setup: types.LiveClientSetup, config: types.GenerationConfig, generation: str
) -> None:
    if config.enable_affective_dialog is not None and generation != "2.5":
        raise Refused(1007, "Request contains an invalid argument: affective dialog.")
    proactive = setup.proactivity and setup.proactivity.proactive_audio
    if setup.proactivity is not None and (generation == "3.1" or proactive is False):
        raise Refused(1007, "Request contains an invalid argument: proactivity.")
    if setup.history_config is not None and generation == "2.5":
        raise Refused(1007, "Request contains an invalid argument: history config.")


def _check_tool(tool: types.Tool, generation: str) -> None:
    for declaration in tool.function_declarations or []:
        if declaration.parameters_json_schema is not None and generation == "2.5":
            raise Refused(1007, "Request contains an invalid argument: parametersJsonSchema.")
        if declaration.parameters is not None and not declaration.parameters.properties:
            raise Refused(1007, "properties: should be non-empty for OBJECT type.")
        blocking = declaration.behavior is types.Behavior.BLOCKING
        if blocking and generation == "3.8 thinking":
            raise Refused(1007, "Request contains an invalid argument: behavior.")


def _judge(kind: type[pydantic.BaseModel], given: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an unknown word of an enumeration only warns
        try:
            judged = kind.model_validate(given)
        except (pydantic.ValidationError, UserWarning) as exc:
            first = str(exc).splitlines()[:2]
            raise Refused(1007, f"Invalid JSON payload received. {' '.join(first)}"[:120]) from None
    if _differs_in_case(given, judged.model_dump(mode="json", by_alias=True, exclude_none=True)):
        raise Refused(1007, "Invalid JSON payload received. An enum is spelt in capitals.")
    return judged


def _differs_in_case(given: Any, read: Any) -> bool:
    """Google's types read "audio" as AUDIO; its server does not."""
    match given, read:
        case dict(), dict():
            same = {key.replace("_", "").lower(): value for key, value in read.items()}
            return any(
                _differs_in_case(value, same.get(key.replace("_", "").lower()))
                for key, value in given.items()
            )
        case list(), list():
            return any(_differs_in_case(*pair) for pair in zip(given, read, strict=False))
        case str(), str():
            return given != read and given.upper() == read
        case _:
            return False
