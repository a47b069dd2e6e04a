"""A session is configured, and knows the conversation, before anybody gets it."""

from __future__ import annotations

import asyncio
import time

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bridge.audio.formats import ALAW_8K, PCM16_24K, ULAW_8K, AudioEncoding
from bridge.errors import AuthError, ConnectError, UnsupportedConfig
from bridge.ports import server_events as event
from bridge.ports.conversation import AgentSaid, CallerSaid, Note, ToolUsed
from bridge.ports.model import Memory, RealtimeModel, Resumption
from bridge.ports.session import RealtimeConfig, VadConfig
from bridge.providers.openai import AZURE, Dialect, OpenAIRealtimeModel
from tests.fakes.openai_realtime import Drop, FakeOpenAI, Raise, Script

CONFIG = RealtimeConfig(instruction="A bakery.", voice="cedar", turn_detection=VadConfig())
HISTORY = Resumption(
    history=[
        CallerSaid("When do you open?"),
        ToolUsed("call_1", "hours", "{}", '"seven"'),
        AgentSaid("At seven."),
        Note("The oven is broken."),
    ]
)


def model(fake: FakeOpenAI, **options: float) -> OpenAIRealtimeModel:
    return OpenAIRealtimeModel("key", base_url=fake.url, **options)  # type: ignore[arg-type]


def test_it_stands_behind_the_door() -> None:
    """The type checker agrees that this is a RealtimeModel."""
    door: RealtimeModel = OpenAIRealtimeModel("key")

    assert door.supports_realtime


async def test_a_session_is_confirmed_before_it_is_given() -> None:
    """One update after `session.created`, and nothing before its confirmation."""
    async with FakeOpenAI(Script(created_delay=0.02, updated_delay=0.02)) as fake:
        session = await model(fake).connect(CONFIG)
        served = fake.sessions[0]
        kinds, configured = list(served.kinds), dict(served.session)
        await session.close()

    assert kinds == ["session.update"]
    assert configured["instructions"] == "A bakery."
    assert configured["audio"]["output"]["voice"] == "cedar"
    assert session.session_id == configured["id"]
    assert session.memory is Memory.NONE
    assert served.headers["Authorization"] == "Bearer key"
    assert served.model == "gpt-realtime"


@pytest.mark.parametrize(
    ("encoding", "format", "words"),
    [
        (None, PCM16_24K, {"type": "audio/pcm", "rate": 24_000}),
        (AudioEncoding.G711_ULAW, ULAW_8K, {"type": "audio/pcmu"}),
        (AudioEncoding.G711_ALAW, ALAW_8K, {"type": "audio/pcma"}),
    ],
)
async def test_formats(encoding: AudioEncoding | None, format: object, words: object) -> None:
    """Both are always said; PCM16 at 24 kHz where nobody asked for another."""
    config = RealtimeConfig(input_audio_format=encoding, output_audio_format=encoding)
    async with FakeOpenAI() as fake:
        session = await model(fake).connect(config)
        audio = fake.sessions[0].said("session.update")[0]["session"]["audio"]
        await session.close()

    assert (session.input_format, session.output_format) == (format, format)
    assert (audio["input"]["format"], audio["output"]["format"]) == (words, words)


async def test_when_a_session_ends_is_known_from_its_beginning() -> None:
    """By the wall clock of the provider, as seconds from now."""
    async with FakeOpenAI(Script(expires_in=3_600)) as fake:
        session = await model(fake).connect(CONFIG)
        await session.close()

    assert session.expires_in == pytest.approx(3_600, abs=60)


async def test_a_new_session_is_told_the_conversation() -> None:
    """Hushed first, told, woken again; and given away when all of that is confirmed."""
    async with FakeOpenAI(Script(updated_delay=0.01)) as fake:
        session = await model(fake).connect(CONFIG, HISTORY)
        served = fake.sessions[0]
        await session.close()

    updates = [update["session"] for update in served.said("session.update")]
    hushed, woken = (update["audio"]["input"]["turn_detection"] for update in updates)
    assert served.kinds == ["session.update", *["conversation.item.create"] * 5, "session.update"]
    assert hushed["create_response"] is False
    assert woken["create_response"] is True
    assert served.session["audio"]["input"]["turn_detection"]["create_response"] is True
    assert [item["type"] for item in served.conversation.items] == [
        "message",
        "function_call",
        "function_call_output",
        "message",
        "message",
    ]
    assert session.memory is Memory.REPLAYED


async def test_the_provider_s_own_turn_detection_comes_back() -> None:
    """Where the configuration says nothing of it, what was the default is again."""
    async with FakeOpenAI() as fake:
        session = await model(fake).connect(RealtimeConfig(), HISTORY)
        served = fake.sessions[0]
        await session.close()

    detection = served.session["audio"]["input"]["turn_detection"]
    assert (detection["silence_duration_ms"], detection["create_response"]) == (200, True)


async def test_no_turn_detection_stays_none() -> None:
    """Whoever commits by hand is not surprised by a detection after a handover."""
    config = RealtimeConfig(turn_detection=VadConfig.disabled())
    async with FakeOpenAI() as fake:
        session = await model(fake).connect(config, HISTORY)
        served = fake.sessions[0]
        await session.close()

    assert served.session["audio"]["input"]["turn_detection"] is None


async def test_a_token_is_of_no_use_here() -> None:
    """The protocol resumes nothing; without a history nothing is remembered."""
    async with FakeOpenAI() as fake:
        session = await model(fake).connect(CONFIG, Resumption(token="another vendor's"))
        await session.close()

    assert session.memory is Memory.NONE


async def test_what_happened_meanwhile_is_not_lost() -> None:
    """The first events wait for whoever asks for them."""
    async with FakeOpenAI() as fake:
        session = await model(fake).connect(CONFIG)
        first = await session.next_event()
        await session.close()

    assert isinstance(first, event.SessionCreated)


async def test_azure() -> None:
    """Its path, its header, the deployment as the model."""
    async with FakeOpenAI(key="azure key") as fake:
        base = fake.url.removesuffix("/v1")
        azure = OpenAIRealtimeModel("azure key", "deployment", base_url=base, dialect=AZURE)
        session = await azure.connect(CONFIG)
        served, path = fake.sessions[0], fake.requests[0].path
        await session.close()

    assert path == "/openai/v1/realtime?model=deployment"
    assert "Authorization" not in served.headers


async def test_a_dialect_may_write_sessions_its_own_way() -> None:
    """Room for a vendor who wants one more field, or another place for one."""
    dialect = Dialect("other", "", session=lambda words: {**words, "truncation": "disabled"})
    async with FakeOpenAI() as fake:
        other = OpenAIRealtimeModel("k", base_url=fake.url, dialect=dialect)
        session = await other.connect(CONFIG)
        served = fake.sessions[0]
        await session.close()

    assert served.session["truncation"] == "disabled"


async def test_more_headers() -> None:
    """For what a vendor recommends, such as a safety identifier."""
    async with FakeOpenAI() as fake:
        speaker = OpenAIRealtimeModel(
            "k", base_url=fake.url, headers={"OpenAI-Safety-Identifier": "hash"}
        )
        session = await speaker.connect(CONFIG)
        await session.close()

    assert fake.sessions[0].headers["OpenAI-Safety-Identifier"] == "hash"


# Not getting ready.


async def test_what_cannot_be_said_is_refused_before_dialling() -> None:
    """Nobody is called for a configuration that has no words."""
    async with FakeOpenAI() as fake:
        with pytest.raises(UnsupportedConfig, match="temperature"):
            await model(fake).connect(RealtimeConfig(temperature=0.5))

    assert fake.requests == []


async def test_a_wrong_key() -> None:
    """401 is the operator's to mend."""
    async with FakeOpenAI(key="another") as fake:
        with pytest.raises(AuthError):
            await model(fake).connect(CONFIG)


async def test_a_provider_that_is_busy() -> None:
    """It says when to come again."""
    async with FakeOpenAI(Script(refuse=429, retry_after=3)) as fake:
        with pytest.raises(ConnectError) as caught:
            await model(fake).connect(CONFIG)

    assert (caught.value.retryable, caught.value.retry_after) == (True, 3)


@pytest.mark.parametrize("named", [True, False])
async def test_a_refused_configuration(named: bool) -> None:
    """The error tells the provider's code and none of our words, and trying again is no use."""
    script = Script(refuse_updates=[Raise("unknown_parameter")], name_refused=named)
    async with FakeOpenAI(script) as fake:
        with pytest.raises(ConnectError, match="unknown_parameter") as caught:
            await model(fake).connect(CONFIG)

    assert not caught.value.retryable
    assert "bakery" not in str(caught.value)


@pytest.mark.parametrize("named", [True, False])
async def test_a_refused_piece_of_history(named: bool) -> None:
    """A session that would not know the conversation is not given away."""
    script = Script(refuse_items=[None, Raise("invalid_value")], name_refused=named)
    async with FakeOpenAI(script) as fake:
        with pytest.raises(ConnectError, match="invalid_value"):
            await model(fake).connect(CONFIG, HISTORY)


async def test_an_account_without_credit() -> None:
    """Whether at the door or just behind it: an AuthError."""
    script = Script(refuse_updates=[Raise("insufficient_quota", "insufficient_quota")])
    async with FakeOpenAI(script) as fake:
        with pytest.raises(AuthError, match="insufficient_quota"):
            await model(fake).connect(CONFIG)


async def test_a_passing_error() -> None:
    """The server's own fault is worth another try."""
    script = Script(refuse_updates=[Raise(None, "server_error")])
    async with FakeOpenAI(script) as fake:
        with pytest.raises(ConnectError) as caught:
            await model(fake).connect(CONFIG)

    assert caught.value.retryable


@pytest.mark.parametrize(
    "script", [Script(created_delay=None), Script(updated_delay=None)], ids=["created", "updated"]
)
async def test_a_provider_that_does_not_become_ready(script: Script) -> None:
    """There is one deadline for everything."""
    async with FakeOpenAI(script) as fake:
        began = time.monotonic()
        with pytest.raises(ConnectError, match="in time") as caught:
            await model(fake, ready_timeout=0.2).connect(CONFIG)
        took = time.monotonic() - began
        await fake.until(lambda: fake.sessions[0].closed)

    assert took < 2
    assert caught.value.retryable


async def test_a_provider_that_hangs_up_at_once() -> None:
    """With a cause that says whether to come back."""

    async def hang_up(connection: ServerConnection) -> None:
        await connection.close(1011, "busy")

    async def send_away(connection: ServerConnection) -> None:
        await connection.close(3000, "invalid_request_error.invalid_api_key")

    async with serve(hang_up, "127.0.0.1", 0) as busy, serve(send_away, "127.0.0.1", 0) as shut:
        urls = [
            f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1"
            for server in (busy, shut)
        ]
        with pytest.raises(ConnectError) as later:
            await OpenAIRealtimeModel("k", base_url=urls[0]).connect(CONFIG)
        with pytest.raises(AuthError):
            await OpenAIRealtimeModel("k", base_url=urls[1]).connect(CONFIG)

    assert later.value.retryable


async def test_connecting_may_be_cancelled() -> None:
    """Nothing stays open of it."""
    async with FakeOpenAI(Script(updated_delay=None)) as fake:
        task = asyncio.create_task(model(fake).connect(CONFIG))
        served = await fake.session()
        await served.until(lambda: bool(served.said("session.update")))
        task.cancel()
        await asyncio.wait([task])
        await fake.until(lambda: served.closed)

    assert task.cancelled()


async def test_sessions_may_overlap() -> None:
    """The new one is ready before the old one goes."""
    async with FakeOpenAI() as fake:
        speaker = model(fake)
        old = await speaker.connect(CONFIG)
        new = await speaker.connect(CONFIG, HISTORY)
        both = old.is_connected, new.is_connected
        await old.close()
        still = new.is_connected
        await new.close()

    assert both == (True, True)
    assert still


async def test_a_drop_while_the_history_is_told() -> None:
    """Is a connection that failed, not a session."""
    async with FakeOpenAI(Script(updated_delay=None)) as fake:
        task = asyncio.create_task(model(fake).connect(CONFIG, HISTORY))
        served = await fake.session()
        await served.until(lambda: bool(served.said("session.update")))
        served.outbox.put_nowait(Drop(1006))
        with pytest.raises(ConnectError) as caught:
            await task

    assert caught.value.retryable
