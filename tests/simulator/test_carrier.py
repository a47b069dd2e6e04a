"""Whole calls over real sockets: what is sent, heard and measured."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.simulator import caller
from bridge.simulator.caller import Script
from bridge.simulator.carrier import SimulatedCarrier
from bridge.simulator.journal import Moment, What
from bridge.simulator.network import trusting
from bridge.wire.twilio import frames, media
from tests.simulator.agents import carrier, closing, greeting, listening
from tests.simulator.servers import ORIGIN, SmallBridge, Talk, connect, serving
from tests.simulator.sounds import silence, tone

TLS = Path(__file__).parent / "tls"
WORDS = tone(0.3, hertz=300)


async def test_the_caller_is_heard_as_twilio_sends_it() -> None:
    """Connected, start with the parameters, media counted up, the stop, and a close."""
    parameters = '<Parameter name="token" value="a b"/><Parameter name="n" value="&amp;"/>'
    bridge = SmallBridge({"/voice": connect(parameters=parameters)}, listening)
    async with serving(bridge):
        report = await carrier(bridge).place(
            Script(caller.Say(WORDS), caller.Wait(0.2), caller.HangUp())
        )

    talk = bridge.talks[0]
    heard = [event for event in talk.events if isinstance(event, frames.Media)]
    start = talk.events[1]
    assert isinstance(start, frames.Start)
    assert talk.events[0] == frames.Connected("Call", "1.0.0")
    assert start.parameters == {"token": "a b", "n": "&"}
    assert (start.call_id, start.account_id) == (report.call_sid, "AC" + 32 * "0")
    assert start.format == frames.ULAW
    assert WORDS in b"".join(event.audio for event in heard)
    assert [event.chunk for event in heard] == list(range(1, len(heard) + 1))
    assert [event.sequence_number for event in heard] == list(range(2, len(heard) + 2))
    assert talk.events[-1] == frames.Stop(
        start.stream_sid, start.account_id, start.call_id, len(heard) + 2
    )
    assert talk.lost == 1000
    assert report.ended.word == "caller-hung-up"


async def test_everything_is_signed() -> None:
    """Webhook, action, status callbacks and handshake, over the URLs that TwiML named."""
    twiml = connect("/next?a=1", attributes=' statusCallback="/status" name="voice"')
    bridge = SmallBridge({"/voice": twiml, "/next": "<Hangup/>"}, closing)
    async with serving(bridge):
        await carrier(bridge, status_callback=f"{ORIGIN}/completed").place(Script(caller.Wait(9)))

    assert [asked.signed for asked in bridge.asked + bridge.handshakes] == [True] * 6
    assert sorted(bridge.events("/status")) == ["stream-started", "stream-stopped"]
    status = next(asked.form for asked in bridge.asked if asked.path == "/status")
    assert status["StreamName"] == "voice"
    completed = next(asked.form for asked in bridge.asked if asked.path == "/completed")
    assert completed["CallStatus"] == "completed"


async def test_media_is_paced() -> None:
    """Fifty frames a second, neither in a rush nor too few."""
    bridge = SmallBridge({"/voice": connect()}, listening)
    async with serving(bridge):
        await carrier(bridge).place(Script(caller.Wait(2)))

    talk = bridge.talks[0]
    heard = [event for event in talk.events if isinstance(event, frames.Media)]
    stamps = [event.timestamp_ms for event in heard]
    first, last = talk.arrived[2], talk.arrived[len(heard) + 1]
    assert 60 <= len(heard) <= 103
    assert stamps == sorted(stamps)
    assert talk.arrived == sorted(talk.arrived)
    assert last - first >= 1.0


async def test_what_the_agent_says_is_heard() -> None:
    """The audio is on the tape byte for byte, and the mark came back when it was over."""
    sound = tone(0.5)

    async def agent(talk: Talk) -> None:
        await talk.until(frames.Start)
        await talk.say(sound[:1_000])
        await talk.say(sound[1_000:])
        await talk.mark("greeted")
        await talk.to_the_end()

    bridge = SmallBridge({"/voice": connect()}, agent)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.WaitForAgent(), caller.HangUp()))

    talk = bridge.talks[0]
    marked = next(n for n, event in enumerate(talk.events) if isinstance(event, frames.Mark))
    assert sound in report.heard
    assert len(report.heard) == len(report.said)
    assert report.marks == 1
    assert talk.arrived[marked] - talk.arrived[1] >= 0.45
    assert report.first_words_seconds is not None
    assert 0 <= report.first_words_seconds < 2
    assert not report.problems
    assert not report.gaps


async def test_an_agent_is_interrupted() -> None:
    """The caller speaks over it, the agent clears its audio, all marks come back."""

    async def agent(talk: Talk) -> None:
        await talk.until(frames.Start)
        await talk.say(tone(20))
        await talk.mark("never heard")
        while True:
            event = await talk.next()
            if isinstance(event, frames.Media) and event.audio == WORDS[:160]:
                break
        await talk.clear()
        await talk.until(frames.Mark)
        await talk.to_the_end()

    bridge = SmallBridge({"/voice": connect()}, agent)
    async with serving(bridge):
        report = await carrier(bridge).place(
            Script(caller.Interrupt(WORDS, after_seconds=0.3), caller.Wait(0.3), caller.HangUp())
        )

    cut = report.interruptions[0]
    voice = tone(20)
    assert report.clears == report.marks == 1
    assert 0 <= cut.seconds < 5
    assert len(report.heard.strip(b"\xff")) < len(voice) // 2
    assert bridge.talks[0].of(frames.Mark)


async def test_an_answer_is_timed() -> None:
    """From the caller's last sound to the agent's first; half a second here."""

    async def agent(talk: Talk) -> None:
        await talk.until(frames.Start)
        spoken = 0
        while spoken < len(WORDS) // 160:
            event = await talk.next()
            spoken += isinstance(event, frames.Media) and event.audio != silence(0.02)
        ended = talk.arrived[-1]
        while talk.arrived[-1] < ended + 0.5:
            await talk.next()
        await talk.say(tone(0.2))
        await talk.to_the_end()

    bridge = SmallBridge({"/voice": connect()}, agent)
    async with serving(bridge):
        report = await carrier(bridge).place(
            Script(caller.Say(WORDS, "hello"), caller.WaitForAgent())
        )

    (reply,) = report.replies
    assert reply.utterance == "hello"
    assert reply.seconds is not None
    assert 0.45 <= reply.seconds < 5


async def test_keys_are_pressed() -> None:
    """As dtmf events, in their order."""
    bridge = SmallBridge({"/voice": connect()}, listening)
    async with serving(bridge):
        await carrier(bridge).place(Script(caller.Press("4#"), caller.HangUp()))

    digits = [event.digit for event in bridge.talks[0].events if isinstance(event, frames.Dtmf)]
    assert digits == ["4", "#"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"event":"nonsense","streamSid":"SID"}', 31951),
        ('{"event":"clear","streamSid":"MZother"}', 31951),
        ('{"event":"media","streamSid":"SID","media":{"payload":"no base64"}}', 31950),
        ('{"event":"media","streamSid":"SID","media":{"payload":"UklGRgAAAABXQVZF"}}', 31950),
        (b"\xff\xff", 31950),
    ],
)
async def test_a_misbehaving_bridge_is_found_out(message: str | bytes, code: int) -> None:
    """Each wrong message is a violation and a problem, and the stream goes on."""

    async def agent(talk: Talk) -> None:
        await talk.until(frames.Start)
        if isinstance(message, bytes):
            await talk.socket.send_bytes(message)
        else:
            await talk.socket.send_text(message.replace("SID", talk.sid))
        await talk.say(tone(0.2))
        await talk.to_the_end()

    bridge = SmallBridge({"/voice": connect()}, agent)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.WaitForAgent(0.1)))

    assert [violation.code for violation in report.violations] == [code]
    assert report.problems == ("the bridge broke the protocol once",)
    assert tone(0.2) in report.heard


async def test_a_bridge_that_speaks_too_soon_is_found_out() -> None:
    """Before the start there is no stream to speak to."""

    async def agent(talk: Talk) -> None:
        await talk.socket.send_text(media.write_media("MZguess", tone(0.1)))
        await talk.to_the_end()

    bridge = SmallBridge({"/voice": connect()}, agent)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.Wait(0.3)))

    assert [violation.code for violation in report.violations] == [31951]
    assert report.problems[0] == "the caller heard nobody"


async def test_a_webhook_url_that_is_none() -> None:
    """That is the one mistake which is raised."""
    with pytest.raises(ConfigError):
        await SimulatedCarrier("nonsense").place(Script())


async def test_a_call_may_last_only_so_long() -> None:
    """The carrier ends it in good order."""
    bridge = SmallBridge({"/voice": connect()}, listening)
    async with serving(bridge):
        report = await carrier(bridge, max_seconds=0.3).place(Script(caller.Wait(99)))

    assert report.ended.word == "out-of-time"
    assert bridge.talks[0].of(frames.Stop)


async def test_placing_may_be_cancelled() -> None:
    """The call breaks off, and the bridge sees the socket go."""
    answered = asyncio.Event()
    gone = asyncio.Event()

    async def agent(talk: Talk) -> None:
        await talk.until(frames.Media)
        answered.set()
        await talk.to_the_end()
        gone.set()

    bridge = SmallBridge({"/voice": connect()}, agent)
    async with serving(bridge):
        placing = asyncio.ensure_future(carrier(bridge).place(Script(caller.Wait(99))))
        await answered.wait()
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        await gone.wait()

    assert bridge.talks[0].lost in {1005, 1006}  # there was no close frame


async def test_a_call_over_tls() -> None:
    """Webhook and stream trust the given authority, under the public name."""
    certificate = TLS / "certificate.pem"
    bridge = SmallBridge({"/voice": connect()}, greeting)
    async with serving(bridge, certificate=certificate, key=TLS / "key.pem"):
        report = await carrier(bridge, tls=trusting(certificate)).place(
            Script(caller.WaitForAgent(0.1), caller.HangUp())
        )

    assert tone(0.5) in report.heard
    assert report.problems == ()


async def test_the_listener_hears_each_moment() -> None:
    """Live, and the report has the same ones in the order of their times."""
    moments: list[Moment] = []
    bridge = SmallBridge({"/voice": connect()}, greeting)
    async with serving(bridge):
        report = await carrier(bridge).place(Script(caller.WaitForAgent()), moments.append)

    assert sorted(moments, key=lambda moment: moment.at) == list(report.timeline)
    assert [moment.what for moment in report.timeline if moment.what is not What.WEBHOOK] == [
        What.TWIML,
        What.PICKED_UP,
        What.STREAM_STARTED,
        What.AGENT_BEGAN,
        What.AGENT_STOPPED,
        What.CALLER_HUNG_UP,
        What.STREAM_ENDED,
        What.ENDED,
    ]


async def test_calls_at_once_share_nothing() -> None:
    """Ten callers, ten streams, and each hears its own greeting whole."""
    bridge = SmallBridge({"/voice": connect()}, greeting)
    async with serving(bridge):
        one = carrier(bridge)
        reports = await asyncio.gather(
            *(one.place(Script(caller.WaitForAgent(), caller.HangUp())) for _ in range(10))
        )

    assert len({report.call_sid for report in reports}) == 10
    assert len({talk.sid for talk in bridge.talks}) == 10
    assert all(tone(0.5) in report.heard for report in reports)
    assert all(report.problems == () for report in reports)
