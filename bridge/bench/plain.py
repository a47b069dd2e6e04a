"""
The plain relay, for comparison: what one writes with Starlette and `websockets` in an hour.

Rule: G.711 passes as the base64 that it is. There is no resampling, no state, no mark, no
signature: it carries frames, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

__all__ = ["relay"]

SESSION = {
    "type": "session.update",
    "session": {
        "type": "realtime",
        "audio": {
            "input": {"format": {"type": "audio/pcmu"}},
            "output": {"format": {"type": "audio/pcmu"}},
        },
    },
}


def relay(provider_url: str) -> Starlette:
    """An application with the media stream at `/media`."""

    async def media(caller: WebSocket) -> None:
        await caller.accept()
        async with connect(provider_url) as model:
            await model.send(json.dumps(SESSION))
            stream: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            speaking = asyncio.create_task(_to_caller(model, caller, stream))
            await _to_model(caller, model, stream)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    return Starlette(routes=[WebSocketRoute("/media", media)])


async def _to_model(
    caller: WebSocket, model: ClientConnection, stream: asyncio.Future[str]
) -> None:
    with suppress(WebSocketDisconnect, ConnectionClosed):
        async for text in caller.iter_text():
            frame = json.loads(text)
            if frame["event"] == "media":
                audio = frame["media"]["payload"]
                append = {"type": "input_audio_buffer.append", "audio": audio}
                await model.send(json.dumps(append))
            elif frame["event"] == "start":
                stream.set_result(frame["streamSid"])
            elif frame["event"] == "stop":
                return


async def _to_caller(
    model: ClientConnection, caller: WebSocket, stream: asyncio.Future[str]
) -> None:
    stream_sid = await stream
    with suppress(WebSocketDisconnect, ConnectionClosed):
        async for text in model:
            event = json.loads(text)
            if event["type"] == "response.output_audio.delta":
                media = {"payload": event["delta"]}
                await caller.send_json({"event": "media", "streamSid": stream_sid, "media": media})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--provider", required=True)
    args = parser.parse_args()
    uvicorn.run(
        relay(args.provider), host="127.0.0.1", port=args.port, loop="uvloop", log_level="warning"
    )
