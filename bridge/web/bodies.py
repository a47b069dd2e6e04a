"""Request bodies, bounded, and what is said of requests that went wrong."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

__all__ = ["TooLong", "error", "read_body"]


class TooLong(Exception):
    """The body is longer than it may be."""


async def read_body(request: Request, max_size: int) -> bytes:
    """The body, b"" when it never came to its end. Raises TooLong above `max_size` bytes."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_size:
                raise TooLong
    except ClientDisconnect:
        return b""
    return bytes(body)


def error(status: int, code: str, message: str, **headers: str) -> Response:
    """`{"error": {"code", "message"}}`."""
    body = {"error": {"code": code, "message": message}}
    return JSONResponse(body, status_code=status, headers=headers)
