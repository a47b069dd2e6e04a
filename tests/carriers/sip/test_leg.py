"""A caller over SIP keeps a leg's promises."""

from __future__ import annotations

import asyncio

from bridge.audio.formats import ULAW_8K
from bridge.audio.tones import tones
from bridge.carriers.sip.leg import SipLeg
from bridge.errors import Ending, Fault
from bridge.ports import leg
from bridge.wire.rtp import events, packet
from tests.carriers.sip.paper import PEER, a_media, offer
from tests.carriers.sip.phone import until

HANGUP = Ending(Fault.CALLER, "hangup")
PROMPT = bytes(range(1, 161)) * 5


class FakeLine:
    def __init__(self) -> None:
        self.done: list[str | Ending] = []

    def hang_up(self, ending: Ending) -> None:
        self.done.append(ending)

    def transfer(self, target: str) -> None:
        self.done.append(target)


class Call:
    """A leg with an audio of paper."""

    def __init__(
        self, *, prompt: bytes = PROMPT, established: bool = True, codecs: str = "0 101"
    ) -> None:
        self.media, _, self.ports, self.clock = a_media(codecs=codecs)
        self.line = FakeLine()
        self.leg = SipLeg("sip-1", self.media, self.line, lambda _: prompt, prompt_seconds=0.1)
        self.events: list[leg.LegEvent] = []
        if established:
            self.leg.established()
            self.leg.attach(self.events.append)


async def test_it_begins_when_both_ends_know() -> None:
    """What the caller says until then is kept, and comes behind Started."""
    call = Call(established=False)
    call.leg.attach(call.events.append)
    call.clock.run(0.19)

    assert call.events == []

    call.leg.established()
    call.leg.established()

    assert call.events[0] == leg.Started("sip-1", ULAW_8K)
    assert len(call.events) == 11
    assert all(isinstance(event, leg.Heard) for event in call.events[1:])
    assert await call.leg.answered()


async def test_a_caller_who_gives_up_was_never_there() -> None:
    call = Call(established=False)
    waiting = asyncio.create_task(call.leg.answered())
    await asyncio.sleep(0)
    call.leg.ended(Ending(Fault.CALLER, "cancelled"))
    call.leg.established()
    call.leg.attach(call.events.append)

    assert not await waiting
    assert call.events == [leg.Ended(Ending(Fault.CALLER, "cancelled"))]
    assert call.ports.closed


async def test_played_comes_when_the_mark_is_out() -> None:
    call = Call()
    call.leg.do(leg.Play(PROMPT, "a"))
    call.leg.do(leg.Play(PROMPT))
    call.leg.do(leg.Play(PROMPT, "b"))
    call.clock.run(0.11)

    assert leg.Played("a") in call.events
    assert leg.Played("b") not in call.events

    call.clock.run(0.25)

    assert leg.Played("b") in call.events
    assert call.ports.voice == PROMPT * 3


async def test_keys_go_by_rtp() -> None:
    """As events of their own, and where the other end takes none, as tones."""
    call, deaf = Call(), Call(codecs="0")
    for each in (call, deaf):
        each.leg.do(leg.Press("42"))
        each.clock.run(0.5)
    presses = events.Presses()
    read = [
        presses.take(one.timestamp, events.read(one.payload), marker=one.marker)
        for one, _ in call.ports.rtp
        if one.payload_type == 101
    ]

    assert "".join(read) == "42"
    assert call.ports.voice == b"".join(
        one.payload for one, _ in call.ports.rtp if one.payload_type == 101
    )
    assert deaf.ports.voice == tones("42").replace(b"\xff" * 160, b"")


async def test_clear_gives_marks_back_at_once() -> None:
    """And is silent from the next packet on."""
    call = Call()
    call.leg.do(leg.Play(PROMPT * 10, "a"))
    call.leg.do(leg.Play(PROMPT, "b"))
    call.clock.run(0.1)
    sent = call.ports.voice
    call.leg.do(leg.Clear())

    assert call.events[-2:] == [leg.Played("a"), leg.Played("b")]

    call.clock.run(0.5)

    assert call.ports.voice == sent


async def test_keys_by_either_way_are_told_once() -> None:
    """Some telephones send each by INFO and by RTP."""
    call = Call()
    call.leg.info("1")
    press_by_rtp(call, "2")
    call.leg.info("2")

    assert [event for event in call.events if isinstance(event, leg.Digit)] == [
        leg.Digit("1"),
        leg.Digit("2"),
    ]


async def test_finish_hangs_up() -> None:
    """Once, and nothing is done after it."""
    call = Call()
    call.leg.do(leg.Finish(leg.Hangup()))
    call.leg.do(leg.Finish(leg.Transfer("+14155550199")))
    call.leg.do(leg.Play(PROMPT, "late"))
    call.clock.run(0.2)
    call.leg.ended(HANGUP)

    assert call.line.done == [Ending(Fault.NOBODY, "finished")]
    assert call.ports.voice == b""
    assert call.events[-1] == leg.Ended(Ending(Fault.NOBODY, "finished"))


async def test_words_become_a_recording() -> None:
    """It cuts off what is being said, and is heard to its end."""
    call = Call()
    call.leg.do(leg.Play(b"\x01" * 8000, "cut"))
    call.leg.do(leg.Finish(leg.Hangup("We are sorry.")))
    call.clock.run(0.09)

    assert call.line.done == []

    call.clock.run(0.05)

    assert call.line.done == [Ending(Fault.NOBODY, "finished")]
    assert call.ports.voice == PROMPT
    assert leg.Played("cut") not in call.events

    call.leg.ended(HANGUP)


async def test_words_without_a_recording_are_left_out() -> None:
    call = Call(prompt=b"")
    call.leg.do(leg.Finish(leg.Hangup("We are sorry.")))

    assert call.line.done == [Ending(Fault.NOBODY, "finished")]


async def test_nobody_is_told_anything_on_hold() -> None:
    call = Call()
    call.media.answer(offer("a=inactive"))
    call.leg.do(leg.Finish(leg.Hangup("We are sorry.")))

    assert call.line.done == [Ending(Fault.NOBODY, "finished")]


async def test_a_recording_that_is_not_heard_does_not_keep_the_call() -> None:
    """The caller may put us on hold in the middle of it."""
    call = Call(prompt=b"\x01" * 160)
    call.leg.do(leg.Finish(leg.Hangup("We are sorry.")))
    call.media.answer(offer("a=inactive"))
    call.clock.run(10.0)
    await until(lambda: call.line.done)

    assert call.line.done == [Ending(Fault.NOBODY, "finished")]


async def test_a_transfer_is_announced_and_asked_for() -> None:
    call = Call()
    call.leg.do(leg.Finish(leg.Transfer("+14155550199", "One moment.")))
    call.clock.run(0.2)

    assert call.line.done == ["+14155550199"]
    assert call.ports.voice == PROMPT

    call.leg.not_transferred()

    assert call.line.done[1:] == [Ending(Fault.NOBODY, "finished")]

    call.leg.ended(HANGUP)
    call.leg.not_transferred()

    assert len(call.line.done) == 2


async def test_who_is_lost_is_hung_up() -> None:
    """A call that cannot come back is over: Ended does not say that it might."""
    call = Call()
    call.clock.run(60.0)

    [ending] = call.line.done
    assert isinstance(ending, Ending)
    assert ending.reason == "silent"

    call.leg.ended(ending)

    assert call.events[-1] == leg.Ended(ending, lost=False)


async def test_the_end_is_told_once() -> None:
    call = Call()
    call.leg.ended(HANGUP)
    call.leg.ended(Ending(Fault.CARRIER, "lost"))
    call.leg.do(leg.Finish(leg.Hangup()))
    call.leg.do(leg.Clear())

    assert [event for event in call.events if isinstance(event, leg.Ended)] == [leg.Ended(HANGUP)]
    assert call.line.done == []
    assert call.leg.unheard == 0


def press_by_rtp(call: Call, digit: str) -> None:
    for number, payload in enumerate(events.Press(digit, 800).payloads(160)):
        data = packet.write(101, number, 5000, 7, payload, marker=number == 0)
        call.ports.hear_rtp(data, PEER)
