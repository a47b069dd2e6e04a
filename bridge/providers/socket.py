"""
One WebSocket to a provider (RFC 6455), without a task, a queue or a lock.

Rule: a message is handed over in the loop turn in which its bytes arrive, and sent in
the turn in which it is written. Nothing here knows what a message says, and no error
text carries the URL's path or query, where some providers want their key.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from typing import Self, cast

from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.uri import WebSocketURI

from bridge.alarm import Alarm
from bridge.errors import ConnectError, SessionClosed
from bridge.nobody import nobody
from bridge.providers.framing import BINARY, OTHER, Fragments, Splitter, new_mask
from bridge.providers.keepalive import Keepalive, Pulse
from bridge.providers.refusal import unanswered, unreachable
from bridge.providers.transport import address, default_context, set_options
from bridge.wire.framing import text_frame, usual_texts

__all__ = ["MessageListener", "ProviderSocket"]

USER_AGENT = "telephony-bridge"
MAX_MESSAGE_SIZE = 16 * 1024 * 1024
LINGER = 1.0  # seconds that a dying connection has to write what is left

_END_OF_HEAD = b"\r\n\r\n"

# The protocol would log headers and frames at DEBUG, keys and words among them.
_quiet = logging.getLogger(f"{__name__}.frames")
_quiet.setLevel(logging.WARNING)

MessageListener = Callable[[str | bytes], None]
CloseListener = Callable[[int, str], None]


class ProviderSocket(asyncio.Protocol):
    """
    An open WebSocket. Made by `connect`; not to be used from another thread.

    Text leaves, and whole messages come, by our own framing. The handshake and all other
    frames are the library's affair, and so is whatever breaks the rules.
    """

    def __init__(
        self,
        uri: WebSocketURI,
        on_message: MessageListener,
        on_close: CloseListener,
        max_size: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._max_size = max_size
        self._splitter = Splitter(max_size)
        self._whole = False  # whether a usual message may come next, and be told at once
        # The end of what is read of the answer to the handshake, None behind it.
        self._head: bytes | None = b""
        # Messages that came before `connect` returned, and whether each is binary.
        self._early: list[tuple[bytes, bool]] = []
        self._protocol = ClientProtocol(uri, max_size=max_size, logger=_quiet)
        self._on_message = on_message
        self._on_close: CloseListener | None = on_close  # until it is told
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._wire: asyncio.Transport | None = None  # below TLS, if there is TLS
        self._fragments = Fragments()
        self._keepalive: Keepalive | None = None
        self._alarm = Alarm(self._wake)
        self._lingering: asyncio.TimerHandle | None = None
        self._ending: tuple[int, str] | None = None
        self.clogged = False
        """Whether anything waits for the network."""
        self.write: Callable[[bytes], None] = nobody
        """To send a masked frame as it is; once nothing would be heard any more, to nobody."""
        self._released = False  # once `connect` has returned, events may flow

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        on_message: MessageListener,
        on_close: CloseListener,
        open_timeout: float = 10.0,
        max_size: int = MAX_MESSAGE_SIZE,
        ping_interval: float | None = 20.0,
        ping_timeout: float | None = 20.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> Self:
        """
        Open a WebSocket within `open_timeout` seconds.

        `on_message` gets each message (text as str, binary as bytes), `on_close` the close
        code and reason, exactly once: 1006 and a reason of our own where the connection broke
        or the peer left a ping unanswered. Neither is called before this has returned.
        Raises AuthError (HTTP 401, 403) or ConnectError. May be cancelled without loss.
        """
        uri = address(url)
        socket = cls(uri, on_message, on_close, max_size)
        try:
            async with asyncio.timeout(open_timeout):
                await socket._open(uri, headers or {}, ssl_context)
        except TimeoutError:
            socket.abort()
            raise ConnectError(f"{uri.host} did not open a WebSocket in time") from None
        except (OSError, UnicodeError) as exc:
            socket.abort()
            raise unreachable(uri.host, exc) from exc
        except BaseException:
            socket.abort()
            raise
        socket._start_keepalive(ping_interval, ping_timeout)
        socket._loop.call_soon(socket._release)
        return socket

    @property
    def is_open(self) -> bool:
        """Whether `send` would still be heard."""
        return self.write is not nobody

    def buffered(self) -> int:
        """Bytes that were sent but not yet taken by the network."""
        waiting = 0 if self._transport is None else self._transport.get_write_buffer_size()
        return waiting if self._wire is None else waiting + self._wire.get_write_buffer_size()

    def send(self, text: str) -> None:
        """Send one text message. Raises SessionClosed when the connection is over."""
        if not self.is_open:
            raise SessionClosed("the connection is closed")
        self.write(text_frame(text.encode(), new_mask()))

    async def close(self, code: int = 1000, reason: str = "", timeout: float = 2.0) -> None:
        """Say goodbye, wait at most `timeout` seconds for the answer, and be gone."""
        if self.is_open:
            self.write = nobody
            self._protocol.send_close(code, reason)
            self._flush()
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._lost)
        except TimeoutError:
            self.abort()
            await asyncio.shield(self._lost)
        except asyncio.CancelledError:
            self.abort()
            raise

    def abort(self) -> None:
        """Be gone at once, without a goodbye."""
        self._stop_timers()
        if self._transport is not None:
            self._transport.abort()

    # What the transport tells us.

    def data_received(self, data: bytes) -> None:
        if self._keepalive is not None:
            self._keepalive.heard = True
        # As almost always: text messages, and nothing else.
        if self._whole and (texts := usual_texts(data, self._max_size, False)) is not None:
            for text in texts:
                self._tell(text)
        elif self._ending is None:
            self._take(data)

    def _take(self, data: bytes) -> None:
        if self._head is not None and not self._opened.done():
            data = self._read_handshake(self._head, data)
        for kind, piece in self._splitter.feed(data):
            if kind != OTHER:
                self._hand_over(piece, kind == BINARY)
            elif self._is_over_with(piece):
                return
        self._whole = self._released and self._splitter.whole

    def pause_writing(self) -> None:
        self.clogged = True

    def resume_writing(self) -> None:
        self.clogged = False

    def eof_received(self) -> None:
        if self._ending is None:
            self._protocol.receive_eof()
            self._end(CloseCode.ABNORMAL_CLOSURE, "the peer left without a close frame")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(CloseCode.ABNORMAL_CLOSURE, "the connection broke")
        self._stop_timers()
        if not self._opened.done():
            self._opened.set_exception(self._handshake_error())
            self._opened.exception()  # nobody may be waiting for it any more
        if not self._lost.done():
            self._lost.set_result(None)

    # Opening.

    async def _open(
        self, uri: WebSocketURI, headers: Mapping[str, str], context: ssl.SSLContext | None
    ) -> None:
        wire, _ = await self._loop.create_connection(asyncio.Protocol, uri.host, uri.port)
        self._transport = wire
        wire.set_write_buffer_limits(high=0)  # so that we are told when anything has to wait
        set_options(wire.get_extra_info("socket"))
        if uri.secure:
            await self._start_tls(wire, uri.host, context or default_context())
        else:
            wire.set_protocol(self)
        request = self._protocol.connect()
        request.headers.update({"User-Agent": USER_AGENT, **headers})
        self._protocol.send_request(request)
        self._flush()
        await self._opened

    async def _start_tls(self, wire: asyncio.Transport, host: str, context: ssl.SSLContext) -> None:
        secure = await self._loop.start_tls(wire, self, context, server_hostname=host)
        self._wire = wire
        self._transport = cast("asyncio.Transport", secure)
        self._transport.set_write_buffer_limits(high=0)

    def _read_handshake(self, head: bytes, data: bytes) -> bytes:
        """Returns what comes behind the head of the answer: frames, if it is a yes."""
        known = head + data
        end = known.find(_END_OF_HEAD)
        cut = len(data) if end < 0 else end + len(_END_OF_HEAD) - len(head)
        self._head = known[1 - len(_END_OF_HEAD) :]
        self._protocol.receive_data(data[:cut])
        if self._protocol.state is State.CONNECTING and cut < len(data):
            self._protocol.receive_data(data[cut:])
        self._flush()
        if self._protocol.handshake_exc is not None:
            self._opened.set_exception(self._handshake_error())
        elif self._protocol.state is not State.CONNECTING:
            assert self._transport is not None
            self._head, self.write = None, self._transport.write
            self._opened.set_result(None)
            return data[cut:]
        return b""

    def _handshake_error(self) -> ConnectError:
        return unanswered(self._protocol.uri.host, self._protocol.handshake_exc)

    def _release(self) -> None:
        self._released = True
        early, self._early = self._early, []
        for data, binary in early:
            self._hand_over(data, binary)
        if self._ending is not None:
            self._end(*self._ending)

    # Receiving.

    def _is_over_with(self, data: bytes) -> bool:
        """Read what is not ours to read; whether the connection is over with that."""
        self._protocol.receive_data(data)
        self._flush()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._read(event)
        close = self._protocol.close_sent
        if self._protocol.parser_exc is not None and close is not None:
            self._end(close.code, close.reason)
        return self._ending is not None

    def _read(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY | Opcode.CONT:
                if (message := self._fragments.add(frame)) is not None:
                    self._hand_over(*message)
            case Opcode.CLOSE:
                self._end(CloseCode.NO_STATUS_RCVD, "")
            case _:
                pass  # pings are answered by the protocol, pongs have been noticed

    def _hand_over(self, data: bytes, binary: bool) -> None:
        if not self._released:
            self._early.append((data, binary))
        else:
            # A broken character costs a letter, not the call.
            self._tell(data if binary else data.decode(errors="replace"))

    def _tell(self, message: str | bytes) -> None:
        tell = self._on_message
        try:
            tell(message)
        except Exception as exc:  # the listener's fault is told, the socket lives on
            self._report("a listener failed on a provider's message", exc)

    # Ending.

    def _end(self, code: int, reason: str) -> None:
        """Over, whatever comes now. A close frame of the peer's knows better than we why."""
        if self._ending is None:
            said = self._protocol.close_rcvd
            self._ending = (code, reason) if said is None else (said.code, said.reason)
            self.write, self._whole = nobody, False
            self._let_go()
        if self._released and (tell := self._on_close) is not None:
            self._on_close, self._on_message = None, nobody
            try:
                tell(*self._ending)
            except Exception as exc:
                self._report("a listener failed on a provider's goodbye", exc)

    def _let_go(self) -> None:
        self._stop_timers()
        if self._transport is not None:
            self._lingering = self._loop.call_later(LINGER, self._transport.abort)
            self._transport.close()

    def _report(self, message: str, exc: Exception) -> None:
        self._loop.call_exception_handler({"message": message, "exception": exc, "protocol": self})

    # Writing and keeping alive.

    def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data and self._transport is not None:
            self._transport.write(data)

    def _start_keepalive(self, interval: float | None, timeout: float | None) -> None:
        if interval is not None and self._ending is None:
            self._keepalive = Keepalive(interval, timeout, now=self._loop.time())
            self._alarm.set(self._keepalive.deadline)

    def _wake(self) -> None:
        if self._keepalive is None or self._ending is not None:
            return
        match self._keepalive.wake(self._loop.time()):
            case Pulse.DEAD:
                self._end(CloseCode.ABNORMAL_CLOSURE, "keepalive ping timeout")
                self.abort()
                return
            case Pulse.PING if self._protocol.state is State.OPEN:
                self._protocol.send_ping(b"")
                self._flush()
            case Pulse.PING | Pulse.WAIT:
                pass
        self._alarm.set(self._keepalive.deadline)

    def _stop_timers(self) -> None:
        self._alarm.stop()
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
