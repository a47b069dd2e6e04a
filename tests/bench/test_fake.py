"""The fake provider, met by our own client."""

from __future__ import annotations

import asyncio

import pytest

from bridge.audio.formats import ULAW_8K, AudioEncoding
from bridge.audio.transcode import transcoder
from bridge.bench.stamps import write_stamp
from bridge.ports.server_events import AudioDelta, ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.providers.openai import OpenAIRealtimeModel
from tests.bench.relays import provider


@pytest.mark.parametrize("encoding", [AudioEncoding.G711_ULAW, AudioEncoding.PCM16])
async def test_it_speaks_once_it_knows_the_call(encoding: AudioEncoding) -> None:
    """In the format that it was asked for."""
    spoken: asyncio.Future[AudioDelta] = asyncio.get_running_loop().create_future()

    def listen(happened: ServerEvent) -> None:
        if isinstance(happened, AudioDelta) and not spoken.done():
            spoken.set_result(happened)

    config = RealtimeConfig(input_audio_format=encoding, output_audio_format=encoding)
    async with provider() as (fake, port):
        model = OpenAIRealtimeModel("key", base_url=f"http://127.0.0.1:{port}/v1")
        session = await model.connect(config)
        session.attach(listen)
        to = transcoder(ULAW_8K, session.input_format)
        for frame in write_stamp(42):
            session.feed(to.feed(frame))
        heard = await spoken
        report = await fake.report()
        await session.close()

    assert len(heard.delta) == session.output_format.size(100)
    assert list(report["sessions"]) == [42]
    assert len(report["sessions"][42]["heard"]) == 16


async def test_it_can_be_silent() -> None:
    """Then it only listens."""
    async with provider() as (fake, port):
        await fake.listen(speaks=False)
        config = RealtimeConfig(input_audio_format=AudioEncoding.G711_ULAW)
        model = OpenAIRealtimeModel("key", base_url=f"http://127.0.0.1:{port}/v1")
        session = await model.connect(config)
        for frame in write_stamp(7):
            session.feed(frame)
        assert await fake.know(calls=1, seconds=10.0) == 1
        assert await fake.know(calls=2, seconds=0.0) == 1
        report = await fake.report()
        await session.close()

    assert report["sessions"][7]["said_at"] == []
    assert fake.pacer.wheel.deadline is None
