"""From the operator's settings to what SIP calls them: an endpoint, places, accounts of ours."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial

from bridge.config import SipPlace, SipRegistrar, SipSettings
from bridge.errors import ConfigError
from bridge.wire.sip.endpoint import Endpoint
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.guard import Guard
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.login import Account
from bridge.wire.sip.messages import Body
from bridge.wire.sip.nat import place_of
from bridge.wire.sip.outgoing import Plan
from bridge.wire.sip.peers import Peers, Rules
from bridge.wire.sip.places import Place, Transport
from bridge.wire.sip.registration import Registry
from bridge.wire.sip.uris import Uri, write_host_port

__all__ = ["new_endpoint", "place_named", "plan_of", "registry_of"]

ASKED_FOR = ("MD5",)
"""How passwords are to be proven. Common telephones give up where SHA-256 is offered at all."""


def new_endpoint(settings: SipSettings, address: str, ports: Mapping[Transport, int]) -> Endpoint:
    """`address` and `ports` are those by which peers reach us."""
    random = partial(secrets.token_hex, 12)
    identity = Identity(
        address,
        ports.get(Transport.UDP) or ports.get(Transport.TCP) or Transport.UDP.port,
        random,
        tls_port=ports.get(Transport.TLS, Transport.TLS.port),
    )
    accounts = {user: password.reveal() for user, password in settings.accounts.items()}
    peers = Peers(settings.peers, Rules(accounts=bool(accounts)))
    secret = secrets.token_bytes(32)
    guard = Guard(address, accounts, secret, random, ASKED_FOR) if accounts else None
    return Endpoint(identity, peers, guard)


def place_named(place: SipPlace | SipRegistrar) -> Place:
    return Place(Transport(place.transport.upper()), place.host, place.port)


def registry_of(registrar: SipRegistrar) -> tuple[Registry, Account]:
    """What is registered, and as whom."""
    name = write_host_port(registrar.host, registrar.port)
    address = Uri("sip", registrar.user, registrar.host)
    return Registry(name, str(address), place_named(registrar)), _account(registrar)


def plan_of(
    settings: SipSettings, target: str, address: str, offer: Body
) -> tuple[Plan, Account | None]:
    """
    How a sip: URI is called, and as whom: the account that we have with its host, by way of
    that host's registrar, or nobody in particular. Raises ConfigError for another URI.
    """
    try:
        uri = Uri.read(target)
    except SipProtocolError:
        uri = Uri("", "", "")
    if not uri.is_sip or not uri.host:
        raise ConfigError("whom to call must be a URI such as sip:desk@example.com")
    known = (each for each in settings.registrars if each.host == uri.host)
    registrar = next(known, None)
    if registrar is None:
        sender = Uri("sip", "bridge", address)
        return Plan(str(uri), str(sender), place_of(uri), offer), None
    sender = Uri("sip", registrar.user, registrar.host)
    return Plan(str(uri), str(sender), place_named(registrar), offer), _account(registrar)


def _account(registrar: SipRegistrar) -> Account:
    return Account(registrar.user, registrar.password.reveal())
