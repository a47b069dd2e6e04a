from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.audio.formats import (
    ALAW_8K,
    PCM16_8K,
    PCM16_16K,
    ULAW_8K,
    AudioChunk,
    AudioEncoding,
)
from bridge.errors import AudioFormatError, Fault, ServerError, SessionClosed, UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports import phrases
from bridge.ports import server_events as event
from bridge.ports.conversation import pressed
from bridge.ports.model import Applied, RequiresResumption, ToolResponse
from bridge.ports.server_events import Drop, ResponseStatus, Severity
from bridge.ports.session import RealtimeConfig, VadConfig
from bridge.providers.offline.dialogue import ANYTHING_ELSE, GOODBYE
from bridge.providers.offline.model import OfflineModel
from tests.providers.offline import sounds
from tests.providers.offline.talks import CLOCK, ENDING, Talk, talk

SHOP = RealtimeConfig(tools=(CLOCK, ENDING))


async def answer(call: Talk, output: Any) -> None:
    """The runner's part: answer the newest tool call and ask for a response."""
    asked = call.of(event.FunctionCallDone)[-1]
    await call.session.send_tool_response(ToolResponse(asked.call_id, output, asked.name))
    await call.session.create_response()


async def test_a_turn_is_heard_and_answered_in_a_providers_order() -> None:
    """Speech, transcript, response, tool, answer."""
    call = await talk(SHOP)
    call.say("question")
    await call.until(event.ResponseDone)
    await answer(call, "seven to six")
    await call.until(event.ResponseDone, 2)

    assert call.kinds() == [
        event.SessionCreated,
        event.SpeechStarted,
        event.SpeechStopped,
        event.AudioCommitted,
        event.ItemCreated,
        event.InputTranscriptDone,
        event.ResponseCreated,
        event.OutputItemAdded,
        event.TranscriptDelta,
        event.AudioDelta,
        event.TranscriptDone,
        event.AudioDone,
        event.OutputItemDone,
        event.OutputItemAdded,
        event.FunctionCallDelta,
        event.FunctionCallDone,
        event.OutputItemDone,
        event.ResponseDone,
        event.ResponseCreated,
        event.OutputItemAdded,
        *[event.TranscriptDelta, event.AudioDelta] * 2,
        event.TranscriptDone,
        event.AudioDone,
        event.OutputItemDone,
        event.ResponseDone,
    ]
    started, stopped = call.of(event.SpeechStarted)[0], call.of(event.SpeechStopped)[0]
    transcript = call.of(event.InputTranscriptDone)[0]
    assert started.item_id == stopped.item_id == transcript.item_id != ""
    assert 0 <= started.audio_start_ms < stopped.audio_end_ms
    assert transcript.transcript == "(speech, 2.5 s)"
    assert call.of(event.FunctionCallDone)[0].arguments == '{"day": "Saturday"}'
    assert call.words == f"One moment, please. | seven to six. {ANYTHING_ELSE}"
    assert {done.status for done in call.of(event.ResponseDone)} == {ResponseStatus.COMPLETED}


async def test_ids_are_the_sessions_own() -> None:
    """No two items of two sessions share one."""
    model = OfflineModel(pace=0.0, synthesise=False)
    calls = [await talk(SHOP, model=model) for _ in range(2)]
    for call in calls:
        call.say("question")
        await call.until(event.ResponseDone)

    ids = [[e.item_id for e in call.of(event.SpeechStarted)] for call in calls]
    ids += [[e.response_id for e in call.of(event.ResponseCreated)] for call in calls]
    ids += [[e.call_id for e in call.of(event.FunctionCallDone)] for call in calls]
    ids += [[e.item_id for e in call.of(event.TranscriptDone)] for call in calls]
    flat = [item for some in ids for item in some]
    assert len(flat) == len(set(flat)) == 8


async def test_the_caller_interrupts() -> None:
    """Speech cancels the response, and nothing of it comes after."""
    call = await talk()
    call.when(event.AudioDelta, lambda: call.hear(sounds.recorded("interruption")))
    await call.session.create_response(phrases.greet(f"Hello. {ANYTHING_ELSE}"))
    done = await call.until(event.ResponseDone)
    call.hear(sounds.hiss(1.0))
    await call.until(event.ResponseDone, 2)

    response_id = call.of(event.ResponseCreated)[0].response_id
    assert done == event.ResponseDone(response_id, ResponseStatus.CANCELLED, "turn_detected")
    assert call.of(event.Interrupted) == [event.Interrupted(response_id)]
    at = call.events.index(done)
    assert [type(e) for e in call.events[at - 3 : at]] == [
        event.SpeechStarted,
        event.Interrupted,
        event.ResumptionToken,
    ]
    assert all(getattr(e, "response_id", "") != response_id for e in call.events[at + 1 :])
    assert call.words == f"I heard you speak for two seconds. {ANYTHING_ELSE}"


async def test_speech_before_the_response_is_created_leaves_no_trace_of_it() -> None:
    """Nobody was told of it, so nobody is told of its end."""
    call = await talk()
    await call.session.create_response(phrases.say("Hello."))
    call.hear(sounds.recorded("yes"))
    await asyncio.sleep(0)

    assert call.kinds() == [event.SessionCreated, event.SpeechStarted]


async def test_a_polite_agent_finishes_first() -> None:
    """Without interruption, a turn during a response is answered after it."""
    call = await talk(RealtimeConfig(turn_detection=VadConfig(interrupt_response=False)))
    call.when(event.AudioDelta, lambda: call.say("interruption"))
    await call.session.create_response(phrases.say("Hello."))
    await call.until(event.ResponseDone, 2)

    assert {done.status for done in call.of(event.ResponseDone)} == {ResponseStatus.COMPLETED}
    assert call.words == f"Hello. | I heard you speak for two seconds. {ANYTHING_ELSE}"


async def test_what_was_heard_of_an_answer_is_remembered() -> None:
    """By the phrase; more than was sent, or of an unknown item, cannot have been heard."""
    call = await talk()
    await call.session.create_response(phrases.say(GOODBYE + " Hello again."))
    done = await call.until(event.TranscriptDone)
    await call.session.send_event(client.ItemTruncate("item-of-somebody-else", 100))
    await call.session.send_event(client.ItemTruncate(done.item_id, 60_000))
    untouched = call.session.remembered.last
    await call.session.send_event(client.ItemTruncate(done.item_id, 2000))

    unknown, too_long = call.of(event.Error)
    assert (unknown.error.code, unknown.severity) == (
        "item_truncate_invalid_item_id",
        Severity.HARMLESS,
    )
    assert (too_long.error.code, too_long.severity) == ("invalid_value", Severity.RETRY)
    assert untouched == f"{GOODBYE} Hello again."
    assert call.session.remembered.last == GOODBYE


async def test_an_older_item_does_not_change_what_was_said_last() -> None:
    """A late truncation is believed, and is not the newest."""
    call = await talk()
    await call.session.create_response(phrases.say("Hello again."))
    first = await call.until(event.ResponseDone)
    item_id = call.of(event.TranscriptDone)[0].item_id
    await call.session.create_response(phrases.say("Thank you."))
    await call.until(event.ResponseDone, 2)

    await call.session.send_event(client.ItemTruncate(item_id, 0))

    assert first.status is ResponseStatus.COMPLETED
    assert call.session.remembered.last == "Thank you."
    assert not call.of(event.Error)


async def test_one_response_at_a_time() -> None:
    """The second is refused in words that a runner understands."""
    call = await talk()
    await call.session.create_response(phrases.say("Hello."))
    await call.session.create_response(phrases.say("Goodbye."))
    await call.until(event.ResponseDone)

    (error,) = call.of(event.Error)
    assert error.refused_response
    assert error.error.code == "conversation_already_has_active_response"
    assert call.words == "Hello."


async def test_we_interrupt() -> None:
    """On request, with the provider's word for it; with nothing under way it is an error."""
    call = await talk()
    await call.session.interrupt()
    await call.session.create_response(phrases.greet(GOODBYE))
    await call.until(event.AudioDelta)
    await call.session.interrupt()

    (error,) = call.of(event.Error)
    assert error.error.code == "response_cancel_not_active"
    assert call.of(event.ResponseDone)[0].reason == "client_cancelled"


async def test_turns_by_hand() -> None:
    """Without detection, audio is committed, and answered when a response is asked for."""
    call = await talk(RealtimeConfig(turn_detection=VadConfig.disabled()))
    call.say("question")
    await call.session.commit_audio()
    await call.session.commit_audio()
    before = call.kinds()
    await call.session.create_response()
    await call.until(event.ResponseDone)

    assert before == [
        event.SessionCreated,
        event.AudioCommitted,
        event.ItemCreated,
        event.InputTranscriptDone,
        event.Error,
    ]
    assert call.of(event.Error)[0].error.code == "input_audio_buffer_commit_empty"
    assert call.words == f"I heard you speak for four seconds. {ANYTHING_ELSE}"


async def test_audio_can_be_cleared() -> None:
    """A turn that has begun is forgotten, and there is nothing left to commit."""
    call = await talk()
    call.hear(sounds.recorded("thanks"))
    await call.session.clear_audio()
    await call.session.commit_audio()
    call.hear(sounds.hiss(1.0))

    assert call.kinds() == [
        event.SessionCreated,
        event.SpeechStarted,
        event.AudioCleared,
        event.Error,
    ]


async def test_keys_are_told_as_messages() -> None:
    """The bridge's sentence for keys is answered at once if it is asked to be."""
    call = await talk()
    await call.session.send_event(client.Message("user", pressed("8"), respond=True))
    await call.until(event.ResponseDone)
    await call.session.send_event(client.Message("user", pressed("42#"), respond=True))
    await call.until(event.ResponseDone, 2)
    await call.session.send_text(pressed("7"))
    await call.session.send_event(client.ResponseCreate())
    await call.until(event.ResponseDone, 3)

    assert call.words == (
        "Please press the digits of your code. | Thank you. I will remember it. | "
        "Your code is 4, 2. You have spoken three times in this call."
    )


async def test_an_unknown_tool_call_cannot_be_answered() -> None:
    """It is an error, and the session goes on."""
    call = await talk()
    await call.session.send_tool_response(ToolResponse("call-0", "?"))

    assert call.of(event.Error)[0].error.code == "tool_call_not_found"


async def test_tool_choice_none_is_obeyed() -> None:
    """The tools are known and not called."""
    call = await talk(RealtimeConfig(tools=(CLOCK,), tool_choice="none"))
    call.say("yes")
    await call.until(event.ResponseDone)

    assert call.of(event.FunctionCallDone) == []


async def test_text_only() -> None:
    """A session without a voice says the same in writing."""
    call = await talk(RealtimeConfig(modalities=("text",)))
    await call.session.create_response(phrases.say("Hello."))
    done = await call.until(event.TextDone)

    assert done.text == "Hello."
    assert call.of(event.AudioDelta) == []


@pytest.mark.parametrize(
    ("encoding", "rate"),
    [
        (AudioEncoding.G711_ALAW, 24_000),
        (AudioEncoding.PCM16, 8_000),
        (AudioEncoding.PCM16, 16_000),
        (AudioEncoding.PCM16, 24_000),
    ],
)
async def test_every_format_is_heard_and_spoken(encoding: AudioEncoding, rate: int) -> None:
    """And the voice lasts as long in each of them."""
    config = RealtimeConfig(input_audio_format=encoding, output_audio_format=encoding)
    call = await talk(config, model=OfflineModel(pace=0.0, synthesise=False, pcm_rate=rate))
    telephone = await talk()
    for each in (call, telephone):
        each.say("yes")
        await each.until(event.ResponseDone)

    def lasts(each: Talk) -> float:
        size = sum(len(delta.delta) for delta in each.of(event.AudioDelta))
        return each.session.output_format.duration_ms(size)

    assert call.words == telephone.words
    assert lasts(call) == pytest.approx(lasts(telephone), abs=6)
    assert max(len(e.delta) for e in call.of(event.AudioDelta)) == (
        call.session.output_format.size(100)
    )


async def test_audio_comes_in_three_ways() -> None:
    """As a chunk, as base64, and as a client event in any format."""
    call = await talk()
    speech = sounds.audio(sounds.on_a_line(sounds.recorded("yes")), ULAW_8K)
    third = len(speech) // 3 // 160 * 160
    await call.session.send_audio(AudioChunk(speech[:third], ULAW_8K))
    chunk = AudioChunk(speech[third : 2 * third], ULAW_8K)
    await call.session.send_audio_base64(chunk.to_base64())
    linear = sounds.audio(sounds.on_a_line(sounds.recorded("yes")), PCM16_16K)[4 * third :]
    for piece in sounds.frames(linear, PCM16_16K):
        await call.session.send_event(client.AudioDelta(piece, PCM16_16K))
    await call.until(event.SpeechStopped)

    assert len(call.of(event.SpeechStarted)) == 1
    with pytest.raises(AudioFormatError):
        await call.session.send_audio(AudioChunk(b"\xd5", ALAW_8K))
    with pytest.raises(AudioFormatError):
        await call.session.send_audio_base64("not base64")


@pytest.mark.parametrize(
    "foreign",
    [
        client.SessionUpdate({}),
        client.ConversationItemCreate({}),
        client.UpdateSession(RealtimeConfig()),
    ],
)
async def test_words_of_others_are_refused(foreign: client.ClientEvent) -> None:
    """OpenAI's own objects, and what is the runner's to do."""
    call = await talk()

    with pytest.raises(UnsupportedConfig, match=type(foreign).__name__):
        await call.session.send_event(foreign)


async def test_a_live_session_can_be_changed() -> None:
    """Tools and manners hold from the next turn on."""
    call = await talk()
    change = RealtimeConfig(tools=(CLOCK,), extra={"offline": {"goodbye_after": 0}})

    outcome = await call.session.mutate_context(change)
    call.say("yes")
    await call.until(event.ResponseDone)

    assert outcome == Applied()
    assert call.of(event.SessionUpdated)[0].session["fields"] == ["extra", "tools"]
    assert [done.name for done in call.of(event.FunctionCallDone)] == ["opening_hours"]


async def test_a_change_may_need_a_new_session() -> None:
    """Of the format always, of anything where the model was made so."""
    rigid = await talk(model=OfflineModel(native_updates=False, synthesise=False))
    supple = await talk()
    instruction = RealtimeConfig(instruction="Be brief.")
    louder = RealtimeConfig(output_audio_format=AudioEncoding.PCM16)

    assert await rigid.session.mutate_context(instruction) == RequiresResumption()
    assert await supple.session.mutate_context(instruction) == Applied()
    assert await supple.session.mutate_context(louder) == RequiresResumption()
    assert PCM16_8K != supple.session.output_format == ULAW_8K


async def test_a_change_that_makes_no_sense_is_refused() -> None:
    """With the name of what is wrong."""
    call = await talk()

    with pytest.raises(ServerError, match="goodbye"):
        await call.session.mutate_context(RealtimeConfig(extra={"offline": {"goodbye": 1}}))


async def test_patience_can_be_changed_in_mid_turn() -> None:
    """The turn goes on, and ends by the new rule."""
    call = await talk()
    call.hear(sounds.recorded("yes"))
    vad = VadConfig(silence_duration_ms=200)

    await call.session.mutate_context(RealtimeConfig(turn_detection=vad))
    call.hear(sounds.hiss(0.3))

    assert len(call.of(event.SpeechStopped)) == 1


@pytest.mark.parametrize(
    ("drop", "fault"),
    [(Drop.LOST, Fault.PROVIDER), (Drop.EXPIRED, Fault.PROVIDER), (Drop.REFUSED, Fault.PROVIDER)],
)
async def test_faults_on_demand(drop: Drop, fault: Fault) -> None:
    """The last event says what it was, and then the session is over for everybody."""
    call = await talk()
    await call.session.create_response(phrases.greet(GOODBYE))
    await call.until(event.AudioDelta)

    call.session.drop(drop)
    call.session.drop(Drop.LOST)
    call.say("yes")
    told = len(call.events)
    await asyncio.sleep(0)

    last = call.events[-1]
    assert isinstance(last, event.Disconnected)
    assert (last.drop, last.fault) == (drop, fault)
    assert len(call.events) == told
    assert not call.session.is_connected
    with pytest.raises(SessionClosed):
        await call.session.create_response()
    with pytest.raises(SessionClosed):
        await call.session.mutate_context(RealtimeConfig())
    with pytest.raises(SessionClosed):
        await call.session.send_audio(AudioChunk(b"", ULAW_8K))
    with pytest.raises(SessionClosed):
        await call.session.send_tool_response()


async def test_closing_is_nobodys_fault_and_may_be_repeated() -> None:
    """It ends the iteration too."""
    session = await OfflineModel(synthesise=False).connect(RealtimeConfig())
    await session.close()
    await session.close()

    told = [happened async for happened in session.events()]

    assert told[-1] == event.Disconnected(Drop.CLOSED, Fault.NOBODY, detail="offline: closed")
    assert await session.next_event() is None


async def test_a_session_goes_away_when_it_said() -> None:
    """First the warning, then the end."""
    call = await talk()

    call.session.go_away(0.01)
    last = await call.until(event.Disconnected)

    assert call.of(event.GoingAway) == [event.GoingAway(0.01)]
    assert last.drop is Drop.EXPIRED
    call.session.go_away(0.01)
    assert len(call.of(event.GoingAway)) == 1


async def test_a_listener_may_end_the_session_at_any_event() -> None:
    """Nothing is told behind the end."""
    kinds: tuple[type[event.ServerEvent], ...] = (
        event.SpeechStarted,
        event.SpeechStopped,
        event.AudioCommitted,
        event.ResponseCreated,
        event.AudioDelta,
        event.FunctionCallDone,
        event.ResponseDone,
    )
    for kind in kinds:
        call = await talk(SHOP)
        call.when(kind, call.session.drop)
        call.say("question")
        await call.until(event.Disconnected)
        await asyncio.sleep(0)

        assert isinstance(call.events[-1], event.Disconnected)
        assert len(call.of(event.Disconnected)) == 1
