"""
The carrier's end of one media stream: strict about what comes in, exact in what goes out.

Rule: pure. Text goes out through `send`, `now` is an argument; the socket is elsewhere.

Twilio Media Streams, WebSocket messages; warnings 31930, 31931, 31950 and 31951.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from bridge.errors import CarrierProtocolError
from bridge.simulator.journal import Journal, What
from bridge.simulator.playout import Playout
from bridge.wire.twilio import frames, media

__all__ = ["CarrierStream", "StreamIdentity"]

INBOUND_CONGESTED = 31930
OUTBOUND_OVERFLOW = 31931
UNDECODABLE = 31950
INVALID_MESSAGE = 31951

_CODES = {frames.Reason.BAD_BASE64.value: UNDECODABLE}
_HEADERS = (b"RIFF", b"ID3", b"OggS", b"fLaC", b".snd", b"caff", b"FORM")


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """Who a stream is: what its start says."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


class CarrierStream:
    """
    One stream: `connect`, `start`, then `tick` every 20 ms, and `stop` in the end.

    What the bridge sends wrongly is noted in the journal and ignored, as Twilio does it.
    """

    def __init__(
        self, identity: StreamIdentity, send: Callable[[str], None], journal: Journal
    ) -> None:
        self.identity = identity
        self.playout = Playout()
        self.started = False
        self.marks = 0
        """How many marks were sent back."""
        self.clears = 0
        self._send = send
        self._journal = journal
        self._began = 0.0
        self._sequence = 0
        self._chunk = 0
        self._gaps = 0
        self._warned: set[int] = set()
        self._over = False

    def connect(self) -> None:
        """The first frame on a new socket."""
        self._send(media.write_event(frames.Connected()))

    def start(self, now: float) -> None:
        """Say which call this is. Only from now on the bridge may speak."""
        self._began = now
        self.started = True
        who = self.identity
        self._emit(
            frames.Start(
                who.stream_sid,
                who.account_sid,
                who.call_sid,
                who.parameters,
                sequence_number=self._next(),
            )
        )

    def tick(self, now: float, audio: bytes, *, congested: bool = False) -> None:
        """
        Send the caller's next 20 ms and the marks that were reached.

        A bridge that does not read (`congested`) loses the audio, as it would with Twilio.
        """
        self.advance(now)
        self._chunk += 1
        if congested:
            self._warn_once(now, INBOUND_CONGESTED, "caller audio was dropped: nobody reads it")
            return
        self._emit(
            frames.Media(
                self.identity.stream_sid,
                audio,
                chunk=self._chunk,
                timestamp_ms=round((now - self._began) * 1000),
                sequence_number=self._next(),
            )
        )

    def press(self, digit: str) -> None:
        """The caller presses a key."""
        sid = self.identity.stream_sid
        self._emit(frames.Dtmf(sid, digit, sequence_number=self._next()))

    def stop(self, now: float) -> None:
        """The call is over: the last frame."""
        who = self.identity
        self.end(now)
        if self.started:
            self._emit(frames.Stop(who.stream_sid, who.account_sid, who.call_sid, self._next()))

    def end(self, now: float) -> None:
        """Nothing is played or taken any more; what was queued is gone."""
        self.advance(now)
        self._over = True

    def advance(self, now: float) -> None:
        """Play on, and send back the marks that were reached."""
        self._echo(now, self.playout.advance(now))

    def text(self, message: str, now: float) -> None:
        """A text message of the bridge's."""
        if self._over:
            return
        if not self.started:
            self._violate(now, INVALID_MESSAGE, "a message before the start of the stream")
            return
        try:
            command = media.read_command(message)
        except CarrierProtocolError as exc:
            reason = str(exc)
            self._violate(now, _CODES.get(reason, INVALID_MESSAGE), f"a bad message ({reason})")
            return
        if command.stream_sid != self.identity.stream_sid:
            self._violate(now, INVALID_MESSAGE, "a message with another stream's streamSid")
            return
        self._obey(command, now)

    def binary(self, size: int, now: float) -> None:
        """A binary message of the bridge's."""
        if not self._over:
            self._violate(now, UNDECODABLE, f"a binary message of {size} bytes")

    def _obey(self, command: frames.TwilioCommand, now: float) -> None:
        match command:
            case frames.SendMedia(audio=audio):
                self._play(audio, now)
            case frames.SendMark(name=name):
                self.playout.mark(name, now)
                self.advance(now)
            case frames.SendClear():
                self.clears += 1
                self._journal.note(now, What.CLEAR)
                self._echo(now, self.playout.clear(now))
            case _:
                assert_never(command)

    def _play(self, audio: bytes, now: float) -> None:
        if audio.startswith(_HEADERS):
            self._violate(now, UNDECODABLE, "media with a file's header, which is heard as noise")
        if self.playout.play(audio, now):
            self._warn_once(now, OUTBOUND_OVERFLOW, "audio beyond ten minutes was dropped")
        for gap in self.playout.gaps[self._gaps :]:
            self._gaps += 1
            self._journal.note(now, What.GAP, f"{gap.seconds * 1000:.0f} ms")

    def _echo(self, now: float, names: tuple[str, ...]) -> None:
        if self._over:
            return
        for name in names:
            self.marks += 1
            self._journal.note(now, What.MARK, name)
            sid = self.identity.stream_sid
            self._emit(frames.Mark(sid, name, self._next()))

    def _violate(self, now: float, code: int, text: str) -> None:
        self._journal.violate(now, code, text)

    def _warn_once(self, now: float, code: int, text: str) -> None:
        if code not in self._warned:
            self._warned.add(code)
            self._violate(now, code, text)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _emit(self, event: frames.TwilioEvent) -> None:
        self._send(media.write_event(event))
