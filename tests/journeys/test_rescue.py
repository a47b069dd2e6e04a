"""
A stream ends and nobody asks what comes next: the bridge has the carrier ask.

The simulated carrier takes orders by way of a REST API, as Twilio does; it is as deaf here as
Twilio could be. What a load balancer would do, sending it to a worker that lives, the test does
by moving the bridge's public origin.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bridge.call.rescue import RescueTimes
from bridge.simulator.caller import CutLine, HangUp, Wait, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.carrier import ACCOUNT_SID
from bridge.simulator.exchange import Exchange
from bridge.simulator.journal import Moment, What
from bridge.simulator.report import CallReport
from bridge.wire.twilio import signature, webhook
from bridge.wiring.watch import watchman_of
from tests.fakes.openai_realtime import Call, FakeOpenAI, Say, Script
from tests.fakes.redis_server import RedisServer
from tests.fakes.twilio_rest import FakeTwilioRest
from tests.journeys import sound
from tests.journeys.agents import bakery
from tests.journeys.figures import Recorder, note
from tests.journeys.stage import PUBLIC, TOKEN, Stage, bridge_process, on_stage, openai

BAKERY = "tests.journeys.agents:bakery"
HOURS = "We are open from seven to six, on every day but Sunday."
NEW = RescueTimes(steady=0.5)
"""Of a worker that need not have been there for long before it believes what it sees."""
EAGER = RescueTimes(steady=0.1, look=0.1, grace=0.1, asked=0.2, waiting=0.1)
"""Of one that looks for lost calls everywhere."""


def goodbye() -> Script:
    return Script(otherwise=[Say("Goodbye.", seconds=0.4), Call("hang_up")])


@dataclass
class Town:
    """What the workers of a test share, and their carrier."""

    model: FakeOpenAI
    redis: RedisServer
    rest: FakeTwilioRest
    exchange: Exchange
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        return openai(
            self.model,
            REDIS_URL=self.redis.url,
            BRIDGE_SECRET_KEY="k" * 32,
            TWILIO_API_BASE_URL=self.rest.origin,
        )

    @property
    def carrier(self) -> Mapping[str, Any]:
        return {"origins": self.origins, "exchange": self.exchange}

    @property
    def orders(self) -> list[str]:
        """The URLs that the carrier was told to ask."""
        return [asked.fields["Url"] for asked in self.rest.asked if asked.method == "POST"]


@asynccontextmanager
async def a_town(*scripts: Script) -> AsyncIterator[Town]:
    exchange = Exchange()
    with RedisServer() as redis:
        async with (
            FakeOpenAI(*scripts) as model,
            FakeTwilioRest(ACCOUNT_SID, TOKEN, exchange) as rest,
        ):
            yield Town(model, redis, rest, exchange)


async def believes_soon(stage: Stage, times: RescueTimes = NEW) -> None:
    """Another watchman for this worker."""
    service = stage.service
    assert service.watchman is not None
    await service.watchman.close()
    service.watchman = watchman_of(service, times)
    assert service.watchman is not None
    service.watchman.start()


async def test_calls_that_nobody_asks_about(tmp_path: Path, record_property: Recorder) -> None:
    """They are all found, one by the carrier's word and one without; and no others."""
    told, found, _ = await asyncio.gather(
        the_carrier_only_tells(), nobody_tells(tmp_path), a_call_that_is_well_is_left_alone()
    )

    note(record_property, "back after a callback (s)", [told])
    note(record_property, "back after a kill without a word (s)", [found])
    assert told < 8.0
    assert found < 20.0


async def the_carrier_only_tells() -> float:
    """A status callback says that the stream broke, to a worker that did not have it."""
    first = Script(answers=[Say("Good day.", seconds=0.4), Say(HOURS, seconds=1.0)])
    async with (
        a_town(first, goodbye()) as town,
        on_stage(bakery, town.settings, **town.carrier, asks_after_break=False) as one,
        on_stage(bakery, town.settings) as two,
    ):
        town.origins[PUBLIC] = one.origin

        def listen(moment: Moment) -> None:
            if moment.what is What.STREAM_ENDED:
                town.origins[PUBLIC] = two.origin

        report = await one.place(
            *(WaitForAgent(0.3), CallerSays(sound.word()), WaitForAgent(0.5)),
            *(CutLine(), CallerSays(sound.word()), Wait(10)),
            listener=listen,
        )
        taken = await two.metric("bridge_calls_started_total")
        rescued = await two.metric("bridge_rescues_total", 'layer="callback"')

    assert report.ended.word == "hung-up"
    assert [stream.broken for stream in report.streams] == [True, False]
    assert town.orders == [f"{PUBLIC}/twilio/next"]
    assert HOURS in texts(town)
    assert (taken, rescued) == (1, 1)
    return silence(report)


async def nobody_tells(tmp_path: Path) -> float:
    """
    The worker is killed while it has the call. The carrier says nothing of it and asks nobody:
    another worker misses the dead one's signs of life.
    """
    first = Script(answers=[Say("Good day.", seconds=0.4), Say(HOURS, seconds=1.0)])
    async with a_town(first, goodbye()) as town:
        carrier = {**town.carrier, "asks_after_break": False, "tells_streams": False}
        async with (
            bridge_process(BAKERY, town.settings, tmp_path / "one", **carrier) as one,
            on_stage(bakery, town.settings) as two,
        ):
            await believes_soon(two)
            town.origins[PUBLIC] = one.origin
            answered = asyncio.Event()
            stops = 0

            def listen(moment: Moment) -> None:
                nonlocal stops
                stops += moment.what is What.AGENT_STOPPED
                if stops == 2:
                    answered.set()

            calling = asyncio.create_task(
                one.place(
                    *(WaitForAgent(0.3), CallerSays(sound.word()), WaitForAgent(0.5)),
                    *(Wait(1.0), CallerSays(sound.word(), "again"), Wait(30)),
                    listener=listen,
                )
            )
            async with asyncio.timeout(30):
                await answered.wait()
            town.origins[PUBLIC] = two.origin
            one.stop(signal.SIGKILL)
            report = await calling
            rescued = await two.metric(
                "bridge_rescues_total", 'layer="reaper"', 'outcome="redirected"'
            )
            gone = await two.metric("bridge_workers", 'state="gone"')

    assert report.ended.word == "hung-up"
    assert [stream.broken for stream in report.streams] == [True, False]
    assert town.orders == [f"{PUBLIC}/twilio/next"]
    assert HOURS in texts(town)
    assert (rescued, gone) == (1, 1)
    return silence(report)


async def a_call_that_is_well_is_left_alone() -> None:
    """
    The carrier has come back by itself. What it tells of the stream that broke comes late, to
    everybody, and again and again; both workers are eager to help.
    """
    first = Script(answers=[Say("Good day.", seconds=0.4)])
    async with (
        a_town(first, goodbye()) as town,
        on_stage(bakery, town.settings, **town.carrier) as one,
        on_stage(bakery, town.settings) as two,
    ):
        town.origins[PUBLIC] = one.origin
        for stage in (one, two):
            await believes_soon(stage, EAGER)
        back = asyncio.Event()

        def listen(moment: Moment) -> None:
            if moment.what is What.STREAM_ENDED:
                town.origins[PUBLIC] = two.origin
            if moment.what is What.STREAM_STARTED and town.origins[PUBLIC] == two.origin:
                back.set()

        calling = asyncio.create_task(
            one.place(WaitForAgent(0.3), CutLine(), Wait(3.0), HangUp(), listener=listen)
        )
        async with asyncio.timeout(30):
            await back.wait()
        for _ in range(3):
            await asyncio.gather(*(tell(stage, town) for stage in (one, two)))
            await asyncio.sleep(0.3)
        report = await calling
        looks = [await each.metric("bridge_workers", 'state="alive"') for each in (one, two)]

    assert report.ended.word == "caller-hung-up"
    assert len(report.streams) == 2
    assert town.orders == []
    assert looks == [2, 2]


async def tell(stage: Stage, town: Town) -> None:
    """As the carrier: the call's first stream broke."""
    [call_id] = town.exchange
    path = "/twilio/status?leg=0"
    status = webhook.StreamStatus(call_id, ACCOUNT_SID, "MZ1", "stream-error", "31903: broken")
    form = webhook.write_stream_status(status)
    headers = {
        "X-Twilio-Signature": signature.sign_form(PUBLIC + path, form, TOKEN),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with httpx.AsyncClient(base_url=stage.origin) as client:
        answer = await client.post(path, content=webhook.write_form(form), headers=headers)
    assert answer.status_code == 204


def texts(town: Town) -> list[str]:
    """What the second session was told of the call."""
    told = [event["item"] for event in town.model.sessions[1].said("conversation.item.create")]
    return [part["text"] for item in told for part in item.get("content", ())]


def silence(report: CallReport) -> float:
    """Seconds for which the caller was alone."""
    broken, back = report.streams
    return back.started_at - broken.ended_at
