"""A carrier worked by hand: it asks, opens and sends exactly what a test tells it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bridge.simulator.carrier import ACCOUNT_SID
from bridge.wire.twilio import frames, media, signature, verbs, webhook
from bridge.wire.twilio.signature import Form
from tests.journeys.stage import PUBLIC, TOKEN, Stage

__all__ = ["STREAM", "HandMadeCall", "closing_code"]

STREAM = "MZ" + "0" * 32
SILENCE = b"\xff" * 160
ABNORMAL = 1006


@dataclass(slots=True)
class HandMadeCall:
    """One call. Nothing happens by itself."""

    stage: Stage
    call_sid: str = field(default_factory=lambda: "CA" + secrets.token_hex(16))
    account_sid: str = ACCOUNT_SID
    token: str = ""
    """What the last document gave for the stream."""

    def form(self, **more: str) -> Form:
        request = webhook.VoiceRequest(
            self.call_sid, self.account_sid, "+15005550006", "+15005550001", parameters=more
        )
        return webhook.write_voice(request)

    async def ask(self, path: str = "/twilio/voice", **fields: str) -> tuple[verbs.Verb, ...]:
        """The document that a signed request is answered with."""
        form = [(name, value) for name, value in self.form() if name not in fields]
        answer = await self.post(path, [*form, *fields.items()])
        assert answer.status_code == 200, answer.text
        document = verbs.read_twiml(answer.text)
        for verb in document:
            if isinstance(verb, verbs.Connect):
                self.token = verb.parameters["token"]
        return document

    async def asks_next(self, **fields: str) -> list[str]:
        """The verbs with which the call goes on after a stream has ended."""
        return [type(verb).__name__ for verb in await self.ask("/twilio/next", **fields)]

    async def post(
        self, path: str, form: Form, *, signed_by: str | None = TOKEN, url: str | None = None
    ) -> httpx.Response:
        """A form, signed for `url` (the path at the public origin) or not at all."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if signed_by is not None:
            target = PUBLIC + path if url is None else url
            headers["X-Twilio-Signature"] = signature.sign_form(target, form, signed_by)
        return await self.stage.ask("POST", path, content=webhook.write_form(form), headers=headers)

    async def open(
        self, *, signed_by: str | None = TOKEN, path: str = "/twilio/media"
    ) -> ClientConnection:
        """A media stream's socket, on which nothing was said yet."""
        public = PUBLIC.replace("https", "wss") + path
        headers: Mapping[str, str] = {}
        if signed_by is not None:
            headers = {"X-Twilio-Signature": signature.sign_url(public, signed_by)}
        return await connect(
            self.stage.origin.replace("http", "ws") + path,
            additional_headers=headers,
            compression=None,
            proxy=None,
            ping_interval=None,
        )

    async def begin(
        self,
        socket: ClientConnection,
        *,
        account_id: str | None = None,
        token: str | None = None,
    ) -> None:
        """Say which call it is; what is not given is true."""
        start = frames.Start(
            STREAM,
            account_id or self.account_sid,
            self.call_sid,
            {"token": self.token if token is None else token},
        )
        await socket.send(media.write_event(frames.Connected()))
        await socket.send(media.write_event(start))

    async def stream(self) -> ClientConnection:
        """From the webhook to a stream that has begun."""
        await self.ask()
        socket = await self.open()
        await self.begin(socket)
        return socket

    @staticmethod
    def frame(chunk: int = 1, audio: bytes = SILENCE, stream_sid: str = STREAM) -> str:
        """20 ms of the caller's."""
        return media.write_event(frames.Media(stream_sid, audio, chunk=chunk, timestamp_ms=20))


async def closing_code(socket: ClientConnection) -> int:
    """With which code the bridge closes it, sooner or later; 1006 when it just breaks."""
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass
    return ABNORMAL if socket.close_code is None else socket.close_code
