"""
Twilio's webhooks and media streams.

Rule: every request proves by its signature that Twilio sent it, and every stream by its
ticket which call it carries. URLs are made from the public origin, never from headers.
"""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from bridge.call.reception import Admit, Obey, Refuse, Reply, decide
from bridge.carriers.twilio import TwilioLeg
from bridge.errors import CarrierProtocolError, StoreError
from bridge.ports import leg
from bridge.ports.store import CallState, Claim, Standing
from bridge.web.bodies import read_body
from bridge.web.socket import AsgiSocket
from bridge.wire import ticket
from bridge.wire.twilio import signature, twiml, webhook
from bridge.wiring.service import Service

__all__ = ["TwilioRoutes"]

CARRIER = "twilio"
START_SECONDS = 5.0  # from the handshake to the stream's start
GOODBYE_SECONDS = 5.0  # from our close to the carrier's
POLICY = 1008  # WebSocket close code

_log = logging.getLogger(__name__)


class TwilioRoutes:
    """The routes below `/twilio`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        tokens = [token.reveal() for token in service.config.twilio.auth_tokens]
        self._checked = bool(tokens)
        self._signatures = signature.SignatureCheck(service.public_url, tokens)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/twilio/voice", self.voice, methods=["POST"]),
            Route("/twilio/next", self.next, methods=["POST"]),
            Route("/twilio/status", self.status, methods=["POST"]),
            WebSocketRoute("/twilio/media", self.media),
        ]

    # Webhooks

    async def voice(self, request: Request) -> Response:
        """A call comes in: the number's voice webhook."""
        return await self._answer(request, coming_in=True)

    async def next(self, request: Request) -> Response:
        """A stream has ended, and Twilio asks what comes next."""
        return await self._answer(request, coming_in=False)

    async def status(self, request: Request) -> Response:
        """A stream or a call has changed its status."""
        form = await self._signed_form(request)
        if isinstance(form, Response):
            return form
        try:
            if any(name == "StreamEvent" for name, _ in form):
                self._on_stream_status(webhook.read_stream_status(form))
            else:
                await self._on_call_status(webhook.read_call_status(form))
        except CarrierProtocolError as refused:
            return self._malformed(str(refused))
        return Response(status_code=204)

    async def _answer(self, request: Request, *, coming_in: bool) -> Response:
        form = await self._signed_form(request)
        if isinstance(form, Response):
            return form
        try:
            asked = webhook.read_voice(form)
        except CarrierProtocolError as refused:
            return self._malformed(str(refused))
        service = self._service
        standing = await self._standing(asked.call_id)
        reply = decide(
            standing,
            over=asked.over,
            coming_in=coming_in,
            refusal=service.switchboard.refusal,
            fallback=service.config.fallback_number,
        )
        if isinstance(reply, Admit) and standing.state is CallState.NEW:
            record = service.new_record(
                asked.call_id,
                carrier=CARRIER,
                account_id=asked.account_id,
                caller=asked.from_,
                called=asked.to,
            )
            await service.expect(record)
        if isinstance(reply, Obey) and reply.final:
            await service.end(asked.call_id, reply.verdict)
        return self._twiml(self._document(request, asked, reply))

    def _document(self, request: Request, asked: webhook.VoiceRequest, reply: Reply) -> str:
        match reply:
            case Refuse(reason, words):
                self._service.metrics.call_refused(CARRIER, reason)
                return twiml.busy(words)
            case Obey(verdict):
                return _obeyed(verdict)
            case Admit(fence):
                base = self._service.public_url + request.scope.get("root_path", "")
                token = self._service.issue_ticket(asked.call_id, asked.account_id, fence)
                return twiml.connect(
                    signature.socket_url(f"{base}/twilio/media"),
                    f"{base}/twilio/next",
                    f"{base}/twilio/status",
                    token,
                )

    async def _standing(self, call_id: str) -> Standing:
        try:
            return await self._service.store.standing(call_id)
        except StoreError as exc:
            _log.warning("the store does not answer; the call is taken without it: %s", exc)
            return Standing(CallState.NEW)

    def _on_stream_status(self, status: webhook.StreamStatus) -> None:
        if status.event == "stream-error":
            _log.warning("Twilio reports a broken stream: error %s", status.error or "unknown")

    async def _on_call_status(self, status: webhook.CallStatus) -> None:
        if status.over:
            await self._service.end(status.call_id, leg.Hangup())

    async def _signed_form(self, request: Request) -> signature.Form | Response:
        """The form, or the answer to a request that is not Twilio's."""
        body = await read_body(request, webhook.MAX_BODY_SIZE)
        if body is None:
            return self._malformed("huge")
        try:
            form = webhook.read_form(body)
        except CarrierProtocolError as refused:
            return self._malformed(str(refused))
        signed = request.headers.get("x-twilio-signature")
        if self._checked and not self._signatures.form(_target(request), form, signed):
            self._service.metrics.bad_frame(CARRIER, "signature")
            _log.warning(
                "a webhook was not signed with TWILIO_AUTH_TOKEN for BRIDGE_PUBLIC_URL: refused"
            )
            return Response("the signature does not fit\n", status_code=403)
        return form

    def _malformed(self, reason: str) -> Response:
        self._service.metrics.bad_frame(CARRIER, f"webhook-{reason}")
        return Response(f"malformed request: {reason}\n", status_code=400)

    def _twiml(self, document: str) -> Response:
        return Response(document, media_type="application/xml")

    # Media streams

    async def media(self, websocket: WebSocket) -> None:
        """One media stream, from its handshake to its end."""
        signed = websocket.headers.get("x-twilio-signature")
        if self._checked and not self._signatures.handshake(websocket.scope["path"], signed):
            self._service.metrics.bad_frame(CARRIER, "handshake-signature")
            await websocket.close()  # before the accept: HTTP 403
            return
        await websocket.accept()
        socket = AsgiSocket(websocket)
        caller = TwilioLeg(
            socket.write,
            socket.close,
            buffered=lambda: socket.buffered,
            now=asyncio.get_running_loop().time,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(socket.send(), name="sender")
                await self._stream(socket, caller)
        finally:
            for reason, count in caller.bad_frames.items():
                self._service.metrics.bad_frame(CARRIER, reason, count)

    async def _stream(self, socket: AsgiSocket, caller: TwilioLeg) -> None:
        claim = await self._begin(socket, caller)
        if claim is None or caller.start is None:
            socket.close(POLICY)
            return
        start = caller.start
        record = self._service.new_record(
            start.call_id, carrier=CARRIER, account_id=start.account_id
        )
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_read(socket, caller), name="reader")
            await self._service.attend(caller, claim, record)
            socket.close(1000)
            await asyncio.wait([reader], timeout=GOODBYE_SECONDS)
            reader.cancel()

    async def _begin(self, socket: AsgiSocket, caller: TwilioLeg) -> Claim | None:
        """Read until the stream has said which call it is, and claim that call."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while caller.start is None and not caller.ended:
                    message = await socket.receive()
                    if message is None:
                        return None
                    caller.receive(message)
        except TimeoutError:
            self._service.metrics.bad_frame(CARRIER, "no-start")
            return None
        return None if caller.start is None else await self._claim(caller)

    async def _claim(self, caller: TwilioLeg) -> Claim | None:
        start = caller.start
        assert start is not None
        keys = self._service.ticket_keys
        try:
            shown = ticket.read(start.parameters.get(twiml.TOKEN, ""), keys, time.time())
        except CarrierProtocolError as refused:
            self._service.metrics.bad_frame(CARRIER, f"ticket-{refused}")
            return None
        if (shown.call_id, shown.account_id) != (start.call_id, start.account_id):
            self._service.metrics.bad_frame(CARRIER, "ticket-of-another-call")
            return None
        claim = await self._service.claim(shown.call_id, shown.fence)
        if claim is None:
            self._service.metrics.bad_frame(CARRIER, "ticket-used")
        return claim


def _obeyed(verdict: leg.Verdict) -> str:
    match verdict:
        case leg.Hangup(words):
            return twiml.hangup(words)
        case leg.Transfer(target, words):
            return twiml.transfer(target, words)


async def _read(socket: AsgiSocket, caller: TwilioLeg) -> None:
    while (message := await socket.receive()) is not None:
        caller.receive(message)
    caller.disconnected(socket.close_code)
    socket.close(1000)


def _target(request: Request) -> str:
    """Path and query as the request line has them."""
    path = str(request.scope["path"])
    query = request.scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path
