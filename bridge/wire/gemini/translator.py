"""One session's dictionary: Gemini's messages to our events, our events to its messages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from bridge.errors import UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports.client_events import ClientEvent
from bridge.ports.model import ToolResponse
from bridge.ports.server_events import (
    Disconnected,
    GoingAway,
    ResponseCreated,
    ResumptionToken,
    ServerEvent,
)
from bridge.wire.framing import audio_text
from bridge.wire.gemini import closing
from bridge.wire.gemini.calls import ToolCalls
from bridge.wire.gemini.capabilities import Capabilities
from bridge.wire.gemini.content import Turn, said_by_user, turn_of, write, write_content, write_note
from bridge.wire.gemini.reader import Reader
from bridge.wire.gemini.turn import TurnState

__all__ = ["GeminiTranslator"]

INPUT_RATE = 16_000  # Hz
FLUSH_SECONDS = 1.0  # of silence that end the caller's turn where there is no word for it

_AUDIO_HEAD = b'{"realtimeInput":{"audio":{"data":"'
_AUDIO_TAIL = b'","mimeType":"audio/pcm;rate=%d"}}}' % INPUT_RATE
_SPEAK = "Please speak now."
_SILENTLY = "No answer is needed to this. "


class GeminiTranslator:
    """
    The words of one session.

    `by_hand`: nobody detects the caller's speech, turns are committed. `ends_audio`: the
    server knows `audioStreamEnd`. `numbers` number responses and items, and are shared by
    all sessions of whom a caller may hear something. `call_numbers` number tool calls to
    which the server gives no id; those of other workers should be others.
    """

    envelope = _AUDIO_HEAD, _AUDIO_TAIL

    def __init__(
        self,
        capabilities: Capabilities,
        *,
        by_hand: bool = False,
        ends_audio: bool = True,
        numbers: Iterator[int] | None = None,
        call_numbers: Iterator[int] | None = None,
    ) -> None:
        numbers = itertools.count(1) if numbers is None else numbers
        self._capabilities = capabilities
        self._by_hand = by_hand
        self._ends_audio = ends_audio
        self._turn = TurnState(numbers)
        self._calls = ToolCalls(numbers if call_numbers is None else call_numbers)
        self._reader = Reader(self._turn, self._calls)
        self._going = False
        self._active = False  # by hand: between activityStart and activityEnd
        self._waiting = False  # for the first word since we asked for an answer
        self._committed = False  # by hand: the turn was committed, its answer has not begun

    @property
    def owes(self) -> bool:
        """
        Whether the server must say something soon: it was asked and has not said a word
        since, or is in the middle. A model may prefer not to answer, so that the word need
        not be an answer.
        """
        return (self._waiting or self._turn.producing) and not self._calls

    # Server to us

    def read(self, message: str | bytes) -> tuple[ServerEvent, ...]:
        events = self._reader.read(message)
        for event in events:
            match event:
                case ResumptionToken(token=None):
                    continue  # the server is busy with what it owes
                case GoingAway():
                    self._going = True
                case ResponseCreated():
                    self._committed = False
                case _:
                    pass
            self._waiting = False
        return events

    def read_close(self, code: int, reason: str) -> Disconnected:
        return closing.read_close(code, reason, was_going=self._going)

    def finish(self) -> list[ServerEvent]:
        """What was understood so far and not told yet. For the moment before the end."""
        return self._turn.heard_all()

    def cut(self) -> list[ServerEvent]:
        """What follows at once from a ResponseCancel, whenever the server hears of it."""
        self._waiting = False
        return self._turn.cut()

    # Us to the server

    def write(self, event: ClientEvent) -> list[str]:
        match event:
            case client.AudioDelta(audio):
                return [*self.write_activity(), _audio(audio)]
            case client.Message():
                return [self._write_message(event)]
            case client.ResponseCreate(instructions):
                return self._write_wish(instructions)
            case client.ResponseCancel():
                return self._write_cancel()
            case client.InputAudioBufferCommit():
                return self._write_commit()
            case client.ItemTruncate():
                return []  # the server keeps its own account of what was heard
            case client.InputAudioBufferClear():
                raise UnsupportedConfig("Gemini cannot forget audio that it has heard")
            case client.SessionUpdate() | client.ConversationItemCreate():
                raise UnsupportedConfig(f"Gemini has no word for {type(event).__name__}")
            case client.UpdateSession():
                raise UnsupportedConfig("an update of the session is the runner's affair")

    def write_activity(self) -> list[str]:
        """By hand: what has to come before the first audio of a turn."""
        if not self._by_hand or self._active:
            return []
        self._active = True
        return [write({"realtimeInput": {"activityStart": {}}})]

    def write_answers(self, responses: Sequence[ToolResponse]) -> list[str]:
        answers = self._calls.answers(responses)
        if not answers:
            return []
        if not self._calls:
            self._waiting = True
            self._turn.go_on()
        return [write({"toolResponse": {"functionResponses": answers}})]

    def _ask(self) -> None:
        self._waiting = True
        self._turn.ask()

    def _write_message(self, message: client.Message) -> str:
        if message.respond:
            self._ask()
        if self._capabilities.content_any_time:
            return write_content([turn_of(message)], complete=message.respond)
        text = message.text if message.role == "user" else _spoken_of(message)
        return _write_text(text if message.respond else _SILENTLY + text)

    def _write_wish(self, instructions: str | None) -> list[str]:
        committed, self._committed = self._committed, False
        if committed and instructions is None:
            return []  # the model answers a committed turn by itself
        self._ask()
        wish = write_note(_SPEAK if instructions is None else instructions)
        if self._capabilities.content_any_time:
            return [write_content([said_by_user(wish)], complete=True)]
        return [_write_text(wish)]

    def _write_cancel(self) -> list[str]:
        if not (self._turn.open or self._turn.asked):
            return []
        if self._by_hand:
            return self.write_activity()
        if self._capabilities.content_any_time:
            return [write_content((), complete=False)]
        return []  # there is no word for it; `cut` sees to it that nobody hears the rest

    def _write_commit(self) -> list[str]:
        if self._by_hand:
            return self._write_activity_end()
        if self._ends_audio:
            return [write({"realtimeInput": {"audioStreamEnd": True}})]
        return [_audio(bytes(2 * int(INPUT_RATE * FLUSH_SECONDS)))]

    def _write_activity_end(self) -> list[str]:
        if not self._active:
            return []
        self._active, self._committed = False, True
        self._ask()
        return [write({"realtimeInput": {"activityEnd": {}}})]


def _audio(audio: bytes) -> str:
    return audio_text(_AUDIO_HEAD, audio, _AUDIO_TAIL).decode()


def _write_text(text: str) -> str:
    return write({"realtimeInput": {"text": text}})


def _spoken_of(message: client.Message) -> str:
    """Realtime text is always the user's, so that the words have to say whose it was."""
    turn: Turn = turn_of(message)
    text: str = turn["parts"][0]["text"]
    return write_note(f"You said before: {text}") if turn["role"] == "model" else text
