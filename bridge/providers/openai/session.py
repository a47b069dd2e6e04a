"""A conversation with a model that speaks OpenAI's Realtime protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import ServerError
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.conversation import HistoryItem
from bridge.ports.model import Applied, ContextMutationOutcome, Memory, RequiresResumption
from bridge.ports.server_events import ServerEvent, SessionUpdated
from bridge.ports.session import RealtimeConfig
from bridge.providers.openai.answers import Answers
from bridge.providers.openai.dialect import Dialect
from bridge.providers.session import SocketSession
from bridge.wire.openai.session import format_of, movable, write_session
from bridge.wire.openai.translator import OpenAITranslator

__all__ = ["OpenAISession"]

UPDATE_TIMEOUT = 10.0  # seconds that the provider has to confirm a change
_VOICE_IS_FIXED = "cannot_update_voice"


class OpenAISession(SocketSession):
    """RealtimeSession over a socket. OpenAIRealtimeModel makes it ready."""

    __slots__ = ("_answers", "_changing", "_current", "_dialect", "_wanted", "_words")

    def __init__(self, session: dict[str, Any], dialect: Dialect) -> None:
        """`session` is the session object that `configure` will send."""
        output_format = format_of(session, "output")
        self._words = OpenAITranslator(output_format, dialect.event_names)
        super().__init__(
            self._words, input_format=format_of(session, "input"), output_format=output_format
        )
        self._dialect = dialect
        self._wanted = session
        self._current: Mapping[str, Any] = {}
        self._answers = Answers()
        self._changing = asyncio.Lock()

    # Becoming ready.

    async def configure(self, history: Sequence[HistoryItem]) -> None:
        """
        Have the configuration confirmed, and tell the conversation, if there is one.

        Until that is told the provider may not answer by itself. All of it is sent at once,
        for the provider takes it in order. Raises ServerError or SessionClosed; may be
        cancelled, and the session is of no use then.
        """
        created = await self._answers.created
        self._read_created(created.session)
        if not history:
            await self._update(self._wanted)
            return
        listening = _turn_detection(self._wanted, created.session)
        hushed = self._send_update(_with_turn_detection(self._wanted, _hushed(listening)))
        last, messages = self._words.write_history(history)
        added = self._answers.item(last) if messages else None
        self.send_messages(messages)
        woken = self._send_update(_with_turn_detection({}, _woken(listening)))
        await hushed
        await woken
        if added is not None:
            await added
            self.memory = Memory.REPLAYED

    def _read_created(self, session: Mapping[str, Any]) -> None:
        if isinstance(session.get("id"), str) and session["id"]:
            self.session_id = session["id"]
        if isinstance(expires_at := session.get("expires_at"), int | float):
            self.expires_in = expires_at - time.time()

    # Being used.

    async def mutate_context(self, change: RealtimeConfig) -> ContextMutationOutcome:
        async with self._changing:
            session = movable(write_session(change), self._current, spoken=self._words.spoken)
            if session is None:
                return RequiresResumption()
            if session.keys() <= {"type"}:
                return Applied()
            try:
                async with asyncio.timeout(UPDATE_TIMEOUT):
                    await self._update(session)
            except TimeoutError:
                raise ServerError("no_answer", "the change was not confirmed in time") from None
            except ServerError as error:
                if error.code == _VOICE_IS_FIXED:
                    return RequiresResumption()
                raise
            return Applied()

    async def send_event(self, event: ClientEvent) -> None:
        if isinstance(event, client.SessionUpdate):
            self._send_update(event.session)
        else:
            await super().send_event(event)

    def notice(self, event: ServerEvent) -> None:
        if isinstance(event, SessionUpdated):
            self._current = event.session
        self._answers.see(event)

    async def _update(self, session: Mapping[str, Any]) -> None:
        await self._send_update(session)

    def _send_update(self, session: Mapping[str, Any]) -> asyncio.Future[None]:
        """Every update is confirmed or refused, so every update has its place in the queue."""
        event_id, message = self._words.write_update(self._dialect.session(dict(session)))
        self.send_messages([message])
        return self._answers.update(event_id)


def _turn_detection(wanted: Mapping[str, Any], created: Mapping[str, Any]) -> Any:
    """What decides on turns once all is told: what is wanted, else the provider's default."""
    for session in (wanted, created):
        hears = (session.get("audio") or {}).get("input") or {}
        if "turn_detection" in hears:
            return hears["turn_detection"]
    return None


def _hushed(turn_detection: Any) -> Any:
    if isinstance(turn_detection, Mapping):
        return {**turn_detection, "create_response": False}
    return None


def _woken(turn_detection: Any) -> Any:
    """Names the default, too: a provider may keep what was named before."""
    if isinstance(turn_detection, Mapping):
        return {"create_response": True, **turn_detection}
    return None


def _with_turn_detection(session: Mapping[str, Any], turn_detection: Any) -> dict[str, Any]:
    audio = session.get("audio") or {}
    hears = {**(audio.get("input") or {}), "turn_detection": turn_detection}
    return {**session, "audio": {**audio, "input": hears}}
