"""
A carrier that calls a voice webhook, follows its TwiML and carries the caller's voice.

It stands in for Twilio: what it sends is spelled, signed and timed as Twilio does, and
what it is sent must be what Twilio would take. See Twilio's Media Streams and TwiML for
Programmable Voice.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from bridge.simulator.caller import Caller, Script
from bridge.simulator.documents import Documents, Manners
from bridge.simulator.exchange import Exchange
from bridge.simulator.journal import Journal, MomentListener, What
from bridge.simulator.line import Line
from bridge.simulator.listening import summed_up
from bridge.simulator.network import Network
from bridge.simulator.report import CallReport, Ended
from bridge.simulator.streams import CallParts, Streams
from bridge.simulator.webhooks import CallIdentity, Webhooks
from bridge.wire.twilio import webhook

__all__ = ["ACCOUNT_SID", "FROM", "TO", "SimulatedCarrier"]

ACCOUNT_SID = "AC" + 32 * "0"
FROM = "+15005550006"
TO = "+15005550001"
MAX_CALL_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class SimulatedCarrier:
    """
    Places calls to one number, whose voice webhook is `webhook_url`.

    A number of calls may be placed at once; they share nothing but the exchange.
    """

    webhook_url: str
    """As the carrier knows it: the bridge's public URL, which is what gets signed."""
    _: KW_ONLY
    auth_token: str | None = field(default=None, repr=False)
    """Signs requests and handshakes; None: nothing is signed."""
    account_sid: str = ACCOUNT_SID
    from_: str = FROM
    to: str = TO
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where public origins really are: {"https://bridge.example": "http://127.0.0.1:8080"}."""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """What to trust; None: the system's authorities. See `network.trusting`."""
    fallback_url: str | None = None
    """Asked when a document cannot be had."""
    status_callback: str | None = None
    """Told when the call is completed."""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """More webhook parameters, such as SipHeader_X-Ticket."""
    dial_status: str = "completed"
    """What becomes of a `<Dial>`: completed, busy, no-answer, failed."""
    words_per_second: float = 2.5
    """How fast the carrier's own voice speaks."""
    noise: bool = False
    """Whether the line hisses while the caller is silent."""
    max_seconds: float = MAX_CALL_SECONDS
    asks_after_break: bool = True
    """Whether it asks what comes next when a stream has broken; if not, it waits for an order."""
    tells_streams: bool = True
    """Whether status callbacks tell of streams."""
    exchange: Exchange = field(default_factory=Exchange, repr=False, compare=False)
    """Takes orders for the calls, as the carrier's REST API does."""

    async def place(self, script: Script, listener: MomentListener | None = None) -> CallReport:
        """
        Call, do what `script` says until the call is over, and report.

        `listener` hears of each moment as it happens. Raises ConfigError when the webhook's
        URL is none. When it is cancelled the call breaks off, and nothing is left behind.
        """
        return await self.put_through(Caller(script, noise=self.noise), listener)

    async def put_through(
        self, caller: Caller, listener: MomentListener | None = None
    ) -> CallReport:
        """As `place`, for a caller who decides without a script."""
        network = Network(self.origins, self.tls)
        network.target(self.webhook_url)
        identity = CallIdentity(
            "CA" + secrets.token_hex(16), self.account_sid, self.from_, self.to, self.parameters
        )
        journal = Journal(asyncio.get_running_loop().time(), listener)
        line = Line(caller, journal)
        webhooks = Webhooks(network, self.auth_token)
        async with asyncio.TaskGroup() as tasks:
            parts = CallParts(self.webhook_url, identity, network, webhooks, line, journal, tasks)
            return await self._carry(parts)

    async def _carry(self, parts: CallParts) -> CallReport:
        streams = Streams(parts, told=self.tells_streams)
        manners = Manners(self.dial_status, self.words_per_second, self.asks_after_break)
        documents = Documents(parts, streams, manners)
        self.exchange.begin(parts.identity.call_sid, documents)
        try:
            ended = await self._outcome(parts, documents)
            await streams.hang_up()
        finally:
            self.exchange.end(parts.identity.call_sid)
            streams.abort()
        now = asyncio.get_running_loop().time()
        parts.journal.note(now, What.ENDED, ended.word)
        self._completed(parts, streams, now)
        return summed_up(parts, documents, streams, ended, now)

    async def _outcome(self, parts: CallParts, documents: Documents) -> Ended:
        """Wait until the documents, the caller or the clock ends the call."""
        async with asyncio.TaskGroup() as tasks:
            follow = documents.follow(self.webhook_url, self.fallback_url)
            following = tasks.create_task(follow, name="documents")
            calling = tasks.create_task(self._call(parts, documents), name="caller")
            await asyncio.wait(
                (following, calling),
                timeout=self.max_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            following.cancel()
            calling.cancel()
        if not following.cancelled():
            return following.result()
        if not calling.cancelled():
            return Ended("caller-hung-up")
        return Ended("out-of-time", f"it lasted longer than {self.max_seconds:g} s")

    async def _call(self, parts: CallParts, documents: Documents) -> None:
        await documents.picked_up.wait()
        await parts.line.run()

    def _completed(self, parts: CallParts, streams: Streams, now: float) -> None:
        if self.status_callback is None:
            return
        who, seconds = parts.identity, round(now - parts.journal.began)
        over = webhook.CallStatus(who.call_sid, who.account_sid, "completed", seconds)
        streams.notify(self.status_callback, "POST", webhook.write_call_status(over))
