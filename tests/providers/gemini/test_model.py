"""Connecting: a session is ready when it is returned, and every refusal has its error."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from bridge.audio.formats import PCM16_16K, PCM16_24K, AudioEncoding
from bridge.errors import AuthError, ConfigError, ConnectError, ResumptionRefused, UnsupportedConfig
from bridge.ports import server_events as event
from bridge.ports.conversation import AgentSaid, CallerSaid
from bridge.ports.model import Memory, RealtimeModel, Resumption
from bridge.ports.session import RealtimeConfig
from bridge.providers.gemini import GeminiLiveModel
from tests.fakes.certificate import localhost_contexts
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import Script
from tests.providers.gemini.calls import OLDER, OLDEST, connected, until

SAID = (CallerSaid("Hello."), AgentSaid("Good morning."))


async def token() -> str:
    return "test-token"


def model_for(fake: FakeGemini, key: str = "test-key", **more: object) -> GeminiLiveModel:
    return GeminiLiveModel(key, base_url=fake.url, **more)  # type: ignore[arg-type]


def test_a_model_says_what_it_is() -> None:
    model: RealtimeModel = GeminiLiveModel("s3cret")

    assert (model.provider, model.model_id) == ("gemini", "gemini-3.8-live")
    assert model.supports_realtime
    assert list(model.supported_input_formats) == [PCM16_16K]
    assert list(model.supported_output_formats) == [PCM16_24K]
    assert "Kore" in model.available_voices
    assert not model.overlaps_sessions
    assert model.responds_to_tools
    assert not model.tells_speech


def test_no_secret_is_shown() -> None:
    """D32."""
    for model in (GeminiLiveModel("s3cret"), GeminiLiveModel.vertex("p", "global", token)):
        assert "s3cret" not in repr(model)
        assert "token" not in repr(model)


def test_a_wrong_base_url_is_told_at_once() -> None:
    with pytest.raises(ConfigError):
        GeminiLiveModel("key", base_url="proxy.example")


async def test_a_session_is_ready_when_it_is_returned() -> None:
    """setupComplete has come, so that nothing is sent too early (D16)."""
    script = Script(setup_seconds=0.2)
    async with FakeGemini(script) as fake, connected(fake) as session:
        session.feed(bytes(640))
        await fake.session.until_sent("realtime_input")
        created, _ = await until(session, event.SessionCreated)

    assert fake.session.ready
    assert created.session == {"sessionId": "session-1"}
    assert session.session_id == "session-1"
    assert session.memory is Memory.NONE
    assert session.expires_in is None
    assert (session.input_format, session.output_format) == (PCM16_16K, PCM16_24K)


async def test_the_key_is_in_no_url() -> None:
    async with FakeGemini() as fake, connected(fake):
        pass

    assert "test-key" not in fake.session.path
    assert fake.session.headers["x-goog-api-key"] == "test-key"


async def test_vertex_is_reached_with_a_token() -> None:
    async with FakeGemini() as fake:
        model = GeminiLiveModel.vertex("p", "europe-west4", token, base_url=fake.url)
        session = await model.connect(RealtimeConfig())
        await session.commit_audio()
        await fake.session.until_sent("realtime_input")
        await session.close()

    assert fake.session.vertex
    assert fake.session.headers["Authorization"] == "Bearer test-token"
    assert fake.session.setup is not None
    assert fake.session.setup.model == (
        "projects/p/locations/europe-west4/publishers/google/models/gemini-3.8-live"
    )


async def test_tls_is_spoken_where_the_base_url_says_https() -> None:
    server, client = localhost_contexts()
    async with FakeGemini(tls=server) as fake, connected(fake, ssl_context=client) as session:
        assert session.is_connected


@pytest.mark.parametrize(
    ("script", "error", "retryable"),
    [
        (Script(refuse_http=401), AuthError, False),
        (Script(refuse_http=403), AuthError, False),
        (Script(refuse_http=404), ConnectError, False),
        (Script(refuse_http=429), ConnectError, True),
        (Script(refuse_http=503), ConnectError, True),
        (Script(refuse_setup=(1007, "Request contains an invalid argument.")), ConnectError, False),
        (Script(refuse_setup=(1011, "Internal error encountered.")), ConnectError, True),
        (Script(refuse_setup=(1011, "You exceeded your current quota.")), AuthError, False),
        (Script(keys=frozenset({"another"})), AuthError, False),
    ],
)
async def test_a_refusal_has_its_error(
    script: Script, error: type[ConnectError], retryable: bool
) -> None:
    async with FakeGemini(script) as fake:
        with pytest.raises(ConnectError) as caught:
            await model_for(fake).connect(RealtimeConfig())

    assert type(caught.value) is error
    assert caught.value.retryable is retryable
    assert "test-key" not in str(caught.value)


async def test_an_unknown_model_is_not_tried_again() -> None:
    async with FakeGemini() as fake:
        with pytest.raises(ConnectError, match="not found") as caught:
            await model_for(fake, model="gemini-9-live").connect(RealtimeConfig())

    assert not caught.value.retryable


@asynccontextmanager
async def proxy(answer: str) -> AsyncIterator[str]:
    """The base URL of a server that answers the setup with these words, and hangs up."""

    async def reply(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(answer)
        await socket.close(1000)

    async with serve(reply, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("status", "token", "error"),
    [
        ("UNAUTHENTICATED", None, AuthError),
        ("INVALID_ARGUMENT", None, ConnectError),
        ("NOT_FOUND", "a-handle", ResumptionRefused),
    ],
)
async def test_a_refusal_may_come_in_words(
    status: str, token: str | None, error: type[ConnectError]
) -> None:
    """Proxies answer with an error where Google closes the connection."""
    words = json.dumps({"error": {"code": 400, "status": status, "message": "no"}})
    async with proxy(words) as url:
        with pytest.raises(ConnectError) as caught:
            await GeminiLiveModel("key", base_url=url).connect(RealtimeConfig(), Resumption(token))

    assert type(caught.value) is error


async def test_a_session_that_goes_as_soon_as_it_is_ready_was_none() -> None:
    async with proxy('{"setupComplete": {}}') as url:
        with pytest.raises(ConnectError, match="as soon as it was ready") as caught:
            await GeminiLiveModel("key", base_url=url).connect(
                RealtimeConfig(), Resumption(history=SAID)
            )

    assert caught.value.retryable


async def test_nobody_there_is_worth_another_try() -> None:
    async with FakeGemini() as fake:
        url = fake.url
    with pytest.raises(ConnectError) as caught:
        await GeminiLiveModel("key", base_url=url).connect(RealtimeConfig())

    assert caught.value.retryable


async def test_a_configuration_without_words_reaches_nobody() -> None:
    async with FakeGemini() as fake:
        with pytest.raises(UnsupportedConfig, match="input_audio_format=g711_ulaw"):
            await model_for(fake).connect(
                RealtimeConfig(input_audio_format=AudioEncoding.G711_ULAW)
            )

        assert fake.sessions == []


async def test_a_server_that_never_gets_ready_is_given_up() -> None:
    async with FakeGemini(Script(setup_seconds=60)) as fake:
        with pytest.raises(ConnectError, match="in time") as caught:
            await model_for(fake, setup_timeout=1.0).connect(RealtimeConfig())
        await fake.session.ended.wait()

    assert caught.value.retryable


async def test_connecting_may_be_cancelled_without_loss() -> None:
    async with FakeGemini(Script(setup_seconds=60)) as fake:
        connecting = asyncio.create_task(model_for(fake).connect(RealtimeConfig()))
        while not fake.sessions:
            await asyncio.sleep(0.01)
        await fake.session.until_sent("setup")
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await fake.session.ended.wait()


# Going on where another session stopped


async def test_a_handle_resumes_the_session() -> None:
    """The newest handle that was resumable, on a socket behind the one that is closed (D2)."""
    async with FakeGemini(Script(playback=0)) as fake:
        async with connected(fake) as first:
            await first.create_response()
            await until(first, event.ResponseDone)
            told, _ = await until(first, event.ResumptionToken)
        async with connected(fake, resumption=Resumption(told.token, SAID)) as second:
            memory = second.memory

    assert memory is Memory.NATIVE
    assert fake.session.resumed_from is fake.sessions[0]
    assert fake.session.sent("client_content") == []


async def test_an_expired_handle_is_refused() -> None:
    async with FakeGemini() as fake:
        async with connected(fake) as first:
            told, _ = await until(first, event.ResumptionToken)
        fake.expire_handles()
        with pytest.raises(ResumptionRefused) as caught:
            await model_for(fake).connect(RealtimeConfig(), Resumption(told.token))

    assert told.token is not None
    assert told.token not in str(caught.value)
    assert len(fake.sessions) == 2


async def test_a_socket_that_still_counts_as_open_is_waited_for() -> None:
    """1011 at a resumption: the server has not noticed yet that the old one went."""
    async with FakeGemini() as fake, connected(fake) as first:
        told, _ = await until(first, event.ResumptionToken)
        resuming = asyncio.create_task(
            model_for(fake).connect(RealtimeConfig(), Resumption(told.token))
        )
        while len(fake.sessions) < 2:
            await asyncio.sleep(0.01)
        await fake.sessions[1].ended.wait()
        await first.close()
        second = await resuming
        await second.close()

    assert second.memory is Memory.NATIVE
    assert len(fake.sessions) == 3


async def test_a_resumption_is_tried_twice_at_most() -> None:
    async with FakeGemini() as fake, connected(fake) as first:
        told, _ = await until(first, event.ResumptionToken)
        with pytest.raises(ResumptionRefused):
            await model_for(fake).connect(RealtimeConfig(), Resumption(told.token))

    assert len(fake.sessions) == 3


@pytest.mark.parametrize("model", ["gemini-3.8-live", OLDER, OLDEST])
async def test_without_a_handle_the_conversation_is_told(model: str) -> None:
    """Each generation in its own way; none of them answers it."""
    async with (
        FakeGemini(Script(playback=0)) as fake,
        connected(fake, resumption=Resumption(history=SAID), model=model) as session,
    ):
        session.feed(bytes(640))
        await fake.session.until_sent("realtime_input")
        memory = session.memory
        answered = fake.session.answering.turns

    (history,) = fake.session.sent("client_content")
    assert memory is Memory.REPLAYED
    assert answered == 0
    assert history.turns[0].parts[0].text == "Hello."
    assert history.turns[1].role == "model"


async def test_ids_are_never_used_twice() -> None:
    """Not even by the session that follows, whose audio meets the same playback."""
    async with FakeGemini(Script(playback=0)) as fake:
        model = model_for(fake)
        ids: list[str] = []
        for _ in range(2):
            session = await model.connect(RealtimeConfig())
            await session.create_response()
            done, _ = await until(session, event.ResponseDone)
            ids.append(done.response_id)
            await session.close()

    assert len(set(ids)) == 2


async def test_a_failed_connection_takes_no_time_to_clean_up() -> None:
    async with FakeGemini(Script(refuse_setup=(1007, "no"))) as fake:
        begun = time.monotonic()
        with pytest.raises(ConnectError):
            await model_for(fake).connect(RealtimeConfig())

        assert time.monotonic() - begun < 2.0
