"""
A caller behind Twilio: Media Streams, bidirectional, as a leg.

Rule: the leg reads no socket. Whoever does gives it each message, and it writes and closes
through the outlet that it was given. Nothing here waits, and whatever a peer sends leads to
events, counts or a close code, never to an exception.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from bridge.audio.formats import ULAW_8K
from bridge.audio.tones import tones
from bridge.carriers.backlog import Backlog
from bridge.errors import CarrierProtocolError, Ending, Fault
from bridge.ports import leg
from bridge.wire.twilio import media

__all__ = [
    "BAD_FRAMES_QUOTA",
    "BAD_FRAMES_SECONDS",
    "CARRIER",
    "MAX_BUFFERED_SIZE",
    "Breach",
    "Outlet",
    "TwilioLeg",
]

CARRIER = "twilio"
BAD_FRAMES_QUOTA = 50
BAD_FRAMES_SECONDS = 10.0
MAX_BUFFERED_SIZE = 4 * 1024 * 1024  # bytes; six minutes of audio in base64

NORMAL, UNSUPPORTED, UNDECODABLE, POLICY, TOO_BIG = 1000, 1003, 1007, 1008, 1009

_log = logging.getLogger(__name__)


class Breach(StrEnum):
    """What a frame can do wrong besides what `media.Reason` names."""

    BINARY = "binary"
    BEFORE_START = "before-start"
    SECOND_START = "second-start"
    WRONG_STREAM = "wrong-stream"
    LATE_GREETING = "late-greeting"
    """Connected, when the stream has long begun."""


_CLOSE_CODES: dict[str, int] = {
    Breach.BINARY: UNSUPPORTED,
    media.Reason.NOT_JSON: UNDECODABLE,
    media.Reason.MALFORMED: UNDECODABLE,
    media.Reason.BAD_BASE64: UNDECODABLE,
    media.Reason.HUGE: TOO_BIG,
}


class Outlet(Protocol):
    """The way to the carrier. Nothing here waits."""

    @property
    def clogged(self) -> bool:
        """Whether anything waits to be sent."""

    def write(self, text: str) -> None:
        """Send a text message."""

    def write_audio(self, before: bytes, audio: bytes, behind: bytes, then: str) -> None:
        """
        Send `audio` in base64 between two pieces of ASCII text, and `then` another message,
        unless that is "".
        """

    def buffered(self) -> int:
        """How many bytes wait to be sent."""

    def close(self, code: int) -> None:
        """Begin to close the socket with this code."""


class TwilioLeg:
    """
    One media stream. `now` is a monotonic clock in seconds. The socket's owner calls `receive`
    for each message and `disconnected` at the end.

    `start` is what Twilio said of the call, None until it has. `bad_frames` counts frames
    that were dropped, by reason; `dropped_audio` the bytes for the caller that found no
    room; `missing_chunks` the caller's frames that never came.
    """

    __slots__ = (
        "_bad_times",
        "_before",
        "_behind",
        "_ended",
        "_events",
        "_next_chunk",
        "_now",
        "_open",
        "_outlet",
        "_stream_sid",
        "bad_frames",
        "dropped_audio",
        "frames_in",
        "missing_chunks",
        "start",
    )

    def __init__(self, outlet: Outlet, now: Callable[[], float]) -> None:
        self._outlet = outlet
        self._now = now
        self._events = Backlog()
        self._stream_sid: str | None = None
        self._before, self._behind = b"", b""
        self._next_chunk = 1
        self._bad_times: deque[float] = deque(maxlen=BAD_FRAMES_QUOTA)
        self._open = True
        self._ended = False
        self.start: media.Start | None = None
        self.bad_frames: Counter[str] = Counter()
        self.dropped_audio = 0
        self.missing_chunks = 0
        self.frames_in = 0

    @property
    def ended(self) -> bool:
        """Whether Ended has been told."""
        return self._ended

    @property
    def unheard(self) -> int:
        """How many events found no room while nobody listened yet."""
        return self._events.dropped

    def attach(self, listener: leg.LegListener, hear: leg.Hear | None = None) -> None:
        """Call `listener` with each event, those that came before it too."""
        self._events.attach(listener, hear)

    def do(self, command: leg.LegCommand) -> None:
        """Carry out a command. Before the start that is Finish alone, after the end nothing."""
        if not self._open:
            return
        match command:
            case leg.Finish():
                self._shut(NORMAL)
            case _ if self._stream_sid is None:
                pass
            case leg.Play():
                mark = command.mark
                self._play(command.audio, media.write_mark(self._stream_sid, mark) if mark else "")
            case leg.Press(keys):
                self._play(tones(keys))
            case leg.Clear():
                self._outlet.write(media.write_clear(self._stream_sid))

    def receive(self, message: str | bytes) -> None:
        """Take a message from the socket: str from a text frame, bytes from a binary one."""
        if not self._open:
            return
        if isinstance(message, bytes):
            self._drop(Breach.BINARY)
            return
        frame = media.read_media(message)
        if frame is None:
            try:
                event = media.read_in_full(message)
            except CarrierProtocolError as refused:
                self._drop(str(refused))
                return
            if not isinstance(event, media.Media):
                self._take(event)
                return
            frame = event
        stream_sid, audio, track, chunk, _, _ = frame
        if stream_sid != self._stream_sid:
            self._drop(Breach.BEFORE_START if self._stream_sid is None else Breach.WRONG_STREAM)
        elif track == media.INBOUND:
            if chunk > self._next_chunk:
                self.missing_chunks += chunk - self._next_chunk
            self._next_chunk = chunk + 1
            if audio:
                self.frames_in += 1
                hear = self._events.heard
                hear(audio)

    def disconnected(self, code: int) -> None:
        """The socket is closed, with this code (1006 without a close frame)."""
        finished = not self._open
        self._open = False
        if finished:
            self._end(Ending(Fault.NOBODY, "finished"))
        else:
            detail = f"the media stream was closed with code {code}"
            self._end(Ending(Fault.CARRIER, "lost", detail), lost=True)

    def _take(self, event: media.TwilioEvent) -> None:
        """Whatever it is but audio."""
        match event:
            case media.Connected():
                if self.start is not None:
                    self._drop(Breach.LATE_GREETING)
            case media.Start():
                self._begin(event)
            case _ if self._stream_sid is None:
                self._drop(Breach.BEFORE_START)
            case _ if event.stream_sid != self._stream_sid:
                self._drop(Breach.WRONG_STREAM)
            case media.Dtmf():
                self._events.put(leg.Digit(event.digit))
            case media.Mark():
                self._events.put(leg.Played(event.name))
            case media.Stop():
                # Also said when the stream is stopped or the call redirected: either way
                # nobody is lost, and Twilio knows what comes next.
                self._shut(NORMAL)
                self._end(Ending(Fault.CALLER, "hangup"))

    def _begin(self, start: media.Start) -> None:
        if self.start is not None:
            self._count(Breach.SECOND_START)
            self._break_off(Breach.SECOND_START, POLICY)
        elif start.format != media.ULAW:
            self._shut(UNSUPPORTED)
            detail = "the media stream is not mu-law at 8000 Hz, mono"
            self._end(Ending(Fault.CARRIER, "unsupported-format", detail))
        else:
            self.start = start
            self._stream_sid = start.stream_sid
            self._before, self._behind = media.envelope(start.stream_sid)
            self._events.put(leg.Started(start.call_id, ULAW_8K, start.parameters))

    def _play(self, audio: bytes, then: str = "") -> None:
        outlet = self._outlet
        if audio and (not outlet.clogged or outlet.buffered() <= MAX_BUFFERED_SIZE):
            outlet.write_audio(self._before, audio, self._behind, then)
            return
        if audio:
            if not self.dropped_audio:
                _log.warning("the carrier does not read: audio for the caller is dropped")
            self.dropped_audio += len(audio)
        if then:
            self._outlet.write(then)

    def _drop(self, reason: str) -> None:
        self._count(reason)
        now = self._now()
        self._bad_times.append(now)
        if len(self._bad_times) < BAD_FRAMES_QUOTA:
            return
        if now - self._bad_times[0] <= BAD_FRAMES_SECONDS:
            self._break_off(reason, _CLOSE_CODES.get(reason, POLICY))

    def _count(self, reason: str) -> None:
        if reason not in self.bad_frames:
            _log.warning("a frame of the carrier's was dropped: %s", reason)
        self.bad_frames[reason] += 1

    def _break_off(self, reason: str, code: int) -> None:
        # Twilio goes on to the document's action, so the caller may well come back.
        self._shut(code)
        detail = f"the media stream did not keep to its protocol: {reason}"
        self._end(Ending(Fault.CARRIER, "protocol", detail), lost=True)

    def _shut(self, code: int) -> None:
        self._open = False
        self._outlet.close(code)

    def _end(self, ending: Ending, *, lost: bool = False) -> None:
        if not self._ended:
            self._ended = True
            self._events.put(leg.Ended(ending, lost))
