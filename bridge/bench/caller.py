"""
One call of the load: its webhook, its media stream, the caller's frames, the marks.

Rule: it does what a carrier does as far as a bridge can tell, and nothing that costs
more: frames are put together from ready pieces, and of what comes only sizes are read.
"""

from __future__ import annotations

import asyncio
import binascii
import json
import time
from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from bridge.bench import frames
from bridge.bench.orders import OrderFailed
from bridge.bench.stamps import write_stamp
from bridge.wire.twilio import media, signature, webhook
from bridge.wire.twilio.verbs import Connect, read_twiml

__all__ = ["ACCOUNT", "Caller", "Identity", "ask_voice", "voice_of"]

ACCOUNT = "AC" + "b" * 32
BYTES_A_SECOND = 8_000
_VOICE = tuple(bytes([0xFF - level] * 80 + [0x7F - level] * 80) for level in range(16, 48))


@dataclass(frozen=True, slots=True)
class Identity:
    """What a stream says of itself."""

    number: int
    call_sid: str
    stream_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


def voice_of(number: int) -> list[bytes]:
    """The caller's frames in base64: the stamp first, then what is said over and over."""
    return [binascii.b2a_base64(each, newline=False) for each in (*write_stamp(number), *_VOICE)]


async def ask_voice(origin: str, token: str, call_sid: str) -> tuple[Connect, float]:
    """Ask the voice webhook; its Connect verb, and after how many seconds. Raises OrderFailed."""
    url = f"{origin}/twilio/voice"
    request = webhook.VoiceRequest(call_sid, ACCOUNT, "+15005550006", "+15005550001")
    form = webhook.write_voice(request)
    body = webhook.write_form(form)
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        f"X-Twilio-Signature: {signature.sign_form(url, form, token)}\r\n\r\n"
    )
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(head.encode() + body)
        answer = await reader.read()
    finally:
        writer.close()
    waited = time.monotonic() - began
    status, _, document = answer.partition(b"\r\n\r\n")
    if b" 200 " not in status[:16]:
        raise OrderFailed(f"the webhook answered {status[:16].decode('latin-1')!r}")
    verb = read_twiml(document)[0]
    if not isinstance(verb, Connect):
        raise OrderFailed(f"the webhook did not connect the call but said {type(verb).__name__}")
    return verb, waited


class Caller(asyncio.Protocol):
    """
    A media stream. `opened` is done after the handshake, `gone` at the end.

    Whoever made it calls `tick` every 20 ms.
    """

    def __init__(self, who: Identity, url: str, token: str) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.number = who.number
        self._who = who
        self._url = url
        self._token = token
        self._transport: asyncio.Transport | None = None
        self._head: bytearray | None = bytearray()
        self._reader = frames.FrameReader()
        self._voice = voice_of(who.number)
        self._sent = 0
        self._messages = 1
        self._sent_at = array("q")
        self._heard_at, self._heard = array("q"), array("q")
        self._size = 0
        self._played_until = 0.0
        self._marks: deque[tuple[float, str]] = deque()
        self._sid = json.dumps(who.stream_sid).encode()

    def report(self) -> dict[str, Any]:
        """Microseconds of the monotonic clock; sizes add up."""
        return {
            "sent_at": self._sent_at.tolist(),
            "heard_at": self._heard_at.tolist(),
            "heard": self._heard.tolist(),
        }

    def tick(self) -> None:
        """The caller's next 20 ms, and the marks that were reached."""
        if self._transport is None or self._transport.is_closing():
            return
        self._sent += 1
        self._messages += 1
        spoken = self._sent - 1
        if spoken >= len(self._voice):
            spoken = len(self._voice) - 1 - spoken % len(_VOICE)
        message = (
            b'{"event":"media","sequenceNumber":"%d","streamSid":%b,"media":{"track":"inbound",'
            b'"chunk":"%d","timestamp":"%d","payload":"%b"}}'
            % (self._messages, self._sid, self._sent, 20 * self._sent, self._voice[spoken])
        )
        self._sent_at.append(time.monotonic_ns() // 1000)
        self._transport.write(frames.text_frame(message, masked=True))
        if self._marks:
            self._return_marks(time.monotonic())

    async def hang_up(self, seconds: float) -> None:
        """Say that the call is over, and wait so long for the end."""
        if self._transport is None or self._transport.is_closing():
            return
        self._say(media.Stop(self._who.stream_sid, ACCOUNT, self._who.call_sid))
        await asyncio.wait([self.gone], timeout=seconds)
        self._transport.abort()

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        parts = urlsplit(self._url)
        self._transport.write(
            (
                f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                f"X-Twilio-Signature: {signature.sign_url(self._url, self._token)}\r\n\r\n"
            ).encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(OrderFailed("a media stream was refused"))
            self.opened.exception()  # nobody may be waiting for it any more
        if not self.gone.done():
            self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            head, end, data = bytes(self._head).partition(b"\r\n\r\n")
            if not end:
                return
            self._open(head)
        for opcode, message in self._reader.feed(data):
            if opcode == frames.TEXT:
                self._take(message)
            else:
                self._control(opcode, message)

    def _control(self, opcode: int, message: bytes) -> None:
        assert self._transport is not None
        if opcode == frames.PING:
            self._transport.write(frames.pong_frame(message, masked=True))
        elif opcode == frames.CLOSE:
            self._transport.write(frames.close_frame(1000, masked=True))
            self._transport.close()

    def _open(self, head: bytes) -> None:
        assert self._transport is not None
        self._head = None
        if b" 101 " not in head[:14]:
            self._transport.abort()
            return
        who = self._who
        self._say(media.Connected())
        self._say(media.Start(who.stream_sid, ACCOUNT, who.call_sid, who.parameters))
        if not self.opened.done():
            self.opened.set_result(None)

    def _take(self, message: bytes) -> None:
        words = frames.base64_of(message, b'"payload"')
        if words is not None:
            self._hear(len(words) * 3 // 4 - words.endswith(b"=") - words.endswith(b"=="))
        elif b'"mark"' in message:
            self._marks.append((self._played_until, json.loads(message)["mark"]["name"]))

    def _hear(self, size: int) -> None:
        now = time.monotonic_ns()
        self._size += size
        self._heard_at.append(now // 1000)
        self._heard.append(self._size)
        self._played_until = max(self._played_until, now / 1e9) + size / BYTES_A_SECOND

    def _return_marks(self, now: float) -> None:
        while self._marks and self._marks[0][0] <= now:
            self._messages += 1
            name = self._marks.popleft()[1]
            self._say(media.Mark(self._who.stream_sid, name, self._messages))

    def _say(self, event: media.TwilioEvent) -> None:
        assert self._transport is not None
        message = media.write_event(event).encode()
        self._transport.write(frames.text_frame(message, masked=True))
