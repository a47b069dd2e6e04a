"""
From the dialogue's next reply to a response under way.

Rule: one response at a time. What has to be synthesised first is made in a thread, and
until then nobody hears of the response.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.ports import server_events as event
from bridge.ports.server_events import ErrorInfo, Severity
from bridge.providers.offline.dialogue import Dialogue, Reply
from bridge.providers.offline.performance import Call, Performance
from bridge.providers.offline.speaking import Speaking
from bridge.providers.offline.synthesiser import Synthesiser
from bridge.providers.offline.voice import Vocabulary, Voice

__all__ = ["Responder", "refusal"]

_SLACK_MS = 1.0  # rounding of whoever counted what was played


class Responder:
    """Says and does what `dialogue` replies, in `voice`."""

    def __init__(
        self,
        dialogue: Dialogue,
        voice: Voice,
        speaking: Speaking,
        *,
        vocabulary: Vocabulary,
        synthesiser: Synthesiser | None,
        new_id: Callable[[str], str],
        aloud: bool,
    ) -> None:
        self._dialogue = dialogue
        self._voice = voice
        self._speaking = speaking
        self._vocabulary = vocabulary
        self._synthesiser = synthesiser
        self._new_id = new_id
        self._aloud = aloud
        self._preparing: asyncio.Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a response is under way or being prepared."""
        return self._speaking.active is not None or self._preparing is not None

    def respond(self, instructions: str | None = None) -> None:
        """Answer now; a turn that ends during a response is answered after it."""
        if self.busy:
            return
        reply = self._dialogue.reply(instructions)
        missing = self._voice.missing(reply.text)
        if self._synthesiser is None or not missing:
            self._perform(reply)
            return
        loop = asyncio.get_running_loop()
        preparing = loop.run_in_executor(None, self._learn, self._synthesiser, missing)
        preparing.add_done_callback(lambda done: self._on_prepared(done, reply))
        self._preparing = preparing

    def silence(self, reason: str) -> bool:
        """Stop answering, for the provider's `reason`; False when there was no answer."""
        preparing, self._preparing = self._preparing, None
        if preparing is not None:
            preparing.cancel()
        return self._speaking.cancel(reason) or preparing is not None

    def truncate(self, item_id: str, heard_ms: int) -> event.Error | None:
        """Of this item the caller heard so much. The error, if that cannot be."""
        said = self._speaking.of(item_id)
        if said is None:
            code = "item_truncate_invalid_item_id"
            return refusal(code, "there is no such item", severity=Severity.HARMLESS)
        performance, sent_ms = said
        if heard_ms > sent_ms + _SLACK_MS:
            text = f"audio of {sent_ms:.0f} ms is already shorter than {heard_ms} ms"
            return refusal("invalid_value", text)
        if performance is self._speaking.latest:
            self._dialogue.was_heard(performance.heard(heard_ms))
        return None

    def _learn(self, synthesiser: Synthesiser, phrases: tuple[str, ...]) -> None:
        """In a thread."""
        for phrase in phrases:
            self._vocabulary.learn(phrase, synthesiser.say(phrase))

    def _on_prepared(self, done: asyncio.Future[None], reply: Reply) -> None:
        if self._preparing is done:
            self._preparing = None
            self._perform(reply)

    def _perform(self, reply: Reply) -> None:
        calls = [Call(self._new_id("call"), self._new_id("item"), use) for use in reply.uses]
        self._speaking.begin(
            Performance(
                self._new_id("response"),
                self._new_id("item"),
                self._voice.say(reply.text),
                calls,
                self._voice.format,
                aloud=self._aloud,
            )
        )


def refusal(
    code: str,
    text: str,
    *,
    severity: Severity = Severity.RETRY,
    refused_response: bool = False,
) -> event.Error:
    """How a provider says no; `code` is OpenAI's word where it has one."""
    return event.Error(ErrorInfo("invalid_request_error", text, code), severity, refused_response)
