"""
Twilio's webhooks and media streams.

Rule: every request proves by its signature that Twilio sent it, and every stream by its
ticket which call it carries. URLs are made from the public origin, never from headers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from bridge.call.reception import Admit, Obey, Refuse, Reply, decide
from bridge.carriers.twilio import CARRIER, TwilioLeg
from bridge.errors import CarrierProtocolError, Ending, Fault
from bridge.ports import leg
from bridge.ports.store import CallState, Claim
from bridge.telemetry.logs import in_call
from bridge.web.anteroom import Anteroom
from bridge.web.bodies import TooLong, read_body
from bridge.web.direct import media_socket
from bridge.web.hearing import FAULT, NORMAL, MediaSocket, Message
from bridge.wire import ticket
from bridge.wire.twilio import frames, signature, twiml, webhook
from bridge.wiring.service import Service
from bridge.wiring.tallies import Growth

__all__ = ["TwilioRoutes"]

LEG = "leg"  # in a status callback's query: the fence on the ticket of the stream that it is about
START_SECONDS = 5.0  # from the handshake to the stream's start
GOODBYE_SECONDS = 5.0  # from our close to the carrier's
MAX_WAITING = 1_000  # sockets without a start; Twilio's have one within a tenth of a second
POLICY = 1008  # a WebSocket close code

_log = logging.getLogger(__name__)


class TwilioRoutes:
    """The routes below `/twilio`."""

    def __init__(self, service: Service, *, max_waiting: int = MAX_WAITING) -> None:
        self._service = service
        service.metrics.calls_may_come(CARRIER)
        self._anteroom = Anteroom(max_waiting)
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
                self._on_stream_status(request, webhook.read_stream_status(form))
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
        with in_call(asked.call_id):
            reply = await self._decide(asked, coming_in=coming_in)
        return Response(self._document(request, asked, reply), media_type="application/xml")

    async def _decide(self, asked: webhook.VoiceRequest, *, coming_in: bool) -> Reply:
        service = self._service
        standing = await service.standing(asked.call_id, leg_ended=not coming_in)
        reply = decide(
            standing,
            over=asked.over,
            coming_in=coming_in,
            refusal=None if service.knows(asked.call_id) else service.refusal,
            fallback=service.config.fallback_number,
        )
        if isinstance(reply, Admit) and standing.state is CallState.NEW:
            record = service.new_record(
                asked.call_id,
                carrier=CARRIER,
                account_id=asked.account_id,
                caller=asked.from_,
                called=asked.to,
                parameters=asked.parameters,
            )
            await service.expect(record)
        if isinstance(reply, Obey) and reply.final:
            hung_up, loop = Ending(Fault.CALLER, "hangup"), Ending(Fault.CARRIER, "loop")
            await service.end(asked.call_id, hung_up if asked.over else loop, reply.verdict)
        return reply

    def _document(self, request: Request, asked: webhook.VoiceRequest, reply: Reply) -> str:
        match reply:
            case Refuse(reason, words):
                self._service.metrics.call_refused(CARRIER, reason)
                return twiml.busy(words)
            case Obey(verdict):
                return _obeyed(verdict)
            case Admit(fence):
                path = self._reached_at(request)
                base = self._service.public_url + path
                token = self._service.issue_ticket(asked.call_id, asked.account_id, fence)
                return twiml.connect(
                    signature.socket_url(f"{base}/twilio/media"),
                    f"{base}/twilio/next",
                    f"{base}/twilio/status?{LEG}={fence}",
                    token,
                )

    def _on_stream_status(self, request: Request, status: webhook.StreamStatus) -> None:
        self._reached_at(request)
        if status.event == "stream-error":
            with in_call(status.call_id):
                _log.warning("Twilio reports a broken stream")
        if status.over and self._service.watchman is not None:
            which = webhook.read_number(request.query_params.get(LEG, ""))
            self._service.watchman.leg_ended(status.call_id, which)

    def _reached_at(self, request: Request) -> str:
        """Below which path of the public origin we are; whoever rescues a call has to know."""
        path = str(request.scope.get("root_path", ""))
        if self._service.watchman is not None:
            self._service.watchman.path = path
        return path

    async def _on_call_status(self, status: webhook.CallStatus) -> None:
        if status.over:
            with in_call(status.call_id):
                hung_up = Ending(Fault.CALLER, "hangup")
                await self._service.end(status.call_id, hung_up, leg.Hangup())

    async def _signed_form(self, request: Request) -> signature.Form | Response:
        """The fields, or the answer to a request that is not Twilio's."""
        is_json = request.headers.get("content-type", "").startswith("application/json")
        try:
            body = await read_body(request, webhook.MAX_BODY_SIZE)
            form = webhook.read_json(body) if is_json else webhook.read_form(body)
        except TooLong:
            self._service.metrics.bad_frame(CARRIER, "webhook-huge")
            return Response("the body is too long\n", status_code=413)
        except CarrierProtocolError as refused:
            return self._malformed(str(refused))
        signed, target = request.headers.get("x-twilio-signature"), _target(request)
        if not self._checked:
            return form
        if is_json:
            genuine = self._signatures.json(target, body, signed)
        else:
            genuine = self._signatures.form(target, form, signed)
        return form if genuine else self._forged()

    def _forged(self) -> Response:
        self._service.metrics.bad_frame(CARRIER, "signature")
        _log.warning(
            "a webhook was not signed with TWILIO_AUTH_TOKEN for BRIDGE_PUBLIC_URL: refused"
        )
        return Response("the signature does not fit\n", status_code=403)

    def _malformed(self, why: str) -> Response:
        self._service.metrics.bad_frame(CARRIER, "webhook-malformed")
        return Response(f"malformed request: {why}\n", status_code=400)

    # Media streams

    async def media(self, websocket: WebSocket) -> None:
        """One media stream, from its handshake to its end. Whatever fails, fails alone."""
        signed = websocket.headers.get("x-twilio-signature")
        if self._checked and not self._signatures.handshake(websocket.scope["path"], signed):
            self._service.metrics.bad_frame(CARRIER, "handshake-signature")
            await websocket.close()  # before the accept: HTTP 403
            return
        if self._anteroom.full:
            self._service.metrics.bad_frame(CARRIER, "handshake-crowded")
            await websocket.close()
            return
        await websocket.accept()
        async with media_socket(websocket) as socket:
            caller = TwilioLeg(socket, asyncio.get_running_loop().time)
            with self._service.tallies.keep(self._tally(caller)):
                try:
                    await self._stream(socket, caller)
                except Exception:
                    # Twilio asks what comes next, and is told to try again or to apologise.
                    _log.exception("a fault of ours on a media stream: the call loses its leg")
                    socket.close(FAULT)

    async def _stream(self, socket: MediaSocket, caller: TwilioLeg) -> None:
        claim = await self._begin(socket, caller)
        if claim is None or caller.start is None:
            socket.close(POLICY)
            return
        start = caller.start
        record = self._service.new_record(
            start.call_id, carrier=CARRIER, account_id=start.account_id
        )
        with in_call(start.call_id):
            socket.attach(caller.receive, caller.disconnected)
            await self._service.attend(caller, claim, record)
            socket.close(NORMAL)
            await socket.ended(GOODBYE_SECONDS)

    async def _begin(self, socket: MediaSocket, caller: TwilioLeg) -> Claim | None:
        """Listen until the stream has said which call it is, and claim that call."""
        begun = asyncio.Event()

        def hear(message: Message) -> None:
            caller.receive(message)
            if caller.start is not None or caller.ended:
                begun.set()

        def over(code: int) -> None:
            caller.disconnected(code)
            begun.set()

        socket.attach(hear, over)
        try:
            with self._anteroom:
                async with asyncio.timeout(START_SECONDS):
                    await begun.wait()
        except TimeoutError:
            self._service.metrics.bad_frame(CARRIER, "no-start")
            return None
        return None if caller.start is None else await self._claim(caller.start)

    async def _claim(self, start: frames.Start) -> Claim | None:
        service = self._service
        try:
            token = start.parameters.get(twiml.TOKEN, "")
            shown = ticket.read(token, service.ticket_keys, time.time())
        except CarrierProtocolError as refused:
            service.metrics.bad_frame(CARRIER, f"ticket-{refused}")
            return None
        if (shown.call_id, shown.account_id) != (start.call_id, start.account_id):
            service.metrics.bad_frame(CARRIER, "ticket-of-another-call")
            return None
        claim = await service.claim(shown.call_id, shown.fence)
        if claim is None:
            service.metrics.bad_frame(CARRIER, "ticket-used")
        return claim

    def _tally(self, caller: TwilioLeg) -> Callable[[], None]:
        """Adds to the metrics what went wrong on a stream since the last time."""
        metrics = self._service.metrics
        flow, counted = metrics.flow(CARRIER), caller.bad_frames.copy()
        dropped = Growth(lambda: caller.dropped_audio / 8_000)
        missing = Growth(lambda: (caller.missing_chunks + caller.unheard) * 0.02)

        def count() -> None:
            for reason, grown in (caller.bad_frames - counted).items():
                metrics.bad_frame(CARRIER, reason, grown)
                counted[reason] += grown
            flow.dropped_out += dropped.take()
            flow.dropped_in += missing.take()

        return count


def _obeyed(verdict: leg.Verdict) -> str:
    match verdict:
        case leg.Hangup(words):
            return twiml.hangup(words)
        case leg.Transfer(target, words):
            return twiml.transfer(target, words)


def _target(request: Request) -> str:
    """Path and query as the request line has them."""
    path = str(request.scope["path"])
    query = request.scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path
