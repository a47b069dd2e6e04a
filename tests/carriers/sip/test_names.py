"""Names and addresses."""

from __future__ import annotations

import socket

import pytest

from bridge.carriers.sip.names import SECONDS, Names


async def test_an_address_is_its_own_name() -> None:
    names = Names(socket.AF_INET)

    assert names.known("192.0.2.1", 0.0) == "192.0.2.1"
    assert Names(socket.AF_INET6).known("2001:db8::1", 0.0) == "2001:db8::1"


async def test_an_address_of_the_other_family_leads_nowhere() -> None:
    """A socket of one family does not send to the other."""
    names = Names(socket.AF_INET)

    assert names.known("2001:db8::1", 0.0) is None
    with pytest.raises(socket.gaierror):
        await names.look_up("2001:db8::1")


async def test_a_name_is_remembered_for_a_while() -> None:
    """It need not be looked up for each message."""
    names = Names(socket.AF_INET)

    assert names.known("localhost", 0.0) is None
    assert await names.look_up("localhost") == "127.0.0.1"

    until, _ = names._known["localhost"]

    assert names.known("localhost", until - SECONDS) == "127.0.0.1"
    assert names.known("localhost", until) is None


async def test_a_name_that_nobody_has_is_an_error() -> None:
    with pytest.raises(socket.gaierror):
        await Names(socket.AF_INET).look_up("nobody.invalid")
