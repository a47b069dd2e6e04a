"""Calls that take orders, from a carrier that does not ask by itself."""

from __future__ import annotations

import asyncio

from bridge.simulator import caller
from bridge.simulator.caller import Script
from bridge.simulator.exchange import Exchange
from bridge.wire.twilio import frames
from tests.simulator.agents import carrier, listening
from tests.simulator.servers import ORIGIN, SmallBridge, connect, serving


async def call_of(exchange: Exchange, bridge: SmallBridge) -> str:
    """The call, once the bridge has its stream."""
    async with asyncio.timeout(10):
        while not bridge.talks or len(bridge.talks[-1].events) < 3:
            await asyncio.sleep(0.01)
    [call_sid] = exchange
    return call_sid


async def test_a_call_is_ordered_elsewhere() -> None:
    """The stream is stopped in good order, and its action is not asked for."""
    exchange = Exchange()
    documents = {"/voice": connect("/action"), "/elsewhere": "<Hangup/>"}
    bridge = SmallBridge({**documents}, listening)
    async with serving(bridge):
        placing = asyncio.create_task(
            carrier(bridge, exchange=exchange).place(Script(caller.Wait(20)))
        )
        call_sid = await call_of(exchange, bridge)
        assert exchange.redirect(call_sid, f"{ORIGIN}/elsewhere", "POST")
        report = await placing

    assert bridge.paths() == ["/voice", "/elsewhere"]
    assert isinstance(bridge.talks[0].events[-1], frames.Stop)
    assert bridge.asked[-1].form["CallStatus"] == "in-progress"
    assert report.ended.word == "hung-up"
    assert exchange.status(call_sid) == "completed"


async def test_a_call_is_ordered_to_end() -> None:
    exchange = Exchange()
    bridge = SmallBridge({"/voice": connect("/action")}, listening)
    async with serving(bridge):
        placing = asyncio.create_task(
            carrier(bridge, exchange=exchange).place(Script(caller.Wait(20)))
        )
        assert exchange.hang_up(await call_of(exchange, bridge))
        report = await placing

    assert bridge.paths() == ["/voice"]
    assert (report.ended.word, report.ended.text) == ("hung-up", "by order")


async def test_a_deaf_carrier_waits_for_an_order() -> None:
    """The stream has broken, nobody was told, and the call goes on without a word."""
    exchange = Exchange()
    twiml = connect("/action", attributes=' statusCallback="/status"')
    bridge = SmallBridge({"/voice": twiml, "/elsewhere": "<Hangup/>"}, listening)
    async with serving(bridge):
        deaf = carrier(bridge, exchange=exchange, asks_after_break=False, tells_streams=False)
        placing = asyncio.create_task(
            deaf.place(Script(caller.Wait(0.3), caller.CutLine(), caller.Wait(20)))
        )
        call_sid = await call_of(exchange, bridge)
        async with asyncio.timeout(10):
            while not bridge.talks[0].lost:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert bridge.paths() == ["/voice"]
        assert exchange.redirect(call_sid, f"{ORIGIN}/elsewhere", "POST")
        report = await placing

    assert bridge.paths() == ["/voice", "/elsewhere"]
    assert [stream.broken for stream in report.streams] == [True]
