"""A proxy in front of the bridge: it asks for passwords, and stays on the way of every call."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.baresip import baresip
from tests.fakes.kamailio import PASSWORD, kamailio
from tests.fakes.sipp import HOST, Placed, Sipp, free_port
from tests.journeys import sound
from tests.journeys.sip.stage import SCENARIOS, Bakery, on_sip_stage, recognised
from tests.journeys.stage import speech, until

ENOUGH = 0.8  # of the greeting; on a quiet machine all of it arrives


async def test_a_call_through_it(tmp_path: Path) -> None:
    """
    Requests within the call follow the route that it recorded: the caller's BYE comes through
    it, and so does the bridge's.
    """
    bakery = Bakery()
    async with (
        on_sip_stage(bakery) as stage,
        kamailio(tmp_path / "front", free_port(), bridge=stage.port) as front,
        baresip(tmp_path / "phone", account=f"auth_pass={PASSWORD}") as phone,
    ):
        phone.dials(f"sip:agent@{HOST}:{front.port}")
        await until(lambda: len(bakery.calls) == 1)
        await until(lambda: len(phone.heard()) > 2 * (len(stage.greeting) + 8_000))
        phone.hangs_up()
        await until(lambda: len(bakery.endings) == 1)
        heard = recognised(stage.greeting, sound.samples(phone.heard()))
        phone.dials(f"sip:agent@{HOST}:{front.port}")
        await until(lambda: len(bakery.calls) == 2)
        await bakery.calls[1].hang_up(after_words=False)
        await until(lambda: len(phone.told("CALL_CLOSED")) == 2)
        await until(lambda: len(bakery.endings) == 2)
        ways = [phone.port, stage.port]

    assert heard >= ENOUGH
    assert list(dict.fromkeys(front.passed("BYE"))) == ways
    assert bakery.endings == ["caller: hangup", "nobody: agent_hung_up"]


async def test_sipp_through_it(tmp_path: Path) -> None:
    """Whoever knows the password talks to the agent, and whoever does not is sent away."""
    (tmp_path / "voice.ulaw").write_bytes(speech("yes"))
    bakery = Bakery()
    async with (
        on_sip_stage(bakery) as stage,
        kamailio(tmp_path / "front", free_port(), bridge=stage.port) as front,
    ):
        sipp = Sipp(front.port, tmp_path)
        right = await sipp.places(SCENARIOS / "digest.xml", "-au", "desk", "-ap", PASSWORD, calls=5)
        wrong = await sipp.places(
            SCENARIOS / "digest_wrong.xml", "-au", "desk", "-ap", "guessed", calls=2
        )
        await until(lambda: len(bakery.endings) == 5)

    assert right.well == 5, right.errors
    assert wrong.well == 2, wrong.errors
    assert set(bakery.endings) == {"caller: hangup"}


async def test_it_is_the_registrar_of_a_trunk(tmp_path: Path) -> None:
    """The bridge registers, and a call for its account is sent to where it said it is."""
    bakery, port = Bakery(), free_port()
    trunk = f"sip:desk:{PASSWORD}@{HOST}:{port}"
    async with (
        kamailio(tmp_path / "front", port) as front,
        on_sip_stage(bakery, BRIDGE_SIP_REGISTER=trunk) as stage,
        baresip(tmp_path / "phone", account=f"auth_pass={PASSWORD}") as phone,
    ):
        await until(lambda: stage.front.carrier.registered)
        phone.dials(f"sip:desk@{HOST}:{front.port}")
        await until(lambda: bakery.calls)
        phone.hangs_up()
        await until(lambda: bakery.endings)

        assert set(front.passed("REGISTER")) == {stage.port}
    assert bakery.endings == ["caller: hangup"]


async def test_a_call_goes_on_to_the_bridge_that_has_room(tmp_path: Path) -> None:
    """One that is full says so, and one that is gone says nothing."""
    (tmp_path / "voice.ulaw").write_bytes(speech("yes"))
    busy, free = Bakery(), Bakery()
    async with (
        on_sip_stage(busy, BRIDGE_MAX_CALLS="1") as one,
        on_sip_stage(free) as another,
        baresip(tmp_path / "phone") as phone,
    ):
        phone.dials(one.uri)
        await until(lambda: busy.calls)
        refused, silent = await asyncio.gather(
            digest_call(tmp_path, bridge=one.port, other=another.port),
            digest_call(tmp_path, other=another.port),
        )
        await until(lambda: len(free.endings) == 2)
        phone.hangs_up()
        await until(lambda: busy.endings)

    assert refused.well == 1, refused.errors
    assert silent.well == 1, silent.errors
    assert len(busy.calls) == 1


async def digest_call(folder: Path, **bridges: int) -> Placed:
    """A call with a password, through a proxy in front of these bridges."""
    port = free_port()
    async with kamailio(folder / f"front-{port}", port, **bridges):
        return await Sipp(port, folder).places(
            SCENARIOS / "digest.xml", "-au", "desk", "-ap", PASSWORD
        )
