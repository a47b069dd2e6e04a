"""Tools, phrases and a way to gather what a session tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import numpy as np

from bridge.ports import server_events as event
from bridge.ports.model import Resumption
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.providers.offline.model import OfflineModel
from bridge.providers.offline.session import OfflineSession
from tests.providers.offline import sounds

E = TypeVar("E", bound=ServerEvent)

CLOCK = ToolDefinition(
    "opening_hours",
    "When the shop is open.",
    {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
)
WEATHER = ToolDefinition("weather", "The weather.", {"type": "object", "properties": {}})
ENDING = ToolDefinition("hang_up", "Ends the call.", {"type": "object", "properties": {}})
PEOPLE = ToolDefinition(
    "transfer",
    "Connects the caller.",
    {
        "type": "object",
        "properties": {"target": {"type": "string", "enum": ["office", "kitchen"]}},
        "required": ["target"],
    },
)


class Talk:
    """A session, and everything that it has told."""

    def __init__(self, session: OfflineSession) -> None:
        self.session = session
        self.events: list[ServerEvent] = []
        self._more = asyncio.Event()
        self._react: dict[type[ServerEvent], Callable[[], None]] = {}
        session.attach(self._listen)

    def when(self, kind: type[ServerEvent], react: Callable[[], None]) -> None:
        """At the first event of this kind, in the same loop turn."""
        self._react[kind] = react

    def say(self, name: str, silence: float = 1.0) -> None:
        """The caller says a recording, then nothing."""
        speech = np.concatenate([sounds.recorded(name), sounds.hiss(silence)])
        self.hear(speech)

    def hear(self, sound: sounds.Sound) -> None:
        for frame in sounds.frames(sounds.audio(sound, self.session.input_format)):
            self.session.feed(frame)

    def of(self, kind: type[E]) -> list[E]:
        return [happened for happened in self.events if isinstance(happened, kind)]

    def kinds(self) -> list[type[ServerEvent]]:
        """The kinds of events, several of a kind in a row as one; tokens are left out."""
        told = [type(e) for e in self.events if not isinstance(e, event.ResumptionToken)]
        return [kind for kind, after in pairwise([*told, None]) if kind and kind is not after]

    def forget(self) -> None:
        self.events.clear()

    async def until(self, kind: type[E], count: int = 1) -> E:
        """Wait for so many events of a kind; the last of them."""
        while len(self.of(kind)) < count:
            self._more.clear()
            await self._more.wait()
        return self.of(kind)[count - 1]

    @property
    def words(self) -> str:
        """What the agent said, in its responses so far."""
        return " | ".join(done.transcript for done in self.of(event.TranscriptDone))

    @property
    def token(self) -> str | None:
        return self.of(event.ResumptionToken)[-1].token

    def _listen(self, happened: ServerEvent) -> None:
        self.events.append(happened)
        self._more.set()
        react = self._react.pop(type(happened), None)
        if react is not None:
            react()


async def talk(
    config: RealtimeConfig | None = None,
    resumption: Resumption | None = None,
    model: OfflineModel | None = None,
) -> Talk:
    """A session of a model that does not dawdle."""
    model = model or OfflineModel(pace=0.0, synthesise=False)
    return Talk(await model.connect(config or RealtimeConfig(), resumption))
