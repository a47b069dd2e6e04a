"""The REST client against an origin on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bridge.carriers.twilio_rest import IncomingNumber, TwilioRest
from bridge.errors import CarrierError, Fault
from tests.fakes.twilio_rest import Asked, FakeTwilioRest

ACCOUNT, TOKEN, CALL = "AC" + "a" * 32, "secret-token", "CA" + "c" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json"


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilioRest]:
    async with FakeTwilioRest(ACCOUNT, TOKEN) as fake:
        fake.calls[CALL] = "in-progress"
        yield fake


@pytest.fixture
async def rest(twilio: FakeTwilioRest) -> AsyncIterator[TwilioRest]:
    async with TwilioRest(ACCOUNT, TOKEN, twilio.origin) as client:
        yield client


def number(digits: str) -> dict[str, str]:
    return {
        "sid": f"PN{digits}",
        "phone_number": f"+{digits}",
        "voice_url": "https://b.example/twilio/voice",
        "voice_method": "POST",
        "voice_fallback_url": "",
        "status_callback": "",
        "voice_application_sid": "",
    }


async def test_a_call_is_hung_up(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    await rest.hang_up(CALL)

    assert twilio.calls[CALL] == "completed"
    assert twilio.asked == [Asked("POST", PATH, {"Status": "completed"})]


async def test_a_call_that_is_over_is_hung_up_already(
    twilio: FakeTwilioRest, rest: TwilioRest
) -> None:
    """Twilio says 20404 or 21220: what we wanted is true."""
    twilio.calls[CALL] = "completed"

    await rest.hang_up(CALL)
    await rest.hang_up("CAunknown")

    assert len(twilio.asked) == 2


async def test_a_live_call_is_redirected(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    url = "https://b.example/twilio/next#rc=3&rp=all"

    assert await rest.redirect(CALL, url)
    assert twilio.asked == [Asked("POST", PATH, {"Url": url, "Method": "POST"})]


async def test_a_call_that_is_over_is_not_redirected(
    twilio: FakeTwilioRest, rest: TwilioRest
) -> None:
    twilio.calls[CALL] = "completed"

    assert not await rest.redirect(CALL, "https://b.example/next")
    assert not await rest.redirect("CAunknown", "https://b.example/next")


async def test_how_far_a_call_has_come(rest: TwilioRest) -> None:
    assert await rest.call_status(CALL) == "in-progress"
    assert await rest.call_status("CAunknown") is None


async def test_an_id_cannot_lead_elsewhere(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    """Ids come from outside, and a path is made of them."""
    await rest.call_status("../Accounts/AC1?x#")

    assert twilio.asked[0].path.endswith("/Calls/..%2FAccounts%2FAC1%3Fx%23.json")


async def test_all_pages_of_numbers_are_read(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    twilio.numbers = [number(f"49{index}") for index in range(5)]

    found = await rest.incoming_numbers()

    assert [entry.number for entry in found] == ["+490", "+491", "+492", "+493", "+494"]
    assert len(twilio.asked) == 3


async def test_a_numbers_webhook_is_found(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    twilio.numbers = [number("491"), number("492")]

    assert await rest.number_webhook("+492") == IncomingNumber(
        "PN492", "+492", "https://b.example/twilio/voice", "POST", "", "", ""
    )
    assert await rest.number_webhook("+493") is None


async def test_pages_are_fetched_from_nobody_else(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    """The account's credentials go to the configured origin only."""
    twilio.answer = (
        200,
        '{"incoming_phone_numbers": [], "next_page_uri": "http://192.0.2.1:9/steal?a=1"}',
    )

    await rest.incoming_numbers()

    assert {asked.path for asked in twilio.asked[1:]} == {"/steal"}


async def test_pages_end(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    twilio.answer = (200, '{"incoming_phone_numbers": [], "next_page_uri": "/again?Page=1"}')

    assert await rest.incoming_numbers() == ()
    assert len(twilio.asked) == 20


async def test_wrong_credentials_are_told_from_other_refusals(twilio: FakeTwilioRest) -> None:
    async with TwilioRest(ACCOUNT, "wrong-token", twilio.origin) as rest:
        with pytest.raises(CarrierError, match=r"credentials.*401, code 20003") as refused:
            await rest.incoming_numbers()

    assert "wrong-token" not in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [(500, "<html>oops</html>"), (429, '{"code": 20429}'), (302, ""), (400, '{"code": "+4930"}')],
)
async def test_a_refusal_is_an_error_without_secrets(
    twilio: FakeTwilioRest, rest: TwilioRest, answer: tuple[int, str]
) -> None:
    twilio.answer = answer

    for request in (rest.hang_up(CALL), rest.call_status(CALL), rest.number_webhook("+4930")):
        with pytest.raises(CarrierError, match=str(answer[0])) as refused:
            await request

        assert refused.value.fault is Fault.CARRIER
        assert not any(word in str(refused.value) for word in (CALL, TOKEN, ACCOUNT, "+4930"))


@pytest.mark.parametrize("body", ["", "[]", "[" * 5000, '{"incoming_phone_numbers": [7]}'])
async def test_nonsense_is_an_error(twilio: FakeTwilioRest, rest: TwilioRest, body: str) -> None:
    twilio.answer = (200, body)

    with pytest.raises(CarrierError, match="something else"):
        await rest.incoming_numbers()
    with pytest.raises(CarrierError, match="something else"):
        await rest.call_status(CALL)


async def test_an_endless_answer_is_not_read(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    twilio.answer = (200, " " * 5_000_000)

    with pytest.raises(CarrierError, match="too long"):
        await rest.call_status(CALL)


async def test_silence_has_an_end(twilio: FakeTwilioRest) -> None:
    twilio.silent = True

    async with TwilioRest(ACCOUNT, TOKEN, twilio.origin, timeout=0.2) as rest:
        with pytest.raises(CarrierError, match=r"did not answer in 0\.2 s"):
            await rest.hang_up(CALL)


async def test_nobody_there_is_an_error(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    await twilio.__aexit__()

    with pytest.raises(CarrierError, match="cannot be reached: Client"):
        await rest.hang_up(CALL)


async def test_a_request_may_be_cancelled(twilio: FakeTwilioRest, rest: TwilioRest) -> None:
    twilio.silent = True

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await rest.hang_up(CALL)

    twilio.silent = False
    assert await rest.call_status(CALL) == "in-progress"


async def test_the_token_is_not_in_a_repr() -> None:
    async with TwilioRest(ACCOUNT, TOKEN) as rest:
        assert TOKEN not in repr(rest)
        assert "https://api.twilio.com" in repr(rest)
