"""SIPp calls the bridge: the ways of a call that telephones seldom take."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.fakes.sipp import HOST, Placed, Sipp, free_port
from tests.journeys.sip.stage import SCENARIOS, SIP, Bakery, SipStage, on_sip_stage
from tests.journeys.stage import bridge_process, speech, until

BAKERY = "tests.journeys.agents:bakery"

FLAGS = re.DOTALL | re.MULTILINE
UNHURRIED = "-nr"
"""SIPp neither sends again by itself, nor thinks that what comes again had to."""


async def placed(
    stage: SipStage, folder: Path, name: str, *options: str, calls: int = 1, transport: str = "u1"
) -> Placed:
    """A scenario, run against the bridge, in which nothing is left of it."""
    (folder / "voice.ulaw").write_bytes(speech("yes"))
    sipp = Sipp(stage.port, folder, transport)
    came = await sipp.places(SCENARIOS / f"{name}.xml", *options, calls=calls)
    await until(lambda: stage.calls == 0)
    return came


def answers(came: Placed, status: int, method: str) -> list[str]:
    """The responses of this kind that came, as they were."""
    received = re.findall(
        r"^UDP message received.*?\n\n(SIP/2\.0 .*?)(?=\n-----)", came.messages + "\n-----", FLAGS
    )
    asked = re.compile(rf"SIP/2\.0 {status} .*\nCSeq: \d+ {method}\n", re.DOTALL)
    return [each for each in received if asked.match(each)]


@pytest.mark.parametrize(
    "name", ["options", "unknown_method", "unknown_extension", "cancel", "cancel_nothing", "hold"]
)
async def test_what_the_scenario_expects(name: str, tmp_path: Path) -> None:
    """The scenarios say themselves what they are about; SIPp fails what they do not expect."""
    async with on_sip_stage() as stage:
        came = await placed(stage, tmp_path, name, UNHURRIED)

    assert came.well == 1, came.errors


async def test_an_invite_that_is_sent_again_after_its_answer(tmp_path: Path) -> None:
    """It is the same call, and the same answer: a 200 that was lost loses nobody."""
    bakery = Bakery()
    async with on_sip_stage(bakery) as stage:
        came = await placed(stage, tmp_path, "invite_again", UNHURRIED)
        await until(lambda: bakery.endings)

    first, again, *_ = answers(came, 200, "INVITE")
    assert came.well == 1, came.errors
    assert first == again
    assert bakery.endings == ["caller: hangup"]


async def test_an_answer_that_nobody_acknowledges_is_sent_again(tmp_path: Path) -> None:
    """After half a second; and no more, once it is acknowledged."""
    async with on_sip_stage() as stage:
        came = await placed(stage, tmp_path, "ack_late", UNHURRIED)

    assert came.well == 1, came.errors
    assert len(answers(came, 200, "INVITE")) == 2


async def test_both_hang_up_at_once(tmp_path: Path) -> None:
    """Their BYE and ours cross on the way, and both are answered."""
    bakery = Bakery()
    async with on_sip_stage(bakery) as stage:
        racing = asyncio.create_task(placed(stage, tmp_path, "bye_race", UNHURRIED))
        await until(lambda: bakery.calls)
        await bakery.calls[0].hang_up(after_words=False)
        came = await racing

    assert came.well == 1, came.errors


async def test_the_bridge_hangs_up(tmp_path: Path) -> None:
    """The caller is told, and what it said until then has come to the model to the byte."""
    async with on_sip_stage() as stage:
        talking = asyncio.create_task(placed(stage, tmp_path, "long_call"))
        await until(lambda: speech("yes")[1_600:4_800] in stage.fed)
        await stage.hang_up()
        came = await talking

    assert came.well == 1, came.errors


@pytest.mark.parametrize("transport", ["t1", "tn"], ids=["one connection", "one for each"])
async def test_calls_over_tcp(transport: str, tmp_path: Path) -> None:
    """Messages share a connection, or have one each."""
    async with on_sip_stage() as stage:
        came = await placed(stage, tmp_path, "call", calls=5, transport=transport)

    assert came.well == 5, came.errors


@pytest.mark.timeout(120)
async def test_many_calls(tmp_path: Path) -> None:
    """Two hundred, twenty a second, each with a voice: none is lost."""
    bakery, calls = Bakery(), 200
    async with on_sip_stage(bakery) as stage:
        came = await placed(stage, tmp_path, "call", calls=calls)
        await until(lambda: len(bakery.endings) == calls)
        lost = await stage.metric("bridge_rtp_packets_total", 'outcome="lost"')
        received = await stage.metric("bridge_rtp_packets_total", 'outcome="received"')

    assert came.well == calls, came.errors
    assert set(bakery.endings) == {"caller: hangup"}
    assert received > 20 * calls
    assert lost < received / 100


async def test_as_it_is_served(tmp_path: Path) -> None:
    """`bridge serve` is a process of its own, with a faster loop: calls over UDP and TCP."""
    port, voice = free_port(), tmp_path / "voice.ulaw"
    voice.write_bytes(speech("yes"))
    listen = f"udp://{HOST}:{port},tcp://{HOST}:{port}"
    settings = {**SIP, "BRIDGE_SIP_LISTEN": listen}
    async with bridge_process(BAKERY, settings, tmp_path / "log") as stage:
        by_udp, by_tcp = await asyncio.gather(
            Sipp(port, tmp_path).places(SCENARIOS / "call.xml", calls=3),
            Sipp(port, tmp_path, "t1").places(SCENARIOS / "call.xml", calls=3),
        )
        stage.stop()
        assert stage.process is not None
        await stage.process.wait()

    assert by_udp.well == 3, by_udp.errors
    assert by_tcp.well == 3, by_tcp.errors
    assert "Traceback" not in (tmp_path / "log").read_text()
