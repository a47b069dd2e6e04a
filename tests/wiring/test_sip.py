"""SIP at the service's door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.config import SipPlace, SipSettings
from bridge.errors import CarrierError, ConfigError, Ending, Fault
from bridge.ports import leg
from bridge.ports.store import CallState
from bridge.wire.sip import actions
from bridge.wire.sip.places import Place, Transport
from bridge.wiring.service import Service
from bridge.wiring.sip import SipFront, answering_sip, prompt_for
from tests.carriers.sip.phone import HOST, Phone, free_ports, phone, until
from tests.wiring.parts import MoodyStore, a_service


@asynccontextmanager
async def answering(
    most_calls: int = 100,
) -> AsyncIterator[tuple[Service, SipFront, MoodyStore, Phone]]:
    """A service that answers SIP, and a telephone."""
    first, last = free_ports()
    async with (
        a_service(
            BRIDGE_SIP_LISTEN=f"udp://{HOST}:0",
            BRIDGE_SIP_PEERS=f"{HOST}/32",
            BRIDGE_SIP_RTP_PORTS=f"{first}-{last}",
            BRIDGE_MAX_CALLS=str(most_calls),
        ) as (service, _, store),
        answering_sip(service) as front,
    ):
        assert front is not None
        place = Place(Transport.UDP, HOST, front.carrier.ports[Transport.UDP])
        async with phone(place) as caller:
            yield service, front, store, caller


def counted(service: Service, line: str) -> bool:
    service.tallies.update()
    return line in service.metrics.render()[0].decode()


async def test_a_call_is_known_to_the_store() -> None:
    """From the first moment, with who calls whom, until it is over for good."""
    async with answering() as (service, _, store, caller):
        await caller.calls()
        await until(lambda: len(service.switchboard))
        [live] = service.switchboard
        await until(lambda: store.saved)
        record = store.saved[-1]
        caller.hangs_up()
        await until(lambda: not len(service.switchboard))
        standing = await service.standing(live.call_id, leg_ended=False)

    assert live.carrier == record.carrier == "sip"
    assert not live.returns
    assert (record.caller, record.called) == ("+14155550100", "+14155550123")
    assert standing.state is CallState.ENDED
    assert store.asked.index("expect") < store.asked.index("claim")


async def test_a_call_goes_on_without_the_store() -> None:
    async with answering() as (service, _, store, caller):
        store.down = True
        await caller.calls()
        await until(lambda: len(service.switchboard))
        caller.hangs_up()
        await until(lambda: not len(service.switchboard))

    assert counted(
        service, 'bridge_calls_ended_total{carrier="sip",fault="caller",reason="hangup"} 1.0'
    )


async def test_a_call_that_is_lost_here_is_over() -> None:
    """Nobody could bring it back: it is hung up, and ends in the store."""
    async with answering() as (service, _, store, caller):
        await caller.calls()
        await until(lambda: len(service.switchboard))
        [live] = service.switchboard
        await until(lambda: caller.heard)
        live.step_aside()
        ended = await caller.told(actions.Ended)
        await until(lambda: not len(service.switchboard))

    assert ended.ending.reason == "hangup"
    assert "release" not in store.asked
    assert "end" in store.asked


@pytest.mark.parametrize(("draining", "status"), [(False, 486), (True, 503)])
async def test_where_there_is_no_room(draining: bool, status: int) -> None:
    """Full is busy; whoever is leaving sends callers elsewhere."""
    async with answering(most_calls=1) as (service, _, _, caller):
        if draining:
            service.switchboard.draining = True
        else:
            await service.expect(service.new_record("CA1", carrier="test"))
        caller.dials()
        ended = await caller.told(actions.Ended)

    assert (ended.status, ended.retry_after) == (status, 10)
    reason = "draining" if draining else "full"
    assert counted(service, f'bridge_calls_refused_total{{carrier="sip",reason="{reason}"}} 1.0')


async def test_who_gives_up_was_never_there() -> None:
    """The model that was dialled is let go."""
    async with answering() as (service, front, _, caller):
        caller.hears_nothing = True  # and so never acknowledges
        caller.dials()
        await until(lambda: front.carrier.legs)
        [waiting] = front.carrier.legs
        await until(lambda: service.knows(waiting.call_id))
        waiting.ended(Ending(Fault.CALLER, "cancelled"))
        await until(lambda: not service.knows(waiting.call_id))

        assert not len(service.switchboard)


async def test_strangers_and_packets_are_counted() -> None:
    async with answering() as (service, front, _, caller):
        front.dropped("stranger")
        await caller.calls()
        await until(lambda: len(service.switchboard))
        await caller.talks(b"\x01" * 160 * 10)
        caller.hangs_up()
        await until(lambda: not len(service.switchboard))

    assert counted(service, 'bridge_bad_frames_total{peer="sip",reason="stranger"} 1.0')
    assert counted(service, 'bridge_rtp_packets_total{carrier="sip",outcome="received"} 10.0')
    assert counted(service, 'bridge_rtp_jitter_seconds_count{carrier="sip"} 1.0')


async def test_the_agent_calls_somebody() -> None:
    """And tells why the call is over."""
    async with answering() as (service, front, _, callee):
        desk = f"sip:desk@{HOST}:{callee.place.port}"
        answers: list[float] = []

        def answered() -> None:
            answers.append(callee.loop.time())
            callee.loop.call_later(0.1, callee.hangs_up)

        talked = await front.dial(desk, answered)
        callee.says = b""
        refused = await front.dial(desk, answered)

        assert (talked.reason, refused.reason) == ("hangup", "busy")
        assert len(answers) == 1
        assert not len(service.switchboard)


async def test_it_is_off_unless_it_is_on() -> None:
    async with a_service() as (service, _, _), answering_sip(service) as front:
        assert front is None


async def test_what_cannot_begin_says_so() -> None:
    """A port that is taken; a certificate that is none."""
    async with answering() as (service, front, _, _):
        port = front.carrier.ports[Transport.UDP]
        taken = SipSettings((SipPlace("udp", HOST, port),))
        with pytest.raises(CarrierError, match="SIP cannot listen"):
            await SipFront(service, taken).open()

    here = Path(__file__)
    with pytest.raises(ConfigError, match="BRIDGE_SIP_TLS_CERT"):
        SipFront(service, SipSettings(taken.listen, tls_cert=here, tls_key=here))


def test_words_become_a_recording() -> None:
    """An apology, and a goodbye or the announcement of somebody else."""
    goodbye = prompt_for(leg.Hangup("We are sorry."))
    transfer = prompt_for(leg.Transfer("+14155550199", "We are sorry."))

    assert 8_000 < len(goodbye) < 40_000
    assert goodbye[:4_000] == transfer[:4_000]
    assert goodbye != transfer
