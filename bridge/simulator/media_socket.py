"""
The WebSocket that a carrier opens to the bridge, as Twilio opens it.

Its listener is called in the loop turn in which a frame arrives: no task, no queue.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from bridge.errors import BridgeError
from bridge.simulator.network import Network, plain_words

__all__ = ["Closed", "HandshakeFailed", "MediaSocket", "SocketListener", "open_media_socket"]

USER_AGENT = "Twilio.TmeWs/1.0"
HANDSHAKE_SECONDS = 10.0
CLOSE_SECONDS = 2.0  # how long a closing handshake may take
MAX_MESSAGE_SIZE = 16 * 1024 * 1024
WRITE_LIMIT = 64 * 1024  # some four seconds of caller audio that the bridge does not read

CONNECT_TIMED_OUT = 31901
CONNECT_REFUSED = 31902
BROKEN = 31903
TLS_FAILED = 31910
HANDSHAKE_REFUSED = 31920
CLOSED_BY_SERVER = 31921
PROTOCOL_ERROR = 31924


class HandshakeFailed(BridgeError):
    """The bridge did not take the media stream. `code` is Twilio's for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Closed:
    """How a socket came to its end: Twilio's code (0: we closed it), and in words."""

    code: int
    words: str
    broken: bool = False
    """There was no closing handshake."""


class SocketListener(Protocol):
    """Who is told what arrives. After `closed` nothing more is told."""

    def text(self, message: str) -> None:
        """A text message."""

    def binary(self, size: int) -> None:
        """A binary message, of so many bytes."""

    def closed(self, how: Closed) -> None:
        """The connection is over."""


class MediaSocket(asyncio.Protocol):
    """One WebSocket connection; made by `open_media_socket`."""

    def __init__(self, url: str, headers: Mapping[str, str], listener: SocketListener) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.congested = False
        """The bridge does not read; whatever is sent now only waits."""
        self._gone: asyncio.Future[None] = loop.create_future()
        self._listener: SocketListener | None = listener
        self._headers = headers
        self._websocket = ClientProtocol(parse_uri(url), max_size=MAX_MESSAGE_SIZE)
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._kind = Opcode.TEXT

    @property
    def usable(self) -> bool:
        """Whether the handshake has succeeded."""
        done = self.opened.done() and not self.opened.cancelled()
        return done and self.opened.exception() is None

    def send(self, message: str) -> None:
        """Send a text message; after the end, quietly nothing."""
        if self._websocket.state is State.OPEN:
            self._websocket.send_text(message.encode())
            self._flush()

    def abort(self) -> None:
        """Break the connection without a word."""
        self.opened.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close as the protocol wants it, or break off when that takes too long."""
        if self._websocket.state is State.OPEN:
            self._websocket.send_close(1000)
            self._flush()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.shield(self._gone)
        except TimeoutError:
            self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_LIMIT)
        request = self._websocket.connect()
        request.headers["User-Agent"] = USER_AGENT
        request.headers.update(self._headers)
        self._websocket.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._websocket.receive_data(data)
        self._read()

    def eof_received(self) -> None:
        self._websocket.receive_eof()
        self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(Closed(BROKEN, "the connection broke", broken=True))
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False

    def _read(self) -> None:
        for event in self._websocket.events_received():
            if isinstance(event, Frame):
                self._take(event)
            elif self._websocket.handshake_exc is None and not self.opened.done():
                self.opened.set_result(None)
        self._flush()
        if self._websocket.handshake_exc is not None:
            self._not_accepted(self._websocket.handshake_exc)
        elif self._websocket.parser_exc is not None and self._websocket.close_rcvd is None:
            self._failed(self._websocket.parser_exc)

    def _not_accepted(self, refusal: Exception) -> None:
        if self.opened.done():
            return
        if isinstance(refusal, InvalidStatus):
            status = refusal.response.status_code
            self._refused(HANDSHAKE_REFUSED, f"the handshake was answered with {status}, not 101")
        else:
            self._refused(HANDSHAKE_REFUSED, f"the handshake failed: {refusal}")

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY | Opcode.CONT:
                if frame.opcode is not Opcode.CONT:
                    self._kind = frame.opcode
                self._pieces.append(bytes(frame.data))
                if frame.fin:
                    self._tell(b"".join(self._pieces))
                    self._pieces.clear()
            case Opcode.CLOSE:
                self._over(self._closing())
            case _:
                pass  # pings are answered by the protocol

    def _tell(self, message: bytes) -> None:
        if self._listener is None:
            return
        if self._kind is Opcode.BINARY:
            self._listener.binary(len(message))
        else:
            self._listener.text(message.decode("utf-8", "replace"))

    def _closing(self) -> Closed:
        theirs = self._websocket.close_rcvd
        if theirs is None or self._websocket.close_rcvd_then_sent is False:
            return Closed(0, "closed")
        return Closed(CLOSED_BY_SERVER, f"the bridge closed it ({int(theirs.code)})")

    def _failed(self, exc: Exception) -> None:
        if isinstance(exc, EOFError):
            how = Closed(BROKEN, "the connection broke", broken=True)
        else:
            how = Closed(PROTOCOL_ERROR, f"it broke the WebSocket protocol: {exc}", broken=True)
        self._over(how)
        self.abort()

    def _over(self, how: Closed) -> None:
        if not self.opened.done():
            self._refused(how.code, how.words)
            return
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.closed(how)

    def _refused(self, code: int, words: str) -> None:
        self._listener = None
        self.opened.set_exception(HandshakeFailed(code, words))

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._websocket.data_to_send():
            if self._transport.is_closing():
                continue  # it would reach nobody, and uvloop minds
            if data:
                self._transport.write(data)
            else:
                self._transport.close()
        if self._websocket.close_expected() and self._websocket.close_rcvd is not None:
            self._transport.close()


async def open_media_socket(
    network: Network, url: str, headers: Mapping[str, str], listener: SocketListener
) -> MediaSocket:
    """Connect, and be answered with 101. Raises HandshakeFailed. May be cancelled."""
    target = network.target(url)
    loop = asyncio.get_running_loop()
    socket = MediaSocket(url, headers, listener)
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            await loop.create_connection(
                lambda: socket,
                target.host,
                target.port,
                ssl=target.tls,
                server_hostname=target.name,
            )
            await socket.opened
    except TimeoutError:
        raise HandshakeFailed(CONNECT_TIMED_OUT, "the handshake was not answered") from None
    except ssl.SSLError as exc:
        raise HandshakeFailed(TLS_FAILED, f"no TLS: {plain_words(exc)}") from None
    except OSError as exc:
        raise HandshakeFailed(CONNECT_REFUSED, f"no connection: {plain_words(exc)}") from None
    finally:
        if not socket.usable:
            socket.abort()
    return socket
