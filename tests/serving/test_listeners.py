"""The sockets that a supervisor listens on."""

from __future__ import annotations

import socket

import pytest

from bridge.serving.listeners import listen


def test_a_free_port_is_found() -> None:
    [listener] = listen("127.0.0.1", 0)
    with listener:
        address = listener.getsockname()
        with socket.create_connection(address, timeout=5) as caller:
            caller.sendall(b"GET /")
            accepted, _ = listener.accept()
            accepted.close()

        assert not listener.getblocking()


def test_every_address_of_a_name_has_the_same_port() -> None:
    """`localhost` may be two."""
    listeners = listen("localhost", 0)
    ports = {listener.getsockname()[1] for listener in listeners}
    for listener in listeners:
        listener.close()

    assert len(ports) == 1


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use") as refused:
            listen("127.0.0.1", port)

    assert f"127.0.0.1:{port}" in str(refused.value.strerror)


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(OSError, match="no-such-host"):
        listen("no-such-host.invalid", 0)
