"""Asking the bridge's webhooks as Twilio does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.responses import Response

from bridge.simulator.network import Network
from bridge.simulator.webhooks import CallIdentity, Overrides, WebhookFailed, Webhooks
from tests.simulator.servers import ORIGIN, TOKEN, SmallBridge, raw_server, serving

FORM = [("CallSid", "CA1"), ("From", "+15005550006"), ("City", ""), ("Note", "ä & =")]


def answers(*statuses: int) -> Callable[[dict[str, str]], Response]:
    """One status after the other; the last one stays."""
    left = list(statuses)
    return lambda form: Response(status_code=left.pop(0) if len(left) > 1 else left[0])


async def test_a_post_is_signed() -> None:
    """The signature covers the fields, blank ones too, and the query string."""
    bridge = SmallBridge({"/voice": "<Hangup/>"})
    async with serving(bridge):
        webhooks = Webhooks(Network(bridge.origins), TOKEN)

        answer = await webhooks.ask("POST", f"{ORIGIN}/voice?a=b", FORM)

    asked = bridge.asked[0]
    assert answer.status == 200
    assert (asked.method, asked.form, asked.signed) == ("POST", dict(FORM), True)
    assert asked.headers["user-agent"] == "TwilioProxy/1.1"


async def test_a_get_is_signed_with_its_fields_in_the_url() -> None:
    """There is no body to sign."""
    bridge = SmallBridge({"/voice": "<Hangup/>"})
    async with serving(bridge):
        await Webhooks(Network(bridge.origins), TOKEN).ask("GET", f"{ORIGIN}/voice?a=b", FORM)

    assert (bridge.asked[0].method, bridge.asked[0].signed) == ("GET", True)


async def test_without_a_token_nothing_is_signed() -> None:
    """For bridges that do not check."""
    bridge = SmallBridge({"/voice": "<Hangup/>"})
    async with serving(bridge):
        await Webhooks(Network(bridge.origins)).ask("POST", f"{ORIGIN}/voice", FORM)

    assert "x-twilio-signature" not in bridge.asked[0].headers
    assert Webhooks(Network()).handshake_headers("wss://bridge.example/m") == {}


@pytest.mark.parametrize(
    ("fragment", "statuses", "tries"),
    [
        ("", (503, 200), 1),
        ("#rc=2&rp=5xx", (503, 502, 200), 3),
        ("#rc=2&rp=all", (404, 500, 200), 3),
        ("#rc=2&rp=4xx", (503, 200), 1),
        ("#rc=0&rp=all", (503, 200), 1),
    ],
)
async def test_tries_again_as_the_url_wishes(
    fragment: str, statuses: tuple[int, ...], tries: int
) -> None:
    """The fragment says how often and after what; all tries carry the same token."""
    bridge = SmallBridge({"/voice": answers(*statuses)})
    async with serving(bridge):
        asking = Webhooks(Network(bridge.origins), TOKEN).ask(
            "POST", f"{ORIGIN}/voice{fragment}", FORM
        )
        if statuses[tries - 1] == 200:
            await asking
        else:
            with pytest.raises(WebhookFailed, match=f"answered {statuses[tries - 1]}"):
                await asking

    assert len(bridge.asked) == tries
    assert len({asked.headers["i-twilio-idempotency-token"] for asked in bridge.asked}) == 1
    assert all(asked.signed for asked in bridge.asked)


async def test_a_slow_answer_is_not_waited_for() -> None:
    """The try's time is up, and so the webhook has failed."""

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(never) as origins:
        webhooks = Webhooks(Network(origins))

        with pytest.raises(WebhookFailed) as failed:
            await webhooks.ask("POST", f"{ORIGIN}/voice#rt=50", FORM)
        with pytest.raises(WebhookFailed):
            await webhooks.ask("POST", f"{ORIGIN}/voice#tt=50", FORM)

    assert failed.value.code == 11205


async def test_a_url_that_is_none() -> None:
    """A bridge may name nonsense in its TwiML; that is a failure like others."""
    with pytest.raises(WebhookFailed) as failed:
        await Webhooks(Network()).ask("POST", "nonsense", FORM)

    assert failed.value.code == 11100


@pytest.mark.parametrize(
    ("fragment", "overrides"),
    [
        ("", Overrides()),
        ("rc=3&rp=all&rt=3000&tt=9000", Overrides(3, 3.0, 9.0, frozenset({"all"}))),
        ("rc=99&rt=99999", Overrides(5)),
        ("rc=x&rt=-1&tt=&rp=4xx,5xx", Overrides(policy=frozenset({"4xx", "5xx"}))),
    ],
)
def test_overrides_are_read(fragment: str, overrides: Overrides) -> None:
    """What is not said or not sound stays as Twilio has it."""
    assert Overrides.of(fragment) == overrides


def test_a_form_says_who_calls() -> None:
    """With blank fields, as Twilio's have them, and whatever comes on top."""
    identity = CallIdentity("CA1", "AC1", "+15005550006", "+15005550001", {"SipHeader_X-A": "b"})

    form = dict(identity.form("ringing", {"DialCallStatus": "busy"}))

    assert form["CallStatus"] == "ringing"
    assert form["Caller"] == form["From"] == "+15005550006"
    assert form["Called"] == form["To"] == "+15005550001"
    assert form["CallerCity"] == ""
    assert (form["SipHeader_X-A"], form["DialCallStatus"]) == ("b", "busy")
