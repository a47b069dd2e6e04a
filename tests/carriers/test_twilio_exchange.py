"""Twilio's switch, as whoever rescues a call sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bridge.carriers.twilio_exchange import TwilioExchange
from bridge.carriers.twilio_rest import TwilioRest
from bridge.errors import CarrierError
from bridge.ports.exchange import Progress
from tests.fakes.twilio_rest import FakeTwilioRest

ACCOUNT, TOKEN, CALL = "AC" + "a" * 32, "secret-token", "CA" + "c" * 32


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilioRest]:
    async with FakeTwilioRest(ACCOUNT, TOKEN) as fake:
        yield fake


@pytest.fixture
async def exchange(twilio: FakeTwilioRest) -> AsyncIterator[TwilioExchange]:
    rest = TwilioRest(ACCOUNT, TOKEN, twilio.origin)
    exchange = TwilioExchange(rest, "https://bridge.example")
    yield exchange
    await exchange.close()


@pytest.mark.parametrize(
    ("word", "progress"),
    [
        ("in-progress", Progress.TALKING),
        ("completed", Progress.OVER),
        ("canceled", Progress.OVER),
        ("no-answer", Progress.OVER),
        ("ringing", Progress.UNKNOWN),
        ("queued", Progress.UNKNOWN),
    ],
)
async def test_how_far_a_call_has_come(
    twilio: FakeTwilioRest, exchange: TwilioExchange, word: str, progress: Progress
) -> None:
    twilio.calls[CALL] = word

    assert await exchange.progress(CALL) is progress


async def test_a_call_of_another_account_is_not_known(exchange: TwilioExchange) -> None:
    """It may be well, so nobody may call it over."""
    assert await exchange.progress(CALL) is Progress.UNKNOWN


@pytest.mark.parametrize("path", ["", "/phone"])
async def test_twilio_is_told_where_to_ask(
    twilio: FakeTwilioRest, exchange: TwilioExchange, path: str
) -> None:
    twilio.calls[CALL] = "in-progress"

    assert await exchange.ask_again(CALL, path)
    assert twilio.asked[-1].fields["Url"] == f"https://bridge.example{path}/twilio/next"


async def test_a_call_that_is_over_cannot_ask(
    twilio: FakeTwilioRest, exchange: TwilioExchange
) -> None:
    twilio.calls[CALL] = "completed"

    assert not await exchange.ask_again(CALL, "")


async def test_a_url_that_is_none_is_refused(twilio: FakeTwilioRest) -> None:
    """Twilio takes absolute ones only."""
    twilio.calls[CALL] = "in-progress"
    exchange = TwilioExchange(TwilioRest(ACCOUNT, TOKEN, twilio.origin), "bridge.example")

    with pytest.raises(CarrierError, match="400, code 21205"):
        await exchange.ask_again(CALL, "")
    await exchange.close()
