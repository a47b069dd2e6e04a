"""A softphone calls the bridge: what is said on either side arrives on the other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.audio.g711 import alaw_to_ulaw, ulaw_to_alaw
from tests.fakes.baresip import baresip
from tests.journeys import sound
from tests.journeys.sip.stage import Bakery, on_sip_stage, recognised
from tests.journeys.stage import speech, until

PAUSE = b"\xff" * 10_000
"""In which the agent greets."""
ENOUGH = 0.8
"""Of what was said. On a quiet machine all of it arrives."""


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
async def test_both_hear_each_other(law: str, tmp_path: Path) -> None:
    """
    The telephone plays what the model says, the model is given what the microphone says, and
    that in mu-law, whatever the telephone speaks. Then the caller hangs up.
    """
    bakery, said = Bakery(), speech("yes")[:8_000]
    async with (
        baresip(tmp_path, says=PAUSE + said, codecs=f"{law}/8000/1") as phone,
        on_sip_stage(bakery) as stage,
    ):
        phone.dials(stage.uri)
        await until(lambda: len(stage.fed) > len(PAUSE + said) + 4_000)
        phone.hangs_up()
        await phone.until("CALL_CLOSED")
        await until(lambda: bakery.endings)

    assert recognised(stage.greeting, sound.samples(phone.heard())) >= ENOUGH
    if law == "PCMA":
        said = alaw_to_ulaw(ulaw_to_alaw(said))
    assert recognised(said, sound.samples_of_ulaw(stage.fed)) >= ENOUGH
    assert bakery.endings == ["caller: hangup"]


async def test_keys(tmp_path: Path) -> None:
    """Each comes once, whether the telephone sends it as RTP (RFC 4733) or by INFO."""
    bakery = Bakery()
    async with (
        baresip(tmp_path / "rtp") as by_rtp,
        baresip(tmp_path / "info", account="dtmfmode=info") as by_info,
        on_sip_stage(bakery) as stage,
    ):
        for phone in (by_rtp, by_info):
            phone.dials(stage.uri)
        await until(lambda: len(bakery.calls) == 2)
        for key in "5#0":
            by_rtp.presses(key)
            by_info.presses(key)
        await until(lambda: sum(map(len, bakery.digits.values())) >= 6)

    assert list(bakery.digits.values()) == ["5#0", "5#0"]


async def test_keys_for_the_caller(tmp_path: Path) -> None:
    """The telephone is told each key that the agent presses."""
    bakery = Bakery()
    async with baresip(tmp_path) as phone, on_sip_stage(bakery) as stage:
        phone.dials(stage.uri)
        await until(lambda: bakery.calls)
        await bakery.calls[0].press("42#")
        await until(lambda: len(phone.told("CALL_DTMF_START")) >= 3)

    assert [event["param"] for event in phone.told("CALL_DTMF_START")] == ["4", "2", "#"]


async def test_the_bridge_hangs_up(tmp_path: Path) -> None:
    """The telephone is told, and no call is left on either side."""
    bakery = Bakery()
    async with baresip(tmp_path) as phone, on_sip_stage(bakery) as stage:
        phone.dials(stage.uri)
        await until(lambda: bakery.calls)
        await bakery.calls[0].hang_up(after_words=False)
        await phone.until("CALL_CLOSED")
        await until(lambda: bakery.endings)

        assert stage.calls == 0
    assert bakery.endings == ["nobody: agent_hung_up"]


async def test_a_caller_is_transferred(tmp_path: Path) -> None:
    """By REFER: the caller talks to the desk, and the bridge has done its part."""
    async with baresip(tmp_path / "desk", says=speech("thanks")[:8_000]) as desk:
        bakery = Bakery(transfers_to=desk.uri)
        async with baresip(tmp_path / "caller") as caller, on_sip_stage(bakery) as stage:
            caller.dials(stage.uri)
            await until(lambda: bakery.calls)
            await bakery.calls[0].transfer("desk")
            await desk.until("CALL_ESTABLISHED")
            await until(lambda: bakery.endings)

    assert bakery.endings == ["nobody: transferred"]


async def test_a_telephone_with_a_password(tmp_path: Path) -> None:
    """It is asked for it, and is let in; one that has another is not."""
    bakery = Bakery()
    accounts = {"BRIDGE_SIP_PEERS": "", "BRIDGE_SIP_ACCOUNTS": "phone:of-the-desk"}
    async with (
        baresip(tmp_path / "known", account="auth_pass=of-the-desk") as known,
        baresip(tmp_path / "stranger", account="auth_pass=guessed") as stranger,
        on_sip_stage(bakery, **accounts) as stage,
    ):
        known.dials(stage.uri)
        stranger.dials(stage.uri)
        await known.until("CALL_ESTABLISHED")
        closed = await stranger.until("CALL_CLOSED")
        await until(lambda: bakery.calls)

    assert "401" in closed["param"]
    assert len(bakery.calls) == 1


async def test_the_bridge_calls_a_telephone(tmp_path: Path) -> None:
    """It is the one who dials, and the agent greets all the same."""
    bakery = Bakery()
    async with baresip(tmp_path) as phone, on_sip_stage(bakery) as stage:
        begun = asyncio.Event()
        calling = asyncio.create_task(stage.front.dial(phone.uri, begun.set))
        await phone.until("CALL_ESTABLISHED")
        await begun.wait()
        await until(lambda: len(stage.greeting) > 3_200)
        phone.hangs_up()
        await calling

    assert bakery.endings == ["caller: hangup"]
