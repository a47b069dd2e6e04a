"""
A caller over SIP as a leg.

Rule: nothing here waits, and the leg has no socket: its audio is `media`, and what becomes of
the call it asks of `Line`. The carrier tells it what SIP says.

A SIP call does not come back when it is lost, so `Ended` never says that it might.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from bridge.audio.tones import tones
from bridge.carriers.backlog import Backlog
from bridge.carriers.sip.media import FORMAT, Media
from bridge.errors import Ending, Fault
from bridge.ports import leg

__all__ = ["Line", "Prompts", "SipLeg"]

MOST_EARLY = 50  # frames that are kept until the other end acknowledges our answer
PROMPT_SECONDS = 2.0  # by which a prompt may be late, until nobody waits for it any more

_SAID = "said"  # the mark behind a prompt

_SILENT = Ending(Fault.CARRIER, "silent", "no audio came from the caller any more")
_FINISHED = Ending(Fault.NOBODY, "finished")

Prompts = Callable[[leg.Verdict], bytes]
"""A recording, in the leg's format, in place of a verdict's words; b"": none."""


class Line(Protocol):
    """What can be done to the call that a leg is on."""

    def hang_up(self, ending: Ending) -> None: ...

    def transfer(self, target: str) -> None:
        """Send the caller to somebody else, and hang up."""


class SipLeg:
    """`call_id` names the call everywhere but on the wire."""

    def __init__(
        self,
        call_id: str,
        media: Media,
        line: Line,
        prompts: Prompts,
        *,
        prompt_seconds: float = PROMPT_SECONDS,
    ) -> None:
        self.call_id = call_id
        self.media = media
        self._line = line
        self._prompts = prompts
        self._prompt_seconds = prompt_seconds
        self._events = Backlog()
        self._early: list[bytes] = []
        self.frames_in = 0
        self._established = False
        self._verdict: leg.Verdict | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.ending: Ending | None = None
        """Why it is over; None: it is not."""
        media.attach(self)

    @property
    def unheard(self) -> int:
        """How many events found no room while nobody listened yet."""
        return self._events.dropped

    @property
    def finishing(self) -> bool:
        """Whether nobody here attends to the call any more, and it is not over yet."""
        return self._verdict is not None and self.ending is None

    async def answered(self) -> bool:
        """Return when caller and callee are connected, or, False, never will be."""
        return await asyncio.shield(self._answered)

    # The door

    def attach(self, listener: leg.LegListener, hear: leg.Hear | None = None) -> None:
        """Call `listener` with each event, those that came before it too."""
        self._events.attach(listener, hear)

    def do(self, command: leg.LegCommand) -> None:
        """Carry out a command. After Finish and after the end quietly nothing."""
        if self.ending is not None or self._verdict is not None:
            return
        match command:
            case leg.Play(audio, mark):
                self.media.play(audio)
                if mark is not None:
                    self.media.mark(mark)
            case leg.Press(keys):
                if not self.media.press(keys):
                    self.media.play(tones(keys))
            case leg.Clear():
                for name in self.media.clear():
                    self._events.put(leg.Played(name))
            case leg.Finish(verdict):
                self._finish(verdict)

    # What SIP says

    def established(self) -> None:
        """Caller and callee are connected."""
        if self._established or self.ending is not None:
            return
        self._established = True
        self._answered.set_result(True)
        self._events.put(leg.Started(self.call_id, FORMAT))
        for audio in self._early:
            self._events.put(leg.Heard(audio))
        self._early.clear()

    def info(self, digit: str) -> None:
        """A key, by INFO. Some send each twice, by RTP as well."""
        if not self.media.has_keys:
            self.pressed(digit)

    def ended(self, ending: Ending) -> None:
        """The call is over. Twice is the same as once."""
        if self.ending is not None:
            return
        self.ending = _FINISHED if self._verdict is not None else ending
        if self._timer is not None:
            self._timer.cancel()
        if not self._answered.done():
            self._answered.set_result(False)
        self.media.close()
        self._events.put(leg.Ended(self.ending))

    def not_transferred(self) -> None:
        """Nobody took the caller. There is nobody here any more, either."""
        if self.ending is None:
            self._verdict = leg.Hangup()
            self._line.hang_up(_FINISHED)

    # What the audio says

    def heard(self, audio: bytes) -> None:
        if self._established:
            self.frames_in += 1
            self._events.heard(audio)
        elif len(self._early) < MOST_EARLY:
            self._early.append(audio)

    def pressed(self, digit: str) -> None:
        self._events.put(leg.Digit(digit))

    def played(self, mark: str) -> None:
        if self._verdict is None:
            self._events.put(leg.Played(mark))
        elif mark == _SAID:
            self._obey()

    def silent(self) -> None:
        self._line.hang_up(_SILENT)

    # How

    def _finish(self, verdict: leg.Verdict) -> None:
        """There is no voice behind SIP that could speak any words: a recording has to do."""
        self._verdict = verdict
        prompt = self._prompts(verdict) if verdict.words is not None else b""
        if not prompt or not self._established or self.media.on_hold:
            self._obey()
            return
        self.media.clear()
        self.media.play(prompt)
        self.media.mark(_SAID)
        seconds = FORMAT.duration_ms(len(prompt)) / 1000 + self._prompt_seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self._obey)

    def _obey(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        match self._verdict:
            case leg.Transfer(target):
                self._line.transfer(target)
            case _:
                self._line.hang_up(_FINISHED)
