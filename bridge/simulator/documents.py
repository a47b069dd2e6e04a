"""
Following a call's TwiML: documents are asked for, their verbs done, one after the other.

Twilio, TwiML for Programmable Voice. The answer to an action or a redirect takes the place
of the document at hand. A media stream that ended, however abruptly, leads to the action of
its Connect, and without one to the next verb.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never
from urllib.parse import urldefrag

from bridge.errors import CarrierProtocolError
from bridge.simulator.journal import What
from bridge.simulator.network import resolved
from bridge.simulator.report import Ended
from bridge.simulator.streams import CallParts, Streams
from bridge.simulator.webhooks import WebhookFailed
from bridge.wire.twilio import verbs

__all__ = ["Documents", "Manners"]

MAX_DOCUMENTS = 50  # a bridge that sends callers around in circles is stopped here

BAD_DOCUMENT = 12100
BAD_SCHEMA = 12200


@dataclass(frozen=True, slots=True)
class Manners:
    """How the carrier itself behaves: what becomes of a Dial, and how fast it speaks."""

    dial_status: str = "completed"
    words_per_second: float = 2.5
    asks_after_break: bool = True
    """Whether an action is asked for after a stream that broke; if not, an order is waited for."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """The next document, and who has it."""

    url: str
    method: str = "POST"
    fields: Mapping[str, str] = field(default_factory=dict)


class Documents:
    """
    One call's way through its documents. `follow` tells how it ended.

    An order takes the call away from what it does just now.
    """

    def __init__(self, parts: CallParts, streams: Streams, manners: Manners) -> None:
        self.picked_up = asyncio.Event()
        self.picked_up_at: float | None = None
        self.twiml: list[str] = []
        self.transfers: list[str] = []
        self._parts = parts
        self._streams = streams
        self._manners = manners
        self._loop = asyncio.get_running_loop()
        self._base = ""
        self._orders: asyncio.Queue[_Ask | Ended] = asyncio.Queue()

    @property
    def status(self) -> str:
        """ringing or in-progress, in Twilio's words."""
        return "in-progress" if self.picked_up.is_set() else "ringing"

    def redirect(self, url: str, method: str) -> None:
        """Go on with this document."""
        self._orders.put_nowait(_Ask(url, method))

    def hang_up(self) -> None:
        """End the call."""
        self._orders.put_nowait(Ended("hung-up", "by order"))

    async def follow(self, url: str, fallback_url: str | None = None) -> Ended:
        """
        Follow the documents from `url` on until the call is over. May be cancelled.

        `fallback_url` is asked, once, when a document cannot be had.
        """
        ask = _Ask(url)
        for _ in range(MAX_DOCUMENTS):
            try:
                outcome = await self._unless_ordered(ask)
            except WebhookFailed as failure:
                if fallback_url is None:
                    return Ended("webhook-failed", f"{failure.code}: {failure}")
                fields = {"ErrorCode": str(failure.code), "ErrorUrl": urldefrag(ask.url).url}
                outcome, fallback_url = _Ask(fallback_url, fields=fields), None
            if isinstance(outcome, Ended):
                return outcome
            ask = outcome
        return Ended("too-many-documents", f"more than {MAX_DOCUMENTS} documents")

    async def _unless_ordered(self, ask: _Ask) -> _Ask | Ended:
        """What the document leads to, unless an order comes before. Raises WebhookFailed."""
        order = asyncio.create_task(self._orders.get(), name="order")
        document = asyncio.create_task(self._document(ask), name="document")
        try:
            await asyncio.wait((order, document), return_when=asyncio.FIRST_COMPLETED)
            if not order.done():
                return document.result()
        finally:
            order.cancel()
            document.cancel()
            await asyncio.gather(order, document, return_exceptions=True)
        self._note(What.CARRIER, "the call is ordered elsewhere")
        await self._streams.hang_up()
        return order.result()

    async def _document(self, ask: _Ask) -> _Ask | Ended:
        return await self._perform(await self._fetch(ask))

    async def _fetch(self, ask: _Ask) -> tuple[verbs.Verb, ...]:
        began = self._loop.time()
        self._base = urldefrag(ask.url).url
        try:
            form = self._parts.identity.form(self.status, ask.fields)
            answer = await self._parts.webhooks.ask(ask.method, ask.url, form)
        except WebhookFailed as failure:
            self._note(What.WEBHOOK, f"{ask.method} {self._base}: {failure}")
            raise
        ms = (self._loop.time() - began) * 1000
        self._note(What.WEBHOOK, f"{ask.method} {self._base}: {answer.status} in {ms:.0f} ms")
        return self._read(answer.body)

    def _read(self, body: str) -> tuple[verbs.Verb, ...]:
        try:
            document = verbs.read_twiml(body)
        except CarrierProtocolError as exc:
            raise WebhookFailed(BAD_DOCUMENT, str(exc)) from None
        self.twiml.append(" ".join(_name(verb) for verb in document))
        self._note(What.TWIML, self.twiml[-1] or "an empty document")
        return document

    async def _perform(self, document: tuple[verbs.Verb, ...]) -> _Ask | Ended:
        for verb in document:
            outcome = await self._do(verb)
            if outcome is not None:
                return outcome
        if self.transfers:
            return Ended("transferred")
        return Ended("document-ended", "the document ended, and so the carrier hung up")

    async def _do(self, verb: verbs.Verb) -> _Ask | Ended | None:
        """What comes after the verb; None: the next one."""
        match verb:
            case verbs.Connect():
                self._pick_up()
                await self._streams.carry(verb, self._base)
                if self._streams.broke and not self._manners.asks_after_break:
                    await asyncio.Event().wait()
                return self._action(verb.action, verb.method)
            case verbs.Dial():
                return self._dial(verb)
            case verbs.Say() | verbs.Play():
                self._pick_up()
                await self._speak(verb)
            case verbs.Pause(seconds):
                await asyncio.sleep(seconds)
            case verbs.Redirect(url, method):
                return self._action(url, method)
            case verbs.Hangup():
                return Ended("hung-up")
            case verbs.Reject(reason):
                return Ended("rejected", reason)
            case verbs.Unknown(name):
                text = f"a verb or a use of it that is not known: {name}"
                self._parts.journal.violate(self._loop.time(), BAD_SCHEMA, text)
            case _:
                assert_never(verb)
        return None

    async def _speak(self, verb: verbs.Say | verbs.Play) -> None:
        if isinstance(verb, verbs.Play):
            self._note(What.CARRIER, "plays a recording")
            return
        self._note(What.CARRIER, f"says: {verb.words}")
        await asyncio.sleep(len(verb.words.split()) / self._manners.words_per_second)

    def _dial(self, verb: verbs.Dial) -> _Ask | None:
        self._pick_up()
        status = self._manners.dial_status
        self._note(What.CARRIER, f"dials {verb.target}: {status}")
        if status == "completed":
            self.transfers.append(verb.target)
        return self._action(verb.action, verb.method, {"DialCallStatus": status})

    def _action(
        self, url: str | None, method: str, fields: Mapping[str, str] | None = None
    ) -> _Ask | None:
        return None if url is None else _Ask(resolved(self._base, url), method, fields or {})

    def _pick_up(self) -> None:
        if not self.picked_up.is_set():
            self._note(What.PICKED_UP)
            self.picked_up_at = self._loop.time()
            self.picked_up.set()

    def _note(self, what: What, text: str = "") -> None:
        self._parts.journal.note(self._loop.time(), what, text)


def _name(verb: verbs.Verb) -> str:
    return verb.name if isinstance(verb, verbs.Unknown) else type(verb).__name__
