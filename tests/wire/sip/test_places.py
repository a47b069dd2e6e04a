"""Transports and their ports."""

from __future__ import annotations

from bridge.wire.sip.places import Transport


def test_only_udp_loses_messages() -> None:
    assert [one for one in Transport if not one.reliable] == [Transport.UDP]


def test_ports_where_none_is_named() -> None:
    assert [one.port for one in Transport] == [5060, 5060, 5061]
