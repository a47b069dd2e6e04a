"""SIP's settings: off by default, and what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Config, Secret, SipPlace, SipSettings
from bridge.errors import ConfigError

LISTEN = {"BRIDGE_SIP_LISTEN": "udp://192.0.2.1:5060"}


def read(**settings: str) -> SipSettings:
    return Config.from_environ(settings).sip


def complaint(**settings: str) -> str:
    with pytest.raises(ConfigError) as refused:
        Config.from_environ(settings)
    return str(refused.value)


def test_sip_is_off() -> None:
    """Nobody listens unless it is said where."""
    settings = read()

    assert settings == SipSettings()
    assert not settings.deaf


def test_places_have_the_usual_ports(tmp_path: Path) -> None:
    """5060, and 5061 over TLS."""
    pem = tmp_path / "pem"
    pem.touch()
    settings = read(
        BRIDGE_SIP_LISTEN="udp://192.0.2.1, tcp://192.0.2.1,tls://192.0.2.1",
        BRIDGE_SIP_TLS_CERT=str(pem),
        BRIDGE_SIP_TLS_KEY=str(pem),
    )

    assert settings.listen == (
        SipPlace("udp", "192.0.2.1", 5060),
        SipPlace("tcp", "192.0.2.1", 5060),
        SipPlace("tls", "192.0.2.1", 5061),
    )


def test_ipv6_has_brackets() -> None:
    """As in every URL."""
    assert read(BRIDGE_SIP_LISTEN="udp://[2001:db8::1]:5070").listen == (
        SipPlace("udp", "2001:db8::1", 5070),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_SIP_LISTEN", "192.0.2.1:5060"),
        ("BRIDGE_SIP_LISTEN", "udp://sip.example.com"),
        ("BRIDGE_SIP_LISTEN", "udp://192.0.2.1:99999"),
        ("BRIDGE_SIP_LISTEN", "udp://192.0.2.1/path"),
        ("BRIDGE_SIP_LISTEN", "udp://192.0.2.1,udp://192.0.2.1:5070"),
        ("BRIDGE_SIP_LISTEN", "udp://192.0.2.1,tcp://192.0.2.1:5070"),
        ("BRIDGE_SIP_LISTEN", "udp://192.0.2.1,tcp://192.0.2.2"),
        ("BRIDGE_SIP_PUBLIC_HOST", "sip.example.com"),
        ("BRIDGE_SIP_PUBLIC_HOST", "0.0.0.0"),
        ("BRIDGE_SIP_RTP_PORTS", "80-90"),
        ("BRIDGE_SIP_RTP_PORTS", "20000-10000"),
        ("BRIDGE_SIP_RTP_PORTS", "20000-20000"),
        ("BRIDGE_SIP_RTP_PORTS", "20000"),
        ("BRIDGE_SIP_PEERS", "203.0.113.66/24"),
        ("BRIDGE_SIP_PEERS", "carrier.example"),
        ("BRIDGE_SIP_ACCOUNTS", "nobody"),
        ("BRIDGE_SIP_ACCOUNTS", "desk:one,desk:two"),
        ("BRIDGE_SIP_TLS_CERT", "/nowhere/cert.pem"),
        ("BRIDGE_SIP_TLS_KEY", "/nowhere/key.pem"),
        ("BRIDGE_SIP_REGISTER", "sip:desk@carrier.example"),
        ("BRIDGE_SIP_REGISTER", "sip:desk:secret@carrier.example:port"),
        ("BRIDGE_SIP_PEER_CALLS", "-1"),
        ("BRIDGE_SIP_PEER_MINUTES", "many"),
    ],
)
def test_what_is_wrong_is_said(name: str, value: str) -> None:
    """One line names the setting, and does not repeat what was written."""
    said = complaint(**{name: value})

    assert name in said
    assert value not in said
    assert "secret" not in said


def test_all_addresses_are_no_address() -> None:
    """Whoever is to answer must know where."""
    said = complaint(BRIDGE_SIP_LISTEN="udp://0.0.0.0")

    assert said.startswith("BRIDGE_SIP_PUBLIC_HOST: set the IP address")


def test_tls_needs_a_certificate() -> None:
    """And its key."""
    assert "BRIDGE_SIP_TLS_CERT: set it" in complaint(BRIDGE_SIP_LISTEN="tls://192.0.2.1")


def test_accounts_are_secret() -> None:
    """Names and passwords do not print themselves."""
    settings = read(**LISTEN, BRIDGE_SIP_ACCOUNTS="desk:pass:word, phone:other")

    assert settings.accounts == {"desk": Secret("pass:word"), "phone": Secret("other")}
    assert "desk" not in repr(settings)
    assert "word" not in repr(settings)


def test_registrars_are_named_in_one_line() -> None:
    """User, password, host and way; what has a meaning of its own is quoted."""
    [plain, quoted] = read(
        BRIDGE_SIP_REGISTER="sip:desk:secret@carrier.example,"
        "sip:me%40home:a%3Ab@192.0.2.9:5080;transport=tcp"
    ).registrars

    assert (plain.host, plain.port, plain.transport) == ("carrier.example", 5060, "udp")
    assert (plain.user, plain.password) == ("desk", Secret("secret"))
    assert (quoted.host, quoted.port, quoted.transport) == ("192.0.2.9", 5080, "tcp")
    assert (quoted.user, quoted.password) == ("me@home", Secret("a:b"))
    assert "desk" not in repr(plain)


def test_nobody_may_call() -> None:
    """Neither peers nor accounts: the operator is told."""
    config = Config.from_environ(LISTEN)

    assert config.sip.deaf
    assert any("BRIDGE_SIP_PEERS" in hint for hint in config.hints)


def test_sip_alone_needs_no_twilio() -> None:
    """Nor a public URL; Twilio's webhooks are not answered then."""
    config = Config.from_environ(LISTEN)
    config.check_serving()

    assert not config.serves_twilio


def test_half_a_twilio_is_refused_beside_sip() -> None:
    """Who names the account wants it served, and served safely."""
    config = Config.from_environ({**LISTEN, "TWILIO_ACCOUNT_SID": "AC" + "0" * 32})

    with pytest.raises(ConfigError, match="TWILIO_AUTH_TOKEN"):
        config.check_serving()


def test_one_worker_answers_sip() -> None:
    """A dialog stays with the process that has it."""
    config = Config.from_environ({**LISTEN, "WEB_CONCURRENCY": "2", "BRIDGE_INSECURE": "1"})

    with pytest.raises(ConfigError, match="must be 1 with BRIDGE_SIP_LISTEN"):
        config.check_serving()
