"""Calls over real sockets on loopback, with a telephone at the other end."""

from __future__ import annotations

import asyncio
import random

import pytest
import uvloop

from bridge.audio import g711
from bridge.carriers.sip.front import Refusal
from bridge.carriers.sip.transports import Tls
from bridge.config import Secret, SipRegistrar
from bridge.errors import CarrierError, ConfigError, Ending, Fault
from bridge.ports import leg
from bridge.wire.sip import actions
from bridge.wire.sip.login import Account
from bridge.wire.sip.messages import Body, Request
from bridge.wire.sip.places import Transport
from tests.carriers.sip.phone import FRAME, HOST, SILENCE, Phone, free_ports, phone, sdp, until
from tests.carriers.sip.registrar import registrar
from tests.carriers.sip.stage import PROMPT, Taken, on_stage
from tests.fakes.certificate import localhost_contexts

VOICE = random.Random(1).randbytes(20 * FRAME).replace(b"\xff", b"\x01")
FRAMES = [VOICE[start : start + FRAME] for start in range(0, len(VOICE), FRAME)]
FINISHED = leg.Ended(Ending(Fault.NOBODY, "finished"))
HUNG_UP = leg.Ended(Ending(Fault.CALLER, "hangup"))


async def over(call: Taken) -> leg.Ended:
    return await until(lambda: call.ended)


async def test_a_caller_is_answered_heard_and_spoken_to() -> None:
    """G.711 passes untouched in both directions, and whoever hangs up ends the call."""
    async with on_stage() as stage, phone(stage.place()) as caller:
        await caller.calls(headers=(("X-Order", "7"),))
        call = await stage.call()
        call.caller.do(leg.Play(VOICE, "said"))
        await caller.talks(VOICE)
        await until(lambda: "said" in call.played())
        caller.hangs_up()
        ended = await over(call)

    heard = [frame for frame in FRAMES if frame in call.heard()]
    assert isinstance(call.events[0], leg.Started)
    assert call.events[0].call_id == call.invitation.call_id
    assert (call.invitation.caller, call.invitation.called) == ("+14155550100", "+14155550123")
    assert call.invitation.parameters == {"X-Order": "7"}
    assert call.invitation.peer == HOST
    assert caller.voice == VOICE
    assert len(heard) >= len(FRAMES) // 2  # the last is still waiting, and machines are slow
    assert call.caller.media.statistics().lost == 0
    assert ended == HUNG_UP
    assert stage.front.done == [call.caller]


async def test_a_caller_who_speaks_a_law() -> None:
    """Is heard, and spoken to, in mu-law."""
    alaw = g711.ulaw_to_alaw(VOICE)
    async with on_stage() as stage, phone(stage.place(), codecs="8 101") as caller:
        await caller.calls()
        call = await stage.call()
        call.caller.do(leg.Play(VOICE, "said"))
        await caller.talks(alaw, payload_type=8)
        await until(lambda: "said" in call.played())
        call.caller.do(leg.Finish(leg.Hangup()))
        await caller.told(actions.Ended)

    assert alaw in b"".join(one.payload for one in caller.heard)
    assert set(call.heard()) & {g711.alaw_to_ulaw(frame) for frame in _frames(alaw)}


async def test_an_interruption_is_silence_within_a_packet() -> None:
    """What was queued is not heard any more, and its marks are back at once."""
    async with on_stage() as stage, phone(stage.place()) as caller:
        await caller.calls()
        call = await stage.call()
        call.caller.do(leg.Play(VOICE * 50, "long"))
        await until(lambda: len(caller.voice) >= 5 * FRAME)
        call.caller.do(leg.Clear())
        marks, sent = call.played(), len(caller.heard)
        await until(lambda: len(caller.heard) >= sent + 10)

    assert marks == ["long"]
    assert sum(one.payload != SILENCE for one in caller.heard[sent:]) <= 1


async def test_hold_is_silence_and_nothing_is_lost() -> None:
    """The agent's voice waits until the caller is back."""
    async with on_stage() as stage, phone(stage.place()) as caller:
        await caller.calls()
        call = await stage.call()
        answer = await caller.reoffers("sendonly")
        known = len(call.heard())
        call.caller.do(leg.Play(VOICE, "said"))
        await caller.talks(VOICE)
        held, before = call.heard()[known + 1 :], caller.voice
        resumed = await caller.reoffers("sendrecv")
        await until(lambda: "said" in call.played())

    assert b"a=recvonly" in answer
    assert b"a=sendrecv" in resumed
    assert set(held) == {SILENCE}
    assert before == b""
    assert caller.voice == VOICE


async def test_what_cannot_be_had_leaves_the_call_as_it_was() -> None:
    async with on_stage() as stage, phone(stage.place()) as caller:
        await caller.calls()
        call = await stage.call()
        body = Body(sdp(caller.rtp_port, "18"))
        caller.does(caller.endpoint.offer(caller.call, body, caller.loop.time()))
        refused = await caller.told(actions.OfferRefused)
        call.caller.do(leg.Play(VOICE, "said"))
        await until(lambda: "said" in call.played())

    assert refused.status == 488
    assert caller.voice == VOICE


async def test_keys_by_rtp_and_by_info() -> None:
    async with on_stage() as stage, phone(stage.place()) as caller:
        await caller.calls()
        call = await stage.call()
        caller.sends("INFO", Body(b"Signal=4\r\nDuration=100\r\n", "application/dtmf-relay"))
        await until(lambda: call.digits() == "4")
        caller.presses("2")
        await until(lambda: call.digits() == "42")
        caller.sends("INFO", Body(b"Signal=2\r\nDuration=100\r\n", "application/dtmf-relay"))
        caller.hangs_up()
        await over(call)

    assert call.digits() == "42"


async def test_an_agent_that_is_done_hangs_up() -> None:
    """With words: after a recording in their place."""
    async with on_stage() as stage, phone(stage.place()) as caller:
        await caller.calls()
        call = await stage.call()
        call.caller.do(leg.Finish(leg.Hangup("We are sorry.")))
        ended = await caller.told(actions.Ended)

    assert call.ended == FINISHED
    assert ended.ending.reason == "hangup"
    assert caller.voice == PROMPT


@pytest.mark.parametrize(("status", "drops"), [(200, 0), (486, 1), (0, 1)])
async def test_a_transfer_is_a_refer(status: int, drops: int) -> None:
    """Whatever comes of it, nobody is left on a line where nobody speaks."""
    async with on_stage() as stage, phone(stage.place(), takes_refer=status) as caller:
        await caller.calls()
        call = await stage.call()
        call.caller.do(leg.Finish(leg.Transfer("+14155550199")))
        await caller.told(actions.Ended)
        await over(call)

    [refer] = [one for one in _requests(caller) if one.method == "REFER"]
    assert refer.first("Refer-To") == f"<sip:+14155550199@{HOST}:{caller.place.port};user=phone>"
    assert call.ended == FINISHED
    assert stage.front.drops["transfer-refused"] == drops


async def test_a_caller_without_an_offer_gets_ours() -> None:
    """Its answer comes with the ACK; without one there is no call."""
    async with on_stage() as stage, phone(stage.place()) as caller:
        caller.acknowledges = sdp(caller.rtp_port)
        caller.dials(b"")
        established = await caller.told(actions.Established)
        call = await stage.call()
        call.caller.do(leg.Play(VOICE, "said"))
        await until(lambda: "said" in call.played())
        caller.hangs_up()
        caller.acknowledges = b""
        caller.dials(b"")
        await until(lambda: len(caller.all(actions.Ended)) == 2)
        unfit = stage.front.calls[1]

    assert established.body is not None
    assert b"RTP/AVP 0 8 101" in established.body.content
    assert caller.voice == VOICE
    assert unfit.ended is not None
    assert unfit.ended.ending.reason == "no_common_codec"


async def test_somebody_is_called() -> None:
    """Once they answer, they are a caller like any other."""
    async with on_stage() as stage, phone(stage.place()) as callee:
        caller, invitation = stage.carrier.dial(f"sip:desk@{HOST}:{callee.place.port}")
        events: list[leg.LegEvent] = []
        caller.attach(events.append)

        assert await caller.answered()

        caller.do(leg.Play(VOICE, "said"))
        await until(lambda: leg.Played("said") in events)
        callee.hangs_up()
        await until(lambda: HUNG_UP in events)

    assert isinstance(events[0], leg.Started)
    assert invitation.called == f"sip:desk@{HOST}:{callee.place.port}"
    assert callee.voice == VOICE


async def test_nobody_answers() -> None:
    """Busy, somewhere else, or without a codec that we speak."""
    async with on_stage() as stage, phone(stage.place(), says=b"") as busy:
        caller, _ = stage.carrier.dial(f"sip:desk@{HOST}:{busy.place.port}")

        assert not await caller.answered()
        assert caller.ending == Ending(Fault.CALLER, "busy")

        odd, _ = stage.carrier.dial(f"sip:desk@{HOST}:1;transport=tcp")

        assert not await odd.answered()
        assert odd.ending is not None
        assert odd.ending.reason == "unreachable"

    async with on_stage() as stage, phone(stage.place(), codecs="18") as strange:
        caller, _ = stage.carrier.dial(f"sip:desk@{HOST}:{strange.place.port}")

        assert not await caller.answered()
        assert caller.ending is not None
        assert caller.ending.reason == "no_common_codec"


async def test_who_is_to_be_called_has_a_uri() -> None:
    """And an audio needs ports."""
    first, _ = free_ports()
    async with on_stage(rtp_ports=(first, first + 1)) as stage, phone(stage.place()) as callee:
        with pytest.raises(ConfigError):
            stage.carrier.dial("+14155550199")
        stage.carrier.dial(f"sip:desk@{HOST}:{callee.place.port}")
        with pytest.raises(CarrierError, match="BRIDGE_SIP_RTP_PORTS"):
            stage.carrier.dial(f"sip:desk@{HOST}:{callee.place.port}")


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Refusal("full", 486, 10), 486), (Refusal("draining", 503, 10), 503)],
)
async def test_where_there_is_no_room_the_caller_is_told(refusal: Refusal, status: int) -> None:
    async with on_stage() as stage, phone(stage.place()) as caller:
        stage.front.refuses = refusal
        caller.dials()
        ended = await caller.told(actions.Ended)

    assert (ended.status, ended.retry_after) == (status, 10)
    assert stage.front.refusals == {refusal.reason: 1}
    assert stage.front.calls == []


async def test_ports_are_given_back() -> None:
    """Where none are left the caller may try again soon."""
    first, _ = free_ports()
    async with (
        on_stage(rtp_ports=(first, first + 1)) as stage,
        phone(stage.place()) as one,
        phone(stage.place()) as other,
    ):
        await one.calls()
        other.dials()
        refused = await other.told(actions.Ended)
        one.hangs_up()
        await over(stage.front.calls[0])
        other.facts.clear()
        await other.calls()

    assert (refused.status, refused.retry_after) == (503, 5)
    assert stage.front.refusals == {"no-ports": 1}
    assert len(stage.front.calls) == 2


@pytest.mark.parametrize(("body", "status"), [(b"v=1\r\n", 400), (sdp(4000, "18"), 488)])
async def test_an_offer_that_makes_no_call_is_refused(body: bytes, status: int) -> None:
    """And takes no ports."""
    async with on_stage() as stage, phone(stage.place()) as caller:
        caller.dials(body)
        ended = await caller.told(actions.Ended)

    assert ended.status == status
    assert stage.carrier.legs == []


async def test_one_peer_does_not_take_all_calls() -> None:
    async with on_stage(peer_calls=1) as stage, phone(stage.place()) as caller:
        await caller.calls()
        caller.facts.clear()
        caller.dials()
        ended = await caller.told(actions.Ended)

    assert ended.status == 486
    assert stage.front.refusals == {"peer-calls": 1}


async def test_a_stranger_hears_nothing() -> None:
    """Neither an answer nor a refusal."""
    async with on_stage(peers=("192.0.2.0/24",)) as stage, phone(stage.place()) as stranger:
        stranger.dials()
        await until(lambda: stage.front.drops["stranger"])

    assert stranger.messages == []
    assert stage.front.calls == []


@pytest.mark.parametrize("password", ["secret", "guess"])
async def test_an_account_may_call_from_anywhere(password: str) -> None:
    """With its password; a wrong one is turned away again and again."""
    accounts = {"desk": Secret("secret")}
    async with on_stage(peers=(), accounts=accounts) as stage, phone(stage.place()) as caller:
        caller.dials(account=Account("desk", password))
        if password == "secret":
            await caller.told(actions.Established)
        else:
            ended = await caller.told(actions.Ended)
            assert ended.status == 401

    assert [call.invitation.peer for call in stage.front.calls] == ["desk"][: password == "secret"]
    assert stage.front.drops["challenged"] == 1


@pytest.mark.parametrize("kind", [Transport.TCP, Transport.TLS])
async def test_a_call_over_a_stream(kind: Transport) -> None:
    """Both ends' requests go by the caller's connection."""
    tls = Tls(*localhost_contexts())
    listens = ("udp", kind.lower())
    async with (
        on_stage(*listens, tls=tls) as stage,
        phone(stage.place(kind, "localhost"), tls) as caller,
    ):
        await caller.calls()
        call = await stage.call()
        call.caller.do(leg.Play(VOICE, "said"))
        await until(lambda: "said" in call.played())
        call.caller.do(leg.Finish(leg.Hangup()))
        await caller.told(actions.Ended)

    assert caller.voice == VOICE


async def test_a_call_goes_on_without_its_connection() -> None:
    """RTP is another way; the end of the call opens a new one."""
    async with on_stage("tcp") as stage, phone(stage.place(Transport.TCP)) as caller:
        await caller.calls()
        call = await stage.call()
        for stream in tuple(caller._transports._streams.values()):
            stream.abort()
        call.caller.do(leg.Play(VOICE, "said"))
        await until(lambda: "said" in call.played())
        caller.hangs_up()
        await over(call)

    assert caller.voice == VOICE
    assert call.ended == HUNG_UP


async def test_a_registrar_knows_where_we_are() -> None:
    """From the beginning, by a password, until we go."""
    async with registrar(desk="secret") as (known, port):
        ours = SipRegistrar(HOST, port, "udp", "desk", Secret("secret"))
        async with on_stage(registrars=(ours,)) as stage:
            await until(lambda: stage.carrier.registered)
            contact = f"<sip:bridge@{HOST}:{stage.place().port}>"

    assert known.registered == [(contact, 600), (contact, 0)]


async def test_a_registrar_that_refuses_is_told_of() -> None:
    async with registrar(desk="secret") as (known, port):
        ours = SipRegistrar(HOST, port, "udp", "desk", Secret("guess"))
        async with on_stage(registrars=(ours,)) as stage:
            await until(lambda: stage.front.drops["unregistered"])

    assert known.registered == []


async def test_whoever_is_left_at_the_end_is_hung_up() -> None:
    """And nobody keeps us who does not answer."""
    async with on_stage() as stage, phone(stage.place()) as caller, phone(stage.place()) as deaf:
        await caller.calls()
        await deaf.calls()
        first, second = stage.front.calls
        deaf.hears_nothing = True
        begun = asyncio.get_running_loop().time()
        await stage.carrier.close()
        took = asyncio.get_running_loop().time() - begun
        await caller.told(actions.Ended)

    assert first.ended == second.ended == leg.Ended(Ending(Fault.OPERATOR, "drained"))
    assert took < 10


async def test_a_port_that_is_taken_is_said() -> None:
    async with on_stage() as stage:
        with pytest.raises(CarrierError, match="SIP cannot listen"):
            await stage.carrier._transports.open([stage.place()])


def _frames(audio: bytes) -> list[bytes]:
    return [audio[start : start + FRAME] for start in range(0, len(audio), FRAME)]


def _requests(caller: Phone) -> list[Request]:
    return [one for one in caller.messages if isinstance(one, Request)]


def test_it_runs_on_the_loop_of_a_server() -> None:
    """uvloop's transports are no subclasses of asyncio's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_a_caller_is_answered_heard_and_spoken_to())
        runner.run(test_a_call_over_a_stream(Transport.TLS))
