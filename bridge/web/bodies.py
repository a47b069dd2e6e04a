"""Request bodies, bounded."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

__all__ = ["read_body"]


async def read_body(request: Request, max_size: int) -> bytes | None:
    """The body; None when it is longer than `max_size` bytes or never came to its end."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_size:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)
