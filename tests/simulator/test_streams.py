"""The Connect verb: streams that are opened, closed, cut, refused."""

from __future__ import annotations

import pytest

from bridge.simulator import caller
from bridge.simulator.caller import Script
from bridge.wire.twilio import frames
from tests.simulator.agents import carrier, closing, greeting, listening
from tests.simulator.servers import SmallBridge, Talk, connect, serving
from tests.simulator.sounds import tone

WORDS = tone(0.3, hertz=300)


async def test_the_handshake_carries_what_twilio_sends_and_no_more() -> None:
    """No subprotocol, no compression, no origin; and Twilio's user agent."""
    bridge = SmallBridge({"/voice": connect()}, listening)
    async with serving(bridge):
        await carrier(bridge).place(Script(caller.Wait(0.1)))

    headers = bridge.handshakes[0].headers
    assert headers["user-agent"] == "Twilio.TmeWs/1.0"
    assert headers["host"] == "bridge.example"
    assert not {"origin", "sec-websocket-protocol", "sec-websocket-extensions"} & set(headers)


async def test_a_stream_that_the_bridge_closes_leads_to_the_action() -> None:
    """The answer to the action takes the place of the document."""
    twiml = connect("/next") + "<Say>never</Say>"
    bridge = SmallBridge({"/voice": twiml, "/next": "<Hangup/>"}, closing)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert bridge.paths() == ["/voice", "/next"]
    assert bridge.asked[0].form["CallStatus"] == "ringing"
    assert bridge.asked[1].form["CallStatus"] == "in-progress"
    assert report.ended.word == "hung-up"
    assert [(stream.ended, stream.broken) for stream in report.streams] == [
        ("the bridge closed it (1000)", False)
    ]


async def test_a_cut_line_leads_to_the_action() -> None:
    """The call goes on in a new stream, whose numbers begin again."""
    twiml = connect("/next", attributes=' statusCallback="/status"')
    bridge = SmallBridge({"/voice": twiml, "/next": twiml}, greeting)
    script = Script(
        caller.WaitForAgent(),
        caller.CutLine(),
        caller.Say(WORDS),
        caller.Wait(0.1),
        caller.HangUp(),
    )
    async with serving(bridge):
        report = await carrier(bridge).place(script)

    first, second = bridge.talks
    assert first.sid != second.sid
    assert first.of(frames.Stop) == []
    assert second.events[0] == frames.Connected()
    assert WORDS in b"".join(e.audio for e in second.events if isinstance(e, frames.Media))
    media_events = [event for event in second.events if isinstance(event, frames.Media)]
    assert (media_events[0].chunk, media_events[0].sequence_number) == (1, 2)
    assert [stream.broken for stream in report.streams] == [True, False]
    assert len(report.handovers) == 1
    assert sorted(bridge.events("/status")) == [
        "stream-error",
        "stream-started",
        "stream-started",
        "stream-stopped",
    ]


async def test_a_bridge_that_dies_leads_to_the_action() -> None:
    """An end without a closing handshake is an end like another."""

    async def agent(talk: Talk) -> None:
        await talk.until(frames.Media)
        bridge.die()
        await talk.to_the_end()

    bridge = SmallBridge({"/voice": connect("/next"), "/next": "<Hangup/>"}, agent)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert bridge.paths() == ["/voice", "/next"]
    assert [stream.ended for stream in report.streams] == ["the connection broke"]
    assert report.streams[0].broken
    assert report.ended.word == "hung-up"


async def test_a_refused_handshake_leads_to_the_action() -> None:
    """The stream could not be opened, and the call goes on."""
    twiml = connect("/next", attributes=' statusCallback="/status"')
    bridge = SmallBridge({"/voice": twiml, "/next": "<Hangup/>"}, agent=None)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert report.ended.word == "hung-up"
    assert bridge.events("/status") == ["stream-error"]
    assert next(a.form["StreamError"] for a in bridge.asked if a.path == "/status").startswith(
        "31920"
    )


async def test_a_bridge_on_this_machine_needs_no_tls() -> None:
    """A stream on loopback may be ws, which Twilio itself would never open."""
    bridge = SmallBridge({}, closing)
    async with serving(bridge):
        url = bridge.origin.replace("http", "ws") + "/media"
        bridge.documents["/voice"] = f'<Connect><Stream url="{url}"/></Connect>'
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert [handshake.path for handshake in bridge.handshakes] == ["/media"]
    assert report.violations == ()


async def test_a_relative_stream_url() -> None:
    """It is read against the document's, and is wss."""
    twiml = '<Connect><Stream url="/media"/></Connect>'
    bridge = SmallBridge({"/voice": twiml}, closing)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert (bridge.handshakes[0].path, bridge.handshakes[0].signed) == ("/media", True)
    assert report.violations == ()


@pytest.mark.parametrize(
    ("twiml", "codes", "streams"),
    [
        ('<Connect><Stream url="ws://bridge.example/m"/></Connect>', [31922], 0),
        ('<Connect><Stream url="wss://no host/m"/></Connect>', [31923], 0),
        (connect(path="/media?a=b"), [31920], 1),
        (connect(attributes=' track="both_tracks"'), [31941], 1),
        (connect(parameters=f'<Parameter name="a" value="{"x" * 499}"/>'), [12200], 1),
        ("<Gather/><Hangup/>", [12200], 0),
    ],
)
async def test_wrong_twiml_is_found_out(twiml: str, codes: list[int], streams: int) -> None:
    """With Twilio's codes; what Twilio would not open is not opened."""
    bridge = SmallBridge({"/voice": twiml}, closing)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(9)))

    assert [violation.code for violation in report.violations] == codes
    assert len(bridge.talks) == streams
    assert all(handshake.path == "/media" for handshake in bridge.handshakes)
