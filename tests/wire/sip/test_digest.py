"""Digests as the RFCs calculate them."""

from __future__ import annotations

import pytest

from bridge.wire.sip.digest import Challenge, Credentials
from bridge.wire.sip.faults import SipProtocolError

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    """Section 3.9.1."""
    challenge = Challenge("http-auth@example.org", NONCE, algorithm, opaque=OPAQUE)
    credentials = challenge.answer("/dir/index.html", "Mufasa", CNONCE, 1)

    assert credentials.signed("GET", "Circle of Life").response == response


def test_the_example_of_rfc_2617() -> None:
    """Section 3.5, with qop; and the older hash of RFC 2069 without it."""
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    new = Challenge("testrealm@host.com", nonce).answer("/dir/index.html", "Mufasa", "0a4f113b", 1)
    old = Challenge("testrealm@host.com", nonce, qop=()).answer("/dir/index.html", "Mufasa", "", 1)

    assert new.signed("GET", "Circle Of Life").response == "6629fae49393a05397450978507c4ef1"
    assert old.signed("GET", "Circle Of Life").response == "670fd8c2df070c60b045671b8b24ff02"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
def test_both_ends_agree(algorithm: str) -> None:
    challenge = Challenge("r", 'n"1', algorithm, opaque="o")
    signed = challenge.answer("sip:a@h", "anna", "c", 7).signed("INVITE", "secret")
    read = Credentials.read(str(signed))

    assert Challenge.read(str(challenge)) == challenge
    assert read == signed
    assert read.count == 7
    assert read.proven("INVITE", "secret")
    assert not read.proven("INVITE", "wrong")
    assert not read.proven("BYE", "secret")


@pytest.mark.parametrize(
    "text",
    ["", "Basic abc", "Digest", "Digest realm", 'Digest realm="x', 'Digest realm="a", realm="b"'],
)
def test_what_is_no_digest(text: str) -> None:
    for kind in (Challenge, Credentials):
        with pytest.raises(SipProtocolError):
            kind.read(text)


def test_challenges_that_we_cannot_answer() -> None:
    assert not Challenge("r", "n", "SHA-512").answerable
    assert not Challenge("r", "n", qop=("auth-int",)).answerable
    assert Challenge("r", "n", qop=("auth-int", "auth")).answerable


@pytest.mark.parametrize("count", ["1", "zzzzzzzz", "000000001"])
def test_counts_that_are_none(count: str) -> None:
    blank = Challenge("r", "n").answer("u", "a", "c", 1)
    text = str(blank).replace("nc=00000001", f"nc={count}")

    assert Credentials.read(text).count == 0


def test_passwords_leave_no_trace() -> None:
    signed = Challenge("r", "n").answer("u", "anna", "c", 1).signed("INVITE", "secret")

    assert signed.response not in repr(signed)
    assert "anna" not in repr(signed)
