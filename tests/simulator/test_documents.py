"""The way of a call through its documents."""

from __future__ import annotations

import pytest
from starlette.responses import Response

from bridge.simulator import caller
from bridge.simulator.caller import Script
from tests.simulator.agents import carrier, closing
from tests.simulator.servers import ORIGIN, Document, SmallBridge, connect, serving


async def test_without_an_action_the_next_verb_follows() -> None:
    """And when there is none the carrier hangs up."""
    twiml = connect() + "<Redirect>/next</Redirect>"
    bridge = SmallBridge({"/voice": twiml, "/next": connect()}, closing)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert bridge.paths() == ["/voice", "/next"]
    assert report.twiml == ("Connect Redirect", "Connect")
    assert report.ended.word == "document-ended"


@pytest.mark.parametrize(
    ("twiml", "word"),
    [
        ('<Reject reason="busy"/>', "rejected"),
        ("<Hangup/>", "hung-up"),
        ("<Say>We are closed.</Say><Hangup/>", "hung-up"),
        ("<Pause length='0'/>", "document-ended"),
        ("<Play>/hold.mp3</Play>", "document-ended"),
        ("", "document-ended"),
        ("<Dial>+15005550009</Dial>", "transferred"),
        ("<Redirect>/voice</Redirect>", "too-many-documents"),
        ("<Redirect>http://[</Redirect>", "webhook-failed"),
        ("</Response>", "webhook-failed"),
    ],
)
async def test_how_calls_end(twiml: str, word: str) -> None:
    """Each with a word for programs."""
    bridge = SmallBridge({"/voice": twiml})
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert report.ended.word == word
    assert (report.picked_up_at is None) is not (
        "Say" in twiml or "Dial" in twiml or "Play" in twiml
    )


@pytest.mark.parametrize(("status", "transfers"), [("completed", 1), ("busy", 0)])
async def test_a_transfer(status: str, transfers: int) -> None:
    """The action hears what became of it."""
    twiml = '<Dial action="/after"><Number>+15005550009</Number></Dial>'
    bridge = SmallBridge({"/voice": twiml, "/after": "<Hangup/>"})
    async with serving(bridge):
        report = await carrier(bridge, dial_status=status).place(Script(caller.Wait(9)))

    assert bridge.asked[1].form["DialCallStatus"] == status
    assert len(report.transfers) == transfers


async def test_a_webhook_that_fails_ends_the_call() -> None:
    """The report says why, and the call counts as failed."""
    bridge = SmallBridge({"/voice": lambda form: Response(status_code=500)})
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert (report.ended.word, report.ended.text) == ("webhook-failed", "11200: it answered 500")
    assert report.problems[0].startswith("the call failed")


async def test_a_fallback_is_asked_when_the_webhook_fails() -> None:
    """Once, and it is told what was wrong."""
    documents: dict[str, Document] = {
        "/voice": lambda form: Response(status_code=500),
        "/fallback": "<Hangup/>",
    }
    bridge = SmallBridge(documents)
    async with serving(bridge):
        report = await carrier(bridge, fallback_url=f"{ORIGIN}/fallback").place(
            Script(caller.Wait(9))
        )

    assert report.ended.word == "hung-up"
    form = bridge.asked[1].form
    assert (form["ErrorCode"], form["ErrorUrl"]) == ("11200", f"{ORIGIN}/voice")


async def test_nobody_at_the_webhook() -> None:
    """An unreachable bridge is a failed call, not an exception."""
    bridge = SmallBridge({})
    async with serving(bridge):
        pass

    report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert report.ended.word == "webhook-failed"
    assert report.ended.text.startswith("11205: no connection")
