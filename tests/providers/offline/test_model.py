from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from bridge.audio.formats import PCM16_24K, ULAW_8K
from bridge.errors import AudioFormatError, ConnectError, ResumptionRefused, UnsupportedConfig
from bridge.ports import phrases
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, ToolUsed, pressed
from bridge.ports.model import Memory, RealtimeModel, RealtimeSession, Resumption, ToolResponse
from bridge.ports.server_events import Drop
from bridge.ports.session import RealtimeConfig
from bridge.providers.offline.model import OfflineModel
from tests.providers.offline import sounds
from tests.providers.offline.talks import CLOCK, ENDING, Talk, talk

SHOP = RealtimeConfig(tools=(CLOCK, ENDING))
RECITED = "Your code is 4, 2. You have spoken {} times in this call."


async def press(call: Talk, keys: str) -> None:
    done = len(call.of(event.ResponseDone))
    await call.session.send_event(Message("user", pressed(keys), respond=True))
    await call.until(event.ResponseDone, done + 1)


async def test_it_stands_behind_the_door() -> None:
    """A RealtimeModel that makes RealtimeSessions, and says what it is."""
    model: RealtimeModel = OfflineModel(overlaps_sessions=False)
    session: RealtimeSession = await model.connect(RealtimeConfig())

    assert (model.provider, model.model_id) == ("offline", "offline")
    assert (model.overlaps_sessions, model.responds_to_tools) == (False, False)
    assert ULAW_8K in model.supported_input_formats
    assert PCM16_24K in model.supported_output_formats
    assert (session.input_format, session.output_format) == (ULAW_8K, ULAW_8K)
    assert session.memory is Memory.NONE
    assert session.expires_in is None
    assert session.is_connected
    assert session.session_id
    await session.close()


async def test_a_token_resumes_in_another_process() -> None:
    """New objects that share nothing but the token know the call."""
    before = await talk(SHOP)
    await press(before, "842#")
    token = before.token
    before.session.drop()
    after = await talk(SHOP, Resumption(token))
    await press(after, "7")

    assert after.session.memory is Memory.NATIVE
    assert after.words == RECITED.format("two")


async def test_a_history_is_replayed() -> None:
    """Where there is no token."""
    history: list[HistoryItem] = [
        AgentSaid("Hello."),
        CallerSaid("(speech, 2.1 s)"),
        ToolUsed("call-1", "opening_hours", '{"day": "Saturday"}', '"seven"'),
        CallerSaid(pressed("842#")),
    ]
    call = await talk(SHOP, Resumption(history=history))
    await press(call, "7")
    call.say("yes")
    await call.until(event.FunctionCallDone)

    assert call.session.memory is Memory.REPLAYED
    assert call.words == RECITED.format("three")
    assert call.of(event.FunctionCallDone)[0].arguments == '{"day": "Sunday"}'


async def test_a_strange_token_is_refused_and_a_history_does() -> None:
    """As with a provider that has forgotten the session."""
    model = OfflineModel(pace=0.0, synthesise=False)
    with pytest.raises(ResumptionRefused):
        await model.connect(SHOP, Resumption("sess_unknown", [CallerSaid("(speech, 1.0 s)")]))

    session = await model.connect(SHOP, Resumption(None, [CallerSaid("(speech, 1.0 s)")]))

    assert session.memory is Memory.REPLAYED
    assert session.remembered.turns == 1


async def test_a_model_without_tokens_replays() -> None:
    """It gives none, and takes none."""
    model = OfflineModel(pace=0.0, synthesise=False, resumable=False)
    call = await talk(SHOP, Resumption("anything", [CallerSaid("(speech, 1.0 s)")]), model)
    call.say("yes")
    await call.until(event.ResponseDone)

    assert call.of(event.ResumptionToken) == []
    assert call.session.memory is Memory.REPLAYED


async def test_the_token_is_taken_back_while_a_tool_runs() -> None:
    """A new session would not know of the call; with the answer there is a token again."""
    call = await talk(SHOP)
    call.say("question")
    asked = await call.until(event.FunctionCallDone)
    await call.until(event.ResponseDone)
    while_asking = call.token
    await call.session.send_tool_response(ToolResponse(asked.call_id, "seven to six"))
    await call.session.create_response()
    await call.until(event.ResponseDone, 2)

    assert while_asking is None
    assert call.token is not None


async def test_a_cut_answer_is_taken_up() -> None:
    """A session that is lost in mid-answer leaves a token with which the next one goes on."""
    call = await talk(SHOP)
    call.say("question")
    asked = await call.until(event.FunctionCallDone)
    await call.until(event.ResponseDone)
    await call.session.send_tool_response(ToolResponse(asked.call_id, "seven to six"))
    call.when(event.AudioDelta, call.session.drop)
    await call.session.create_response()
    await call.until(event.Disconnected)
    following = await talk(SHOP, Resumption(call.token))
    await following.session.create_response(phrases.GO_ON)
    await following.until(event.ResponseDone)

    assert following.words.startswith("We were cut off. seven to six.")


async def test_connects_fail_on_demand() -> None:
    """In the order of the errors, and then no more."""
    model = OfflineModel(synthesise=False)
    model.refuse(ConnectError("busy", retry_after=1.0), ResumptionRefused("gone"))

    with pytest.raises(ConnectError, match="busy"):
        await model.connect(SHOP)
    with pytest.raises(ResumptionRefused, match="gone"):
        await model.connect(SHOP)
    assert (await model.connect(SHOP)).is_connected


async def test_a_short_life_is_announced() -> None:
    """`expires_in` says it from the beginning, GoingAway before the end."""
    model = OfflineModel(lifetime=0.05, warning=0.02, synthesise=False)
    call = await talk(model=model)
    last = await call.until(event.Disconnected)

    assert call.session.expires_in == 0.05
    assert call.of(event.GoingAway) == [event.GoingAway(0.02)]
    assert last.drop is Drop.EXPIRED


async def test_wrong_settings_are_refused() -> None:
    """Of the configuration and of the model."""
    with pytest.raises(UnsupportedConfig, match="patience"):
        await OfflineModel().connect(RealtimeConfig(extra={"offline": {"patience": 1}}))
    with pytest.raises(AudioFormatError):
        OfflineModel(pcm_rate=44_100)


async def test_other_recordings_may_be_used(tmp_path: Path) -> None:
    """A folder of phrases in the agent's own voice, or another language."""
    (tmp_path / "grüezi.ulaw").write_bytes(b"\x42" * 800)
    model = OfflineModel(pace=0.0, synthesise=False, prompts=tmp_path)
    call = await talk(model=model)
    await call.session.create_response(phrases.say("Grüezi"))
    await call.until(event.ResponseDone)

    assert [delta.delta for delta in call.of(event.AudioDelta)] == [b"\x42" * 800]


def flite(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A synthesiser of this name on PATH, which writes a tone when the script lets it."""
    from bridge.audio.wav import write_wav  # here, where it is needed

    write_wav(folder / "tone.wav", 8_000, sounds.audio(sounds.tones(0.3, 400)))
    program = folder / "flite"
    program.write_text(f'#!/bin/sh\n{script}\n/bin/cp "{folder}/tone.wav" "$6"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


async def test_words_without_a_recording_are_synthesised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a thread, once; afterwards they are known."""
    flite(tmp_path, monkeypatch, f'echo "$4" >> "{tmp_path}/told"')
    call = await talk(model=OfflineModel(pace=0.0))
    for number in (1, 2):
        await call.session.create_response(phrases.say("Hello Zanzibar."))
        await call.until(event.ResponseDone, number)

    assert call.words == "Hello Zanzibar. | Hello Zanzibar."
    assert (tmp_path / "told").read_text() == "zanzibar\n"
    assert threading.current_thread() is threading.main_thread()


async def test_the_caller_speaks_before_the_words_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there is no response, and no other is refused."""
    flite(tmp_path, monkeypatch, f'while [ ! -e "{tmp_path}/go" ]; do :; done')
    call = await talk(model=OfflineModel(pace=0.0))
    await call.session.create_response(phrases.say("Zanzibar."))
    await call.session.create_response(phrases.say("Hello."))
    call.hear(sounds.recorded("yes"))
    (tmp_path / "go").touch()
    call.hear(sounds.hiss(1.0))
    await call.until(event.ResponseDone)

    assert [error.refused_response for error in call.of(event.Error)] == [True]
    assert "Zanzibar" not in call.words
    assert len(call.of(event.ResponseCreated)) == 1


async def test_many_sessions_share_one_model() -> None:
    """Each has its own memory."""
    model = OfflineModel(pace=0.0, synthesise=False)
    calls = await asyncio.gather(*(talk(SHOP, model=model) for _ in range(5)))
    await press(calls[0], "842#")

    assert [call.session.remembered.code for call in calls] == ["42", "", "", "", ""]
