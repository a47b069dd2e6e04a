"""
What has been said in a session so far, as the caller heard it.

Rule: it tells heard words only. A cut is remembered with the item, so that words and
voice which arrive after it are cut as well. A whole conversation is bounded, and its
oldest part goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.audio.formats import AudioFormat
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.conversation import (
    AgentSaid,
    CallerSaid,
    HistoryItem,
    Note,
    ToolAsked,
    ToolUsed,
)
from bridge.ports.runner_events import RunnerEvent

__all__ = ["Conversation"]

MAX_ITEMS = 400
LONGEST_WORD = 40  # characters; what is longer is written in a script without spaces


@dataclass(slots=True)
class _Speech:
    """One item of the agent's: its words, how long its voice lasts, how much was heard."""

    text: str = field(default="", repr=False)
    voice_ms: float = 0.0
    heard_ms: float = float("inf")


@dataclass(slots=True)
class _Utterance:
    """One turn of the caller's; its transcript may come late."""

    text: str = field(default="", repr=False)


_Item = _Speech | _Utterance | HistoryItem
_Kept = TypeVar("_Kept", bound=_Item)


class Conversation:
    """Listens to a session's events and tells the history to the next one."""

    def __init__(
        self, history: tuple[HistoryItem, ...] = (), unanswered: tuple[ToolAsked, ...] = ()
    ) -> None:
        self._items: dict[str, _Item] = {}
        self._told: dict[str, HistoryItem | None] = {}
        """Each item as it was told last: a long conversation is asked for twice a second."""
        self._stale: set[str] = set()
        """Items that may have to be told otherwise by now."""
        self._asked = {call.call_id: (call.name, call.arguments) for call in unanswered}
        self._unnamed = 0
        self._bytes_per_second = 0  # of the agent's voice; 0 before the first session
        for item in history:
            self._add(item)

    def voice_is(self, format: AudioFormat) -> None:
        """The format in which the agent's voice comes from now on."""
        self._bytes_per_second = format.bytes_per_second

    def note(self, happened: RunnerEvent) -> None:
        """Take what matters from an event."""
        match happened:
            case event.AudioDelta(item_id, delta):
                self.voiced(item_id, len(delta))
            case event.TranscriptDelta(item_id, delta) | event.TextDelta(item_id, delta):
                self._speech(item_id).text += delta
            case event.TranscriptDone(item_id, text) | event.TextDone(item_id, text):
                self._speech(item_id).text = text
            case event.SpeechStarted(item_id=item_id) | event.AudioCommitted(item_id) if item_id:
                self._utterance(item_id)
            case event.InputTranscriptDone(transcript, item_id):
                self._utterance(item_id).text = transcript
            case event.FunctionCallDone(call_id, name, arguments):
                self._asked[call_id] = name, arguments
            case event.ToolCallCancelled(call_ids):
                for call_id in call_ids:
                    self._asked.pop(call_id, None)
            case _:
                pass

    def voiced(self, item_id: str, size: int) -> None:
        """So many bytes of an item's voice came."""
        if self._bytes_per_second:
            self._speech(item_id).voice_ms += size * 1000 / self._bytes_per_second

    def answered(self, call_id: str, output: str) -> None:
        """A tool has answered with this JSON text. What was told twice is remembered once."""
        asked = self._asked.pop(call_id, None)
        if asked is None:
            return
        used = ToolUsed(call_id, *asked, output)
        if used not in self._items.values():
            self._add(used)

    def unanswered(self, begun: Callable[[str], bool]) -> tuple[ToolAsked, ...]:
        """The tool calls without an answer, oldest first; `begun` knows which were begun."""
        return tuple(
            ToolAsked(call_id, *asked, begun(call_id)) for call_id, asked in self._asked.items()
        )

    def told(self, message: Message) -> None:
        """A text went into the conversation."""
        match message.role:
            case "user":
                self._add(CallerSaid(message.text))
            case "assistant":
                self._add(AgentSaid(message.text))
            case _:
                self._add(Note(message.text))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """Of this item the caller heard only so much."""
        speech = self._items.get(item_id)
        if isinstance(speech, _Speech):
            self._stale.add(item_id)
            speech.heard_ms = min(speech.heard_ms, heard_ms)

    def history(self, heard: Mapping[str, float] | None = None) -> tuple[HistoryItem, ...]:
        """
        Everything that was said, oldest first; turns without words are left out.

        `heard` has the items that the caller is still listening to, with the milliseconds
        heard so far.
        """
        until = heard or {}
        for name in self._stale.union(until):
            if (item := self._items.get(name)) is not None:
                self._told[name] = _told(item, until.get(name))
        self._stale = set(until)  # who were told as of this moment only
        return tuple(item for item in self._told.values() if item is not None)

    def _speech(self, item_id: str) -> _Speech:
        item = self._items.get(item_id)
        if not isinstance(item, _Speech):
            item = self._keep(item_id, _Speech())
        self._stale.add(item_id)
        return item

    def _utterance(self, item_id: str) -> _Utterance:
        name = item_id or self._new_id()
        item = self._items.get(name)
        if not isinstance(item, _Utterance):
            item = self._keep(name, _Utterance())
        self._stale.add(name)
        return item

    def _add(self, item: HistoryItem) -> None:
        self._keep(self._new_id(), item)

    def _new_id(self) -> str:
        self._unnamed += 1
        return f"\0{self._unnamed}"  # no provider's id has a NUL

    def _keep(self, item_id: str, item: _Kept) -> _Kept:
        self._items[item_id], self._told[item_id] = item, None
        self._stale.add(item_id)
        while len(self._items) > MAX_ITEMS:
            oldest = next(iter(self._items))
            del self._items[oldest], self._told[oldest]
        return item


def _told(item: _Item, heard_ms: float | None) -> HistoryItem | None:
    match item:
        case _Speech():
            heard = _heard(item, item.heard_ms if heard_ms is None else heard_ms)
            return AgentSaid(heard) if heard.strip() else None
        case _Utterance(text):
            return CallerSaid(text) if text.strip() else None
        case _:
            return item


def _heard(speech: _Speech, heard_ms: float) -> str:
    """The words that were heard in this time, to the last whole one."""
    if heard_ms >= speech.voice_ms:
        return speech.text
    cut = int(len(speech.text) * max(heard_ms, 0.0) / speech.voice_ms)
    if speech.text[cut : cut + 1].isspace():
        return speech.text[:cut].rstrip()
    word = speech.text.rfind(" ", 0, cut) + 1
    return speech.text[: cut if cut - word > LONGEST_WORD else word].rstrip()
