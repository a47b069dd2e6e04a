"""Who looks after lost calls, as the settings have it."""

from __future__ import annotations

import logging

import pytest

from bridge.call.rescue import RescueTimes
from bridge.config import Config
from bridge.ports.store import CallRecord
from bridge.store.redis.fleet import RedisFleet
from bridge.wiring.compose import compose, plan
from bridge.wiring.service import Service
from bridge.wiring.watch import watchman_of
from tests.fakes.model import FakeModel
from tests.fakes.redis_server import RedisServer
from tests.fakes.twilio_rest import FakeTwilioRest
from tests.wiring.parts import CALL, a_service, until

ACCOUNT, TOKEN = "AC" + "a" * 32, "secret-token"
PUBLIC = "https://bridge.example"
QUICK = RescueTimes(beat=0.01, look=0.01, steady=0.0, waiting=0.0)


def composed(**environ: str) -> Service:
    return compose(plan(Config.from_environ(environ), model=FakeModel()))


async def test_a_lost_call_is_brought_back() -> None:
    """By Twilio's REST API, in the account's name, to the public origin."""
    async with FakeTwilioRest(ACCOUNT, TOKEN) as twilio:
        twilio.calls[CALL] = "in-progress"
        service = composed(
            TWILIO_ACCOUNT_SID=ACCOUNT,
            TWILIO_AUTH_TOKEN=TOKEN,
            TWILIO_API_BASE_URL=twilio.origin,
            BRIDGE_PUBLIC_URL=PUBLIC,
        )
        watchman = watchman_of(service, QUICK)
        assert watchman is not None
        watchman.path = ""
        watchman.start()
        await service.store.expect(CallRecord(CALL))
        claim = await service.claim(CALL, 0)
        assert claim is not None
        await service.store.release(claim, CallRecord(CALL))
        await until(lambda: [asked for asked in twilio.asked if asked.method == "POST"])
        await watchman.close()
        assert service.watchman is not None
        await service.watchman.close()
        await service.close()

    assert twilio.asked[-1].fields["Url"] == f"{PUBLIC}/twilio/next"


async def test_without_credentials_nobody_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    """Which is said once."""
    caplog.set_level(logging.INFO)
    service = composed(BRIDGE_INSECURE="1")
    watchman = service.watchman
    assert watchman is not None
    watchman.start()
    watchman.leg_ended(CALL, 0)
    await watchman.close()
    await service.close()

    [line] = [line for line in caplog.messages if "TWILIO_" in line]
    assert "not brought back" in line


async def test_workers_meet_in_redis() -> None:
    """With what they are, and nothing else."""
    with RedisServer() as redis:
        service = composed(REDIS_URL=redis.url, BRIDGE_SECRET_KEY="k" * 32, BRIDGE_MAX_CALLS="7")
        assert service.watchman is not None
        service.watchman.start()
        fleet = RedisFleet.at(redis.url)
        members = await fleet.members()
        while not members:
            members = await fleet.members()
        await service.watchman.close()
        await service.close()
        await fleet.close()

    pulse = members[0].pulse
    assert (pulse.worker, pulse.calls, pulse.capacity) == (service.worker, 0, 7)
    assert pulse.host
    assert pulse.pid > 1
    assert pulse.build


async def test_a_store_of_the_user_s_own_has_nobody_to_look() -> None:
    """It does not tell how calls are held."""
    async with a_service() as (service, _, _):
        assert watchman_of(service) is None
