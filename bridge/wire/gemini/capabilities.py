"""What each generation of Gemini Live models can do, and what each refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = ["Capabilities", "capabilities_of"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One model's abilities. The defaults hold for a model that we have never heard of."""

    history_config: bool = True
    """It is told the conversation before it starts; else it takes it as turns left open."""
    content_any_time: bool = True
    """It takes `clientContent` all through the session, not as initial history only."""
    context_update: bool = False
    """Instructions and tools of the live session can be changed."""
    json_schema: bool = True
    """Tools may come with a JSON schema; else with the OpenAPI subset."""
    text_output: bool = False
    """It can answer in text instead of audio."""
    thinking_level: str | None = None
    """The level to ask for where the model insists on one."""
    refused: tuple[tuple[str, object], ...] = ()
    """Paths in the setup that it closes the connection on; with None any value does."""


_THINKING = "generationConfig.thinkingConfig"
_AFFECTIVE = "generationConfig.enableAffectiveDialog"

_GENERATION_2 = Capabilities(
    history_config=False,
    json_schema=False,
    refused=(("historyConfig", None), (f"{_THINKING}.thinkingLevel", None)),
)
_GENERATION_3_1 = Capabilities(
    content_any_time=False,
    refused=(
        (f"{_THINKING}.thinkingBudget", None),
        (_AFFECTIVE, None),
        ("proactivity", None),
    ),
)
_GENERATION_3_8 = Capabilities(
    context_update=True,
    refused=((_THINKING, None), (_AFFECTIVE, None), ("proactivity.proactiveAudio", False)),
)
_EXTENDED_THINKING = replace(
    _GENERATION_3_8,
    thinking_level="LOW",
    refused=((_AFFECTIVE, None), ("proactivity.proactiveAudio", False)),
)

_VERSION = re.compile(r"gemini-(?:live-)?(\d+)(?:\.(\d+))?")


def capabilities_of(model: str) -> Capabilities:
    """The abilities of the model with this name, with or without a resource path before it."""
    name = model.rsplit("/", 1)[-1]
    if (found := _VERSION.match(name)) is None:
        return Capabilities()
    version = (int(found[1]), int(found[2] or 0))
    if version < (3, 0):
        return replace(_GENERATION_2, text_output="native-audio" not in name)
    if version < (3, 8):
        return _GENERATION_3_1
    return _EXTENDED_THINKING if "extended-thinking" in name else _GENERATION_3_8
