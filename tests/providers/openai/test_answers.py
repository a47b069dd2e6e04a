"""A live session changes by what changes, and every change gets its own answer."""

from __future__ import annotations

import asyncio

import pytest

from bridge.audio.formats import AudioEncoding
from bridge.errors import ServerError, SessionClosed
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.model import Applied, RequiresResumption
from bridge.ports.session import RealtimeConfig, ToolDefinition
from tests.fakes.openai_realtime import (
    Raise,
    Script,
)
from tests.providers.openai.line import connected


async def test_a_change_is_sent_alone_and_confirmed() -> None:
    """Only what changes goes out: resending the rest would be refused."""
    async with connected(Script(updated_delay=0.01)) as call:
        await call.session.create_response()
        await call.until(event.ResponseDone)
        tools = (ToolDefinition("hours"),)
        outcome = await call.session.mutate_context(RealtimeConfig(instruction="New.", tools=tools))
        session = dict(call.served.session)

    assert outcome == Applied()
    assert call.served.said("session.update")[-1]["session"] == {
        "type": "realtime",
        "instructions": "New.",
        "tools": [{"type": "function", "name": "hours"}],
    }
    assert (session["instructions"], session["audio"]["output"]["voice"]) == ("New.", "cedar")


@pytest.mark.parametrize("named", [True, False])
async def test_a_refused_change(named: bool) -> None:
    """The error is the answer, whether or not it says so, and the session lives."""
    script = Script(refuse_updates=[None, Raise("unknown_parameter")], name_refused=named)
    async with connected(script) as call:
        with pytest.raises(ServerError) as caught:
            await call.session.mutate_context(RealtimeConfig(instruction="New."))
        again = await call.session.mutate_context(RealtimeConfig(instruction="Newer."))

    assert caught.value.code == "unknown_parameter"
    assert again == Applied()
    assert call.served.session["instructions"] == "Newer."


async def test_changes_are_made_one_after_another() -> None:
    """Each is confirmed before the next is sent, and each gets its own answer."""
    script = Script(refuse_updates=[None, None, Raise("x")], name_refused=False, updated_delay=0.01)
    async with connected(script) as call:
        changes = [RealtimeConfig(instruction=str(number)) for number in range(3)]
        outcomes = await asyncio.gather(
            *(call.session.mutate_context(change) for change in changes), return_exceptions=True
        )

    assert [type(outcome) for outcome in outcomes] == [Applied, ServerError, Applied]
    assert call.served.session["instructions"] == "2"


async def test_an_error_that_answers_something_else_answers_no_change() -> None:
    """A harmless race while a change is under way."""
    async with connected(Script(updated_delay=0.05)) as call:
        change = asyncio.create_task(call.session.mutate_context(RealtimeConfig(instruction="x")))
        await call.served.until(lambda: len(call.served.said("session.update")) == 2)
        await call.session.interrupt()
        outcome = await change

    assert outcome == Applied()
    assert call.served.errors == ["response_cancel_not_active"]


async def test_a_change_that_was_given_up_keeps_its_place() -> None:
    """Its late confirmation is not taken for the next one's."""
    async with connected(
        Script(updated_delay=0.05, refuse_updates=[None, None, Raise("x")])
    ) as call:
        first = asyncio.create_task(call.session.mutate_context(RealtimeConfig(instruction="1")))
        await call.served.until(lambda: len(call.served.said("session.update")) == 2)
        first.cancel()
        await asyncio.wait([first])
        with pytest.raises(ServerError):
            await call.session.mutate_context(RealtimeConfig(instruction="2"))


async def test_an_update_in_the_provider_s_own_words_counts_too() -> None:
    """It is confirmed like any other, and its confirmation is its own."""
    script = Script(updated_delay=0.01, refuse_updates=[None, None, Raise("x")])
    async with connected(script) as call:
        await call.session.send_event(client.SessionUpdate({"instructions": "Own."}))
        with pytest.raises(ServerError):
            await call.session.mutate_context(RealtimeConfig(instruction="Refused."))

    assert call.served.session["instructions"] == "Own."


async def test_the_voice_before_and_after_it_was_heard() -> None:
    """Before, it changes; afterwards only a new session can have another."""
    async with connected() as call:
        before = await call.session.mutate_context(RealtimeConfig(voice="marin"))
        await call.session.create_response()
        await call.until(event.ResponseDone)
        sent = len(call.served.said("session.update"))
        after = await call.session.mutate_context(RealtimeConfig(voice="cedar"))
        same = await call.session.mutate_context(RealtimeConfig(voice="marin"))

    assert (before, after, same) == (Applied(), RequiresResumption(), Applied())
    assert len(call.served.said("session.update")) == sent
    assert call.served.errors == []


async def test_a_voice_that_was_fixed_while_we_asked() -> None:
    """The provider knows better; its refusal is a RequiresResumption too."""
    async with connected(Script(refuse_updates=[None, Raise("cannot_update_voice")])) as call:
        assert await call.session.mutate_context(RealtimeConfig(voice="marin")) == (
            RequiresResumption()
        )


async def test_another_format_needs_another_session() -> None:
    """Nothing is sent."""
    async with connected() as call:
        change = RealtimeConfig(input_audio_format=AudioEncoding.PCM16)
        outcome = await call.session.mutate_context(change)

    assert outcome == RequiresResumption()
    assert call.served.kinds == ["session.update"]


async def test_a_change_that_the_end_overtakes() -> None:
    """Nobody waits for an answer that cannot come."""
    async with connected() as call:
        call.served.script.updated_delay = None
        change = asyncio.create_task(call.session.mutate_context(RealtimeConfig(instruction="x")))
        await call.served.until(lambda: len(call.served.said("session.update")) == 2)
        call.served.drop(1006)
        with pytest.raises(SessionClosed):
            await change
