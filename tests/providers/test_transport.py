"""What lies below a provider's WebSocket."""

from __future__ import annotations

import socket as sockets
import ssl

import pytest

from bridge.errors import ConnectError
from bridge.providers.transport import (
    UNACKNOWLEDGED_MS,
    UNSENT_SIZE,
    address,
    default_context,
    set_options,
)


def test_a_socket_sends_at_once_and_notices_a_peer_that_is_gone() -> None:
    """As far as the system knows the options."""
    with sockets.socket() as raw:
        set_options(raw)

        assert raw.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY)
        if hasattr(sockets, "TCP_NOTSENT_LOWAT"):
            assert raw.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_NOTSENT_LOWAT) == UNSENT_SIZE
        if hasattr(sockets, "TCP_USER_TIMEOUT"):
            timeout = raw.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT)
            assert timeout == UNACKNOWLEDGED_MS


def test_a_transport_without_a_socket() -> None:
    """There is nothing to set, and that is all right."""
    set_options(None)


def test_certificates_are_read_once() -> None:
    """One context for all sessions, and it trusts nobody unknown."""
    assert default_context() is default_context()
    assert default_context().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("url", ["https://key@example.com", "nothing", "ws://[::1"])
def test_what_is_no_address(url: str) -> None:
    """It stays wrong, and is not repeated, because some write their key into it."""
    with pytest.raises(ConnectError) as caught:
        address(url)

    assert not caught.value.retryable
    assert url not in str(caught.value)


def test_an_address() -> None:
    """Host, port and whether there is TLS."""
    uri = address("wss://example.com/v1?model=m")

    assert (uri.host, uri.port, uri.secure) == ("example.com", 443, True)
