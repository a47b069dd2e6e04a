"""Twilio's webhooks: who asks, what is answered, and what is not believed."""

from __future__ import annotations

import json

import httpx
import pytest

from bridge.ports import leg, phrases
from bridge.ports.fleet import Pulse
from bridge.ports.store import CallState
from bridge.simulator.carrier import ACCOUNT_SID
from bridge.store.fleet import MemoryFleet
from bridge.store.memory import MemoryStore
from bridge.telemetry.metrics import Metrics
from bridge.wire.twilio import signature, verbs, webhook
from bridge.wiring.watchman import Watchman
from tests.web.apps import CALL, PUBLIC, TOKEN, an_app, form_of

PATHS = ["/twilio/voice", "/twilio/next", "/twilio/status"]


def document(answer: httpx.Response) -> list[verbs.Verb]:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xml")
    return list(verbs.read_twiml(answer.text))


async def test_a_call_is_connected() -> None:
    """Every URL is made from the public origin, and the ticket is for this call."""
    async with an_app() as app:
        [connect] = document(await app.post("/twilio/voice", form_of()))

    assert isinstance(connect, verbs.Connect)
    assert connect.stream_url == "wss://bridge.example/twilio/media"
    assert connect.action == f"{PUBLIC}/twilio/next"
    assert connect.status_callback == f"{PUBLIC}/twilio/status?leg=0"
    assert connect.parameters.keys() == {"token"}


async def test_what_the_host_header_says_is_nothing() -> None:
    """A proxy, or a stranger, may write anything there."""
    async with an_app() as app:
        answer = await app.post("/twilio/voice", form_of(), Host="evil.example")

    assert "evil" not in answer.text
    assert "wss://bridge.example/twilio/media" in answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "another-token"])
async def test_who_did_not_sign_is_not_twilio(path: str, token: str | None) -> None:
    async with an_app() as app:
        answer = await app.post(path, form_of(), token=token)

        assert answer.status_code == 403
        assert app.counted('bridge_bad_frames_total{peer="twilio",reason="signature"} 1.0')
        assert app.model.dials == 0


async def test_a_signature_fits_its_own_request_only() -> None:
    """Neither other fields nor another path."""
    signed = signature.sign_form(f"{PUBLIC}/twilio/voice", form_of(), TOKEN)
    async with an_app() as app:
        header = {"X-Twilio-Signature": signed}
        changed = await app.post("/twilio/voice", form_of("CA2"), token=None, **header)
        moved = await app.post("/twilio/next", form_of(), token=None, **header)
        true = await app.post("/twilio/voice", form_of(), token=None, **header)

    assert [changed.status_code, moved.status_code, true.status_code] == [403, 403, 200]


async def test_the_query_string_is_signed_too() -> None:
    async with an_app() as app:
        answer = await app.post("/twilio/voice?tenant=7", form_of())

    assert answer.status_code == 200


async def test_two_tokens_while_one_is_rotated() -> None:
    async with an_app(TWILIO_AUTH_TOKEN=f"{'n' * 32},{TOKEN}") as app:
        answers = [
            await app.post("/twilio/voice", form_of(), token=token)
            for token in ("n" * 32, TOKEN, "o" * 32)
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 403]


async def test_a_json_body_is_signed_by_its_hash() -> None:
    """Other bytes under the same signature are not Twilio's."""
    body = json.dumps({"CallSid": CALL, "AccountSid": ACCOUNT_SID, "CallStatus": "completed"})
    url = signature.with_body_hash(f"{PUBLIC}/twilio/status", body.encode())
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Signature": signature.sign_url(url, TOKEN),
    }
    path = url.removeprefix(PUBLIC)
    async with an_app() as app:
        true = await app.client.post(path, content=body, headers=headers)
        changed = await app.client.post(path, content=body + " ", headers=headers)
        unsigned = await app.client.post("/twilio/status", content=body, headers=headers)
        standing = await app.service.standing(CALL, leg_ended=False)

    assert [true.status_code, changed.status_code, unsigned.status_code] == [204, 403, 403]
    assert standing.state is CallState.ENDED


async def test_without_a_token_nothing_is_checked() -> None:
    """Which `serve` refuses, unless it is told BRIDGE_INSECURE."""
    async with an_app(TWILIO_AUTH_TOKEN="", BRIDGE_INSECURE="1") as app:
        answer = await app.post("/twilio/voice", form_of(), token=None)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 403),
        (b"\xff\xfe", 400),
        (b"&".join([b"a=b"] * 1_000), 400),
        (b"a=" + b"x" * 65_536, 413),
    ],
)
async def test_what_is_no_form_is_refused(content: bytes, status: int) -> None:
    async with an_app() as app:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await app.client.post("/twilio/voice", content=content, headers=headers)

    assert answer.status_code == status


@pytest.mark.parametrize("path", PATHS)
async def test_a_form_that_names_no_call_is_refused(path: str) -> None:
    async with an_app() as app:
        answer = await app.post(path, [("AccountSid", ACCOUNT_SID)])

        assert answer.status_code == 400
        assert app.counted('bridge_bad_frames_total{peer="twilio",reason="webhook-malformed"} 1.0')


async def test_a_webhook_that_is_delivered_twice_does_no_harm() -> None:
    """Both answers would do, and there is one call."""
    async with an_app(BRIDGE_MAX_CALLS="1") as app:
        answers = [await app.post("/twilio/voice", form_of()) for _ in range(2)]

        await app.model.sessions_made(1)

        assert [type(document(answer)[0]) for answer in answers] == [verbs.Connect] * 2
        assert app.model.dials == 1


async def test_what_came_along_reaches_the_agent() -> None:
    """Numbers, and what a SIP caller's headers said."""
    async with an_app() as app:
        await app.post("/twilio/voice", form_of(**{"SipHeader_X-Ticket": "4711"}))
        claim = await app.service.claim(CALL, 0)

    assert claim is not None
    assert claim.record is not None
    assert claim.record.caller == "+15005550006"
    assert claim.record.called == "+15005550001"
    assert claim.record.parameters["SipHeader_X-Ticket"] == "4711"


async def test_a_full_bridge_refuses_in_words() -> None:
    async with an_app(BRIDGE_MAX_CALLS="1") as app:
        await app.post("/twilio/voice", form_of())
        answer = await app.post("/twilio/voice", form_of("CA" + "2" * 32))

        assert document(answer) == [verbs.Say(phrases.TOO_BUSY), verbs.Hangup()]
        assert app.counted('bridge_calls_refused_total{carrier="twilio",reason="full"} 1.0')


async def test_a_verdict_is_what_the_carrier_is_told() -> None:
    """As often as it asks."""
    async with an_app() as app:
        await app.service.store.end(CALL, leg.Transfer("+14155550100", "One moment."))
        answers = [await app.post("/twilio/next", form_of()) for _ in range(2)]

    for answer in answers:
        said, dialled = document(answer)
        assert said == verbs.Say("One moment.")
        assert isinstance(dialled, verbs.Dial)
        assert dialled.target == "+14155550100"


@pytest.mark.parametrize("path", PATHS)
async def test_a_call_that_is_over_is_over(path: str) -> None:
    """Whichever request tells it first; a dialled model is let go."""
    async with an_app() as app:
        await app.post("/twilio/voice", form_of())
        session = await app.model.sessions_made(1)
        answer = await app.post(path, form_of(status="completed"))
        standing = await app.service.standing(CALL, leg_ended=False)
        assert not app.service.knows(CALL)

    assert answer.status_code in {200, 204}
    assert standing.state is CallState.ENDED
    assert session.closed


async def test_streams_that_never_begin_are_a_loop() -> None:
    """The carrier is told to apologise, or to connect a person."""
    for fallback, last in (("", verbs.Hangup), ("+14155550100", verbs.Dial)):
        async with an_app(BRIDGE_FALLBACK_NUMBER=fallback) as app:
            await app.post("/twilio/voice", form_of())
            answers = [document(await app.post("/twilio/next", form_of())) for _ in range(6)]

        assert [type(answer[0]) for answer in answers] == [verbs.Connect] * 5 + [verbs.Say]
        assert isinstance(answers[-1][-1], last)


@pytest.mark.parametrize("event", ["stream-started", "stream-stopped", "stream-error"])
async def test_a_stream_tells_its_status(event: str) -> None:
    """Nothing is decided by that: what comes next, Twilio asks."""
    status = webhook.StreamStatus(CALL, ACCOUNT_SID, "MZ1", event, "31921: closed")
    async with an_app() as app:
        answer = await app.post("/twilio/status", webhook.write_stream_status(status))
        standing = await app.service.standing(CALL, leg_ended=False)

    assert answer.status_code == 204
    assert standing.state is CallState.NEW


class Ear(Watchman):
    """Only hears what the carrier says."""

    def __init__(self) -> None:
        store = MemoryStore(lambda: 0.0)
        super().__init__(
            MemoryFleet(store, lambda: 0.0), None, None, lambda: Pulse("w1"), Metrics()
        )
        self.heard: list[tuple[str, int | None]] = []

    def leg_ended(self, call_id: str, leg: int | None) -> None:
        self.heard.append((call_id, leg))


async def test_a_stream_that_ends_is_watched() -> None:
    """Which one it was, the query says; whoever does not say it is not believed."""
    ended = webhook.StreamStatus(CALL, ACCOUNT_SID, "MZ1", "stream-error", "31903: broken")
    began = webhook.StreamStatus(CALL, ACCOUNT_SID, "MZ1", "stream-started")
    async with an_app() as app:
        assert app.service.watchman is not None
        await app.service.watchman.close()
        app.service.watchman = watchman = Ear()
        for status in (began, ended):
            for query in ("?leg=17", "", "?leg=x"):
                await app.post(f"/twilio/status{query}", webhook.write_stream_status(status))

    assert watchman.heard == [(CALL, 17), (CALL, None), (CALL, None)]
    assert watchman.path == ""


@pytest.mark.parametrize("status", ["initiated", "ringing", "in-progress"])
async def test_a_call_that_goes_on_is_left_alone(status: str) -> None:
    async with an_app() as app:
        await app.post("/twilio/voice", form_of())
        answer = await app.post("/twilio/status", form_of(status=status))

        assert answer.status_code == 204
        assert app.service.knows(CALL)


@pytest.mark.parametrize("path", PATHS)
async def test_a_get_is_not_for_us(path: str) -> None:
    async with an_app() as app:
        answer = await app.client.get(path)

    assert answer.status_code == 405
