"""
The Connect verb: a media stream is opened, carried until it ends, and reported.

Twilio, TwiML `<Connect><Stream>` and its status callbacks. One stream of a call at a time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from urllib.parse import urldefrag

from bridge.errors import ConfigError
from bridge.simulator.connection import Connection
from bridge.simulator.journal import Journal, What
from bridge.simulator.line import Line
from bridge.simulator.media_socket import Closed, HandshakeFailed
from bridge.simulator.network import Network, is_local, resolved
from bridge.simulator.report import StreamReport
from bridge.simulator.stream import StreamIdentity
from bridge.simulator.webhooks import CallIdentity, WebhookFailed, Webhooks
from bridge.wire.twilio import webhook
from bridge.wire.twilio.signature import Form
from bridge.wire.twilio.verbs import Connect

__all__ = ["CallParts", "Streams"]

MAX_PARAMETER_LENGTH = 499  # characters of name and value together

BAD_SCHEMA = 12200
QUERY_STRING = 31920
NOT_WSS = 31922
MALFORMED_URL = 31923
BAD_TRACK = 31941


@dataclass(frozen=True, slots=True)
class CallParts:
    """What one call is made of. Status callbacks run in `callbacks`, and nobody waits for them."""

    webhook_url: str
    identity: CallIdentity
    network: Network
    webhooks: Webhooks
    line: Line
    journal: Journal
    callbacks: asyncio.TaskGroup


@dataclass(frozen=True, slots=True)
class _Open:
    """The stream that is open now."""

    connection: Connection
    verb: Connect
    base: str
    started_at: float


class Streams:
    """
    A call's media streams, one after the other; `reports` tells of those that ended.

    `told`: status callbacks tell of them.
    """

    def __init__(self, parts: CallParts, *, told: bool = True) -> None:
        self.reports: list[StreamReport] = []
        self._parts = parts
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._open: _Open | None = None

    async def carry(self, verb: Connect, base: str) -> None:
        """
        Open the stream of a verb, whose URLs are relative to `base`, and wait for its end.

        A stream that cannot be opened has ended at once. When this is cancelled the stream
        stays, for `hang_up` or `abort`.
        """
        url = self._url(verb, base)
        self._check(verb)
        if url is None:
            return
        parts = self._parts
        who = parts.identity
        stream = StreamIdentity(
            "MZ" + token_hex(16), who.call_sid, who.account_sid, verb.parameters
        )
        connection = Connection(stream, parts.journal)
        this = _Open(connection, verb, base, self._loop.time())
        try:
            await connection.open(parts.network, url, parts.webhooks.handshake_headers(url))
        except HandshakeFailed as failure:
            self._ended(this, Closed(failure.code, str(failure), broken=True))
            return
        self._open = this
        parts.journal.note(self._loop.time(), What.STREAM_STARTED, f"{stream.stream_sid} {url}")
        self._callback(this, "stream-started")
        parts.line.connect(connection)
        self._ended(this, await connection.over)

    @property
    def broke(self) -> bool:
        """Whether the last one has ended without a closing handshake."""
        return bool(self.reports) and self.reports[-1].broken

    async def hang_up(self) -> None:
        """The call is over, or goes elsewhere: stop the stream in good order, if there is one."""
        if self._open is not None:
            await self._open.connection.hang_up()
            self._ended(self._open, Closed(0, "the call is over"))

    def abort(self) -> None:
        """Let go of the socket at once, if there is one."""
        if self._open is not None:
            self._open.connection.abort()

    def notify(self, url: str, method: str, form: Form) -> None:
        """Tell a status callback, in the background."""
        self._parts.callbacks.create_task(self._tell(url, method, form), name="status callback")

    def _ended(self, ended: _Open, how: Closed) -> None:
        self._open = None
        self._parts.line.disconnect()
        journal, now = self._parts.journal, self._loop.time()
        sid = ended.connection.stream.identity.stream_sid
        code = f" ({how.code})" if how.code else ""
        journal.note(now, What.STREAM_ENDED, f"{sid} {how.words}{code}")
        began = ended.started_at - journal.began
        report = StreamReport(
            sid, round(began, 4), round(now - journal.began, 4), how.words, how.broken
        )
        self.reports.append(report)
        if how.broken:
            self._callback(ended, "stream-error", f"{how.code}: {how.words}")
        else:
            self._callback(ended, "stream-stopped")

    def _callback(self, stream: _Open, event: str, error: str = "") -> None:
        url = stream.verb.status_callback
        if url is None or not self._told:
            return
        who = stream.connection.stream.identity
        status = webhook.StreamStatus(who.call_sid, who.account_sid, who.stream_sid, event, error)
        form = [
            *webhook.write_stream_status(status),
            ("StreamName", stream.verb.name or who.stream_sid),
            ("Timestamp", datetime.now(UTC).isoformat()),
        ]
        self.notify(resolved(stream.base, url), stream.verb.status_callback_method, form)

    async def _tell(self, url: str, method: str, form: Form) -> None:
        try:
            await self._parts.webhooks.ask(method, url, form)
        except WebhookFailed as failure:
            text = f"{method} {urldefrag(url).url}: {failure}"
            self._parts.journal.note(self._loop.time(), What.WEBHOOK, text)

    def _url(self, verb: Connect, base: str) -> str | None:
        """The URL as Twilio would open it, or None where it would not."""
        url = verb.stream_url
        if "://" not in url:
            url = resolved(base, url).replace("http", "ws", 1)
        if "?" in url:
            self._violate(QUERY_STRING, "a stream URL with a query string, which is dropped")
            url = url.partition("?")[0]
        try:
            local = is_local(url)
            self._parts.network.target(url)
        except ConfigError:
            self._violate(MALFORMED_URL, "a stream URL that is none")
            return None
        # Twilio never meets a bridge on its own machine; a simulated carrier does.
        if not url.startswith(("wss:", "ws:") if local else "wss:"):
            self._violate(NOT_WSS, "a stream URL that is not wss")
            return None
        return url

    def _check(self, verb: Connect) -> None:
        if any(len(name + value) > MAX_PARAMETER_LENGTH for name, value in verb.parameters.items()):
            self._violate(BAD_SCHEMA, "a stream parameter of 500 characters or more")
        if verb.track not in {None, "inbound_track"}:
            self._violate(BAD_TRACK, "a bidirectional stream with another track than inbound_track")

    def _violate(self, code: int, text: str) -> None:
        self._parts.journal.violate(self._loop.time(), code, text)
