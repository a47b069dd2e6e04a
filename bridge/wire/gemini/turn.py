"""
The model's turn and the caller's, given the shape that Gemini does not give them.

Rule: Gemini names neither responses nor items and says no beginning. Both are made here,
and every response that begins ends exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.ports import server_events as event
from bridge.ports.server_events import ResponseStatus, ServerEvent

__all__ = ["TurnState"]


class TurnState:
    """What is being said. `numbers` number responses and items; nobody else's may be equal."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._response = ""  # the open response's id, "" between two
        self._last_response = ""
        self._item = ""
        self._said: list[str] = []
        self._written: list[str] = []
        self._said_early: list[str] = []  # a transcript may come before its audio
        self._sounding = False
        self._producing = False
        self._asked = False
        self._cut_off = False  # interrupted, and its turnComplete is still to come
        self._muted = False  # we do not want to hear the rest of this turn
        self._heard: list[str] = []
        self._heard_item = ""

    @property
    def open(self) -> bool:
        """Whether the model is in the middle of a response."""
        return bool(self._response)

    @property
    def asked(self) -> bool:
        """Whether we have asked for an answer that has not begun."""
        return self._asked

    @property
    def producing(self) -> bool:
        """Whether a response is open of which more must come soon."""
        return self._producing

    def ask(self) -> None:
        """We have asked the model to answer."""
        self._asked = True

    def go_on(self) -> None:
        """The model has what it waited for: it goes on, or answers anew."""
        if self._response:
            self._producing = True
        else:
            self._asked = True

    # The model's side

    def audio(self, delta: bytes) -> list[ServerEvent]:
        if self._muted:
            return []
        events = self._begin()
        self._sounding = True
        return [*events, event.AudioDelta(self._item, delta, self._response)]

    def written(self, delta: str) -> list[ServerEvent]:
        """The model answers in text."""
        if self._muted or not delta:
            return []
        events = self._begin()
        self._written.append(delta)
        return [*events, event.TextDelta(self._item, delta, self._response)]

    def said(self, delta: str) -> list[ServerEvent]:
        """
        A piece of the transcript. It has no order towards the audio: what comes first waits
        for the audio, and what is left of a cut turn was never heard.
        """
        if self._muted or not delta or (not self._response and self._cut_off):
            return []
        if not self._response:
            self._said_early.append(delta)
            return []
        self._said.append(delta)
        return [event.TranscriptDelta(self._item, delta, self._response)]

    def called(self, call_id: str, name: str, arguments: str) -> list[ServerEvent]:
        events = self._begin()
        call = event.FunctionCallDone(call_id, name, arguments, self._response, self._item)
        return [*events, call]

    def paused(self) -> None:
        """A part of the turn is produced, and the model thinks about the next."""
        self._producing = False

    def generated(self) -> list[ServerEvent]:
        """All is produced; the turn itself ends when the server thinks it was heard."""
        self._producing = False
        return self._audio_done()

    def interrupted(self) -> list[ServerEvent]:
        """The caller spoke over the model, or over what the server thinks is still playing."""
        told, self._muted, self._cut_off = self._muted, False, True
        if told:
            return []
        cut = event.Interrupted(self._response or self._last_response)
        return [cut, *self._end(ResponseStatus.CANCELLED, "interrupted")]

    def completed(self, status: ResponseStatus, reason: str) -> list[ServerEvent]:
        """The turn is over."""
        follows_cut, self._cut_off = self._cut_off or self._muted, False
        self._muted = False
        nothing_said = not self._response and not follows_cut
        failed = status is not ResponseStatus.COMPLETED
        begin = self._begin() if nothing_said and (self._asked or failed) else []
        # What was heard around an interruption belongs to the turn that the caller has begun.
        heard = [] if follows_cut else self.heard_all()
        return [*begin, *heard, *self._end(status, reason)]

    def cut(self) -> list[ServerEvent]:
        """We have asked the model to stop. Whatever it still says of this turn is not told."""
        self._asked = False
        if not self._response:
            return []
        self._muted = True
        cut = event.Interrupted(self._response)
        return [cut, *self._end(ResponseStatus.CANCELLED, "client_cancelled")]

    def _begin(self) -> list[ServerEvent]:
        self._producing = True
        if self._response:
            return []
        self._asked = self._cut_off = False
        number = next(self._numbers)
        self._response, self._item = f"resp_{number}", f"item_{number}"
        events = [*self.heard_all(), event.ResponseCreated(self._response)]
        early, self._said_early = self._said_early, []
        for delta in early:
            events += self.said(delta)
        return events

    def _end(self, status: ResponseStatus, reason: str) -> list[ServerEvent]:
        self._producing = False
        if not self._response:
            return []
        response, item = self._response, self._item
        events = self._audio_done()
        if self._written:
            events.append(event.TextDone(item, "".join(self._written), response))
        if self._said:
            events.append(event.TranscriptDone(item, "".join(self._said), response))
        events.append(event.ResponseDone(response, status, reason))
        self._written, self._said = [], []
        self._response, self._last_response = "", response
        return events

    def _audio_done(self) -> list[ServerEvent]:
        sounding, self._sounding = self._sounding, False
        return [event.AudioDone(self._item, self._response)] if sounding else []

    # The caller's side

    def heard(self, delta: str, *, finished: bool) -> list[ServerEvent]:
        """A piece of the transcript of what the caller says."""
        events: list[ServerEvent] = []
        if delta:
            self._heard_item = self._heard_item or f"item_{next(self._numbers)}"
            self._heard.append(delta)
            events.append(event.InputTranscriptDelta(delta, self._heard_item))
        return events + self.heard_all() if finished else events

    def heard_all(self) -> list[ServerEvent]:
        """The caller's turn is over, as far as we can tell: most models do not say so."""
        transcript, item = "".join(self._heard), self._heard_item
        self._heard, self._heard_item = [], ""
        return [event.InputTranscriptDone(transcript, item)] if transcript.strip() else []
