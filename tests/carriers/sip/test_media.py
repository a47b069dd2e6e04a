"""One call's audio, with time and network of paper."""

from __future__ import annotations

import random

import pytest

from bridge.audio import g711
from bridge.carriers.sip.media import Media
from bridge.wire.rtp import events, packet, rtcp
from bridge.wire.sdp import reader
from bridge.wire.sdp.faults import NotAcceptable, SdpError
from tests.carriers.sip.paper import PEER, PaperClock, PaperPorts, Peer, a_media, offer

FRAME = 160
SILENCE = b"\xff" * FRAME
VOICE = random.Random(1).randbytes(50 * FRAME).replace(b"\xff", b"\x01")
CUT = b"\xfe" * FRAME


async def test_mu_law_is_not_touched() -> None:
    """Byte for byte in both directions, and with no gap."""
    media, listener, ports, clock = a_media()
    media.play(VOICE)
    Peer(ports, clock).says(VOICE)
    clock.run(0.2)

    assert VOICE in b"".join(listener.frames)
    assert ports.voice == VOICE
    assert {to for _, to in ports.rtp} == {PEER}
    assert {one.payload_type for one, _ in ports.rtp} == {0}


async def test_a_law_is_recoded_at_the_wire() -> None:
    """Whoever listens has mu-law all the same."""
    media, listener, ports, clock = a_media(codecs="8")
    alaw = g711.ulaw_to_alaw(VOICE)
    media.play(VOICE)
    Peer(ports, clock).says(alaw, payload_type=8)
    clock.run(0.2)
    sent = b"".join(one.payload for one, _ in ports.rtp)

    assert g711.alaw_to_ulaw(alaw) in b"".join(listener.frames)
    assert alaw in sent
    assert {one.payload_type for one, _ in ports.rtp} == {8}


async def test_a_frame_every_20_ms() -> None:
    """From the start on, whether anything comes or not: a caller who is silent is there."""
    _, listener, ports, clock = a_media()
    clock.run(0.999)
    silent = len(listener.frames)
    Peer(ports, clock).says(VOICE[: 10 * FRAME])
    clock.run(60)

    assert silent == 50
    assert set(listener.frames[:50]) == {SILENCE}
    assert len(listener.frames) == pytest.approx(50 + 10 + 3000, abs=3)
    assert listener.frames[-1] == SILENCE


async def test_a_packet_every_20_ms() -> None:
    """Also while there is nothing to say, so that the way stays open."""
    _, _, ports, clock = a_media()
    clock.run(0.999)
    packets = [one for one, _ in ports.rtp]

    assert len(packets) == 50
    assert [one.sequence for one in packets] == [packets[0].sequence + n for n in range(50)]
    assert {one.payload for one in packets} == {SILENCE}


async def test_marks_are_told_when_their_audio_is_out() -> None:
    media, listener, _, clock = a_media()
    media.play(VOICE[: 5 * FRAME])
    media.mark("first")
    media.play(VOICE[: 5 * FRAME])
    media.mark("second")
    clock.run(0.09)

    assert listener.marks == []

    clock.run(0.03)

    assert listener.marks == ["first"]

    clock.run(0.1)

    assert listener.marks == ["first", "second"]


async def test_what_is_cleared_is_not_sent_any_more() -> None:
    """From the next packet on, and the marks in it come back."""
    media, listener, ports, clock = a_media()
    media.play(VOICE)
    media.mark("end")
    clock.run(0.1)
    sent = len(ports.voice)

    assert media.clear() == ["end"]

    clock.run(1.0)

    assert len(ports.voice) == sent
    assert listener.marks == []


async def test_our_packets_go_where_theirs_come_from() -> None:
    """Symmetric RTP: a caller behind NAT does not know where it is."""
    _, _, ports, clock = a_media()
    Peer(ports, clock, address=("203.0.113.9", 6000)).says(VOICE[: 10 * FRAME])
    clock.run(0.1)

    assert ports.rtp[0][1] == PEER
    assert ports.rtp[-1][1] == ("203.0.113.9", 6000)


async def test_a_stranger_is_not_heard() -> None:
    """Nor do our packets follow one."""
    media, listener, ports, clock = a_media()
    Peer(ports, clock).says(VOICE[: 10 * FRAME])
    Peer(ports, clock, address=("203.0.113.66", 6666)).says(CUT * 20)
    clock.run(0.1)

    assert CUT not in listener.frames
    assert media.statistics().strangers == 20
    assert {to for _, to in ports.rtp} == {PEER}


async def test_keys_are_told_once() -> None:
    """However often a press is repeated in packets."""
    media, listener, ports, _ = a_media()

    assert not media.has_keys

    for number, payload in enumerate(events.Press("#", 800).payloads(FRAME)):
        data = packet.write(101, number, 5000, 7, payload, marker=number == 0)
        ports.hear_rtp(data, PEER)

    assert listener.digits == "#"
    assert media.has_keys


async def test_on_hold_the_model_hears_silence_and_nothing_is_lost() -> None:
    """Music on hold is nobody's voice; what the agent says waits for the caller."""
    media, listener, ports, clock = a_media()
    peer = Peer(ports, clock)
    media.answer(offer("a=sendonly"))
    peer.says(VOICE)
    media.play(VOICE)
    media.mark("heard")
    clock.run(1.0)
    held, on_hold = list(listener.frames), media.on_hold

    assert on_hold
    assert set(held) == {SILENCE}
    assert len(held) == pytest.approx(100, abs=2)
    assert ports.voice == b""
    assert listener.marks == []

    media.answer(offer("a=sendrecv"))
    peer.says(VOICE)
    clock.run(0.5)

    assert not media.on_hold
    assert ports.voice == VOICE
    assert listener.marks == ["heard"]
    assert VOICE[-10 * FRAME : -5 * FRAME] in b"".join(listener.frames)


async def test_who_is_not_heard_of_any_more_is_lost() -> None:
    """Told once; RTCP alone is a sign of life, and a call on hold may be silent."""
    media, listener, ports, clock = a_media(silent_seconds=4.0)
    report = rtcp.write([rtcp.ReceiverReport(7, ()), rtcp.SourceDescription(((7, "x"),))])
    for _ in range(5):
        clock.run(3.0)
        ports.hear_rtcp(report, PEER)
    clock.run(3.0)
    ports.hear_rtcp(report, ("203.0.113.66", 1))
    media.answer(offer("a=inactive"))
    clock.run(60.0)
    media.answer(offer("a=sendrecv"))
    clock.run(3.0)

    assert listener.silences == 0

    clock.run(60.0)

    assert listener.silences == 1


async def test_reports_go_to_the_port_above() -> None:
    """Or, where both ends want it, by the port of RTP; goodbye is the last."""
    media, _, ports, clock = a_media()
    clock.run(20.0)
    media.close()

    assert len(ports.rtcp) > 2
    assert {to for _, to in ports.rtcp} == {(PEER[0], PEER[1] + 1)}
    assert any(isinstance(each, rtcp.Bye) for each in rtcp.read(ports.rtcp[-1][0]))
    assert ports.closed

    media, _, ports, clock = a_media("a=rtcp-mux")
    clock.run(20.0)

    assert ports.rtcp == []
    assert len(ports.rtcp_by_rtp) > 2


async def test_what_cannot_be_had_changes_nothing() -> None:
    media, _, ports, clock = a_media()
    with pytest.raises(NotAcceptable):
        media.answer(offer(codecs="18"))
    with pytest.raises(SdpError):
        media.answer(b"v=1\r\n")
    media.play(VOICE[:FRAME])
    clock.run(0.1)

    assert ports.voice == VOICE[:FRAME]


async def test_an_offer_of_ours_holds_once_it_is_accepted() -> None:
    """And takes nobody anywhere if it comes to nothing."""
    ports, clock = PaperPorts(), PaperClock()
    media = Media(ports, "198.51.100.7", clock)
    offered, agreed = reader.read(media.offer()), media.agreed

    assert not agreed
    assert offered.media[0].port == ports.port

    media.accept(offer())
    media.start()
    clock.run(0.05)

    assert media.agreed
    assert ports.rtp[0][1] == PEER

    media.offer()
    media.withdraw()
    with pytest.raises(SdpError):
        media.accept(offer())


async def test_a_name_in_a_description_is_not_looked_up() -> None:
    """We wait until something comes from there."""
    ports, clock = PaperPorts(), PaperClock()
    media = Media(ports, "198.51.100.7", clock)
    media.answer(offer(address="phone.example"))
    media.start()
    clock.run(1.0)

    assert ports.rtp == []

    Peer(ports, clock).says(VOICE)

    assert ports.rtp[-1][1] == PEER


async def test_what_finds_no_room_is_counted() -> None:
    """Ten minutes of the agent's voice wait at most."""
    media, _, _, _ = a_media()
    media.play(bytes(8_000 * 660))

    assert media.dropped_seconds == 60.0
    assert media.quality.reports == 0


async def test_closed_is_closed() -> None:
    media, listener, ports, clock = a_media()
    media.close()
    sent = len(ports.rtp)
    clock.run(1.0)
    media.close()

    assert len(ports.rtp) == sent
    assert listener.frames == []
