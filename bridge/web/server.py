"""The HTTP server under the application: uvicorn, set up for calls."""

from __future__ import annotations

import uvicorn

from bridge.web.app import Bridge

__all__ = ["make_server"]

MAX_MESSAGE_SIZE = 64 * 1024  # bytes; a media frame has a few hundred
PING_SECONDS = 60.0  # lenient: 50 frames a second tell sooner whether a carrier is there


def make_server(bridge: Bridge, host: str, port: int) -> uvicorn.Server:
    """A server that has not begun; `run` or `serve` begins."""
    return uvicorn.Server(
        uvicorn.Config(
            bridge,
            host=host,
            port=port,
            loop="uvloop",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE_SIZE,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=5,
        )
    )
