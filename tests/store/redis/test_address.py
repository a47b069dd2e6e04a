"""REDIS_URL is read in all its forms, and what is wrong with it is said without repeating it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigError
from bridge.store.redis.address import (
    Address,
    Cluster,
    Host,
    Login,
    Sentinels,
    Server,
    Socket,
    read_address,
)

A, B = Host("a", 26379), Host("b", 26380)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://h", Server(Host("h", 6379))),
        ("redis://h:6380/2", Server(Host("h", 6380), db=2)),
        ("redis://h/?db=3", Server(Host("h", 6379), db=3)),
        ("redis://:pass@h", Server(Host("h", 6379), Login(None, "pass"))),
        ("redis://me:p%40ss@h", Server(Host("h", 6379), Login("me", "p@ss"))),
        ("redis://h?username=me&password=p", Server(Host("h", 6379), Login("me", "p"))),
        ("redis://[::1]:7000/1", Server(Host("::1", 7000), db=1)),
        ("redis://h?socket_timeout=5&decode_responses=true", Server(Host("h", 6379))),
        ("rediss://h", Server(Host("h", 6379), tls={})),
        (
            "rediss://h?ssl_ca_certs=/ca.pem&ssl_check_hostname=false&ssl_cert_reqs=none",
            Server(
                Host("h", 6379),
                tls={
                    "ssl_ca_certs": "/ca.pem",
                    "ssl_cert_reqs": "none",
                    "ssl_check_hostname": False,
                },
            ),
        ),
        ("unix:///run/redis.sock", Socket("/run/redis.sock")),
        ("unix://:p@/run/redis.sock?db=1", Socket("/run/redis.sock", Login(None, "p"), 1)),
        ("redis+sentinel://a,b:26380/calls", Sentinels((A, B), "calls")),
        ("sentinel://a/calls/4", Sentinels((A,), "calls", db=4)),
        ("redis-sentinel://me:p@a/calls", Sentinels((A,), "calls", Login("me", "p"))),
        (
            "rediss+sentinel://a/calls?sentinel_username=us&sentinel_password=sp",
            Sentinels((A,), "calls", sentinel_login=Login("us", "sp"), tls={}),
        ),
        (
            "redis+cluster://:p@x,y:7001",
            Cluster((Host("x", 6379), Host("y", 7001)), Login(None, "p")),
        ),
        ("rediss+cluster://x/0", Cluster((Host("x", 6379),), tls={})),
    ],
)
def test_addresses(url: str, address: Address) -> None:
    """One server, a socket, Sentinels and a cluster; with users, passwords and TLS."""
    assert read_address(url) == address


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://h", "must begin with"),
        ("redis://", "a host"),
        ("redis://h:port", "a port"),
        ("redis://h:99999", "a port"),
        ("redis://[::1", "cannot be read"),
        ("redis://a,b", "several hosts"),
        ("redis://h/one", "not a number"),
        ("redis://h?hunter2", "cannot be read"),
        ("redis://h?hunter2=hunter2", "not known; known are db"),
        ("rediss://h?ssl_cert_reqs=hunter2", "ssl_cert_reqs"),
        ("unix://", "path"),
        ("redis+sentinel://a,b", "must name the service"),
        ("redis+sentinel://a,,b/calls", "a host"),
        ("redis+cluster://a/2", "a cluster has but one"),
        ("redis+cluster://a?db=1", "a cluster has but one"),
    ],
)
def test_what_is_wrong(url: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong) as refusal:
        read_address(url)

    assert str(refusal.value).startswith("REDIS_URL: ")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://me:hunter2@h", "the server h:6379"),
        ("redis://:hunter2@[::1]", "the server [::1]:6379"),
        ("unix://:hunter2@/run/redis.sock", "the socket /run/redis.sock"),
        ("sentinel://:hunter2@a,b/calls?sentinel_password=hunter2", "calls of the Sentinels a:"),
        ("redis+cluster://:hunter2@x,y", "the cluster around x:6379, y:6379"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    address = read_address(url)

    assert str(address).startswith(shown)
    assert "hunter2" not in f"{address} {address!r}"


@given(
    st.text(), st.sampled_from(["redis://", "unix://", "redis+sentinel://", "rediss+cluster://"])
)
def test_anything_is_an_address_or_a_config_error(text: str, scheme: str) -> None:
    """Whatever an operator pastes."""
    with suppress(ConfigError):
        read_address(scheme + text)
