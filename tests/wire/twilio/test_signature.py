"""Twilio's signatures: its own vectors, its own validator as the oracle, and what must not pass."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bridge.errors import ConfigError
from bridge.wire.twilio import signature
from bridge.wire.twilio.signature import SignatureCheck

TOKEN = "12345"
ORIGIN = "https://mycompany.com"
PATH = "/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
CHECK = SignatureCheck(ORIGIN, [TOKEN])
VOICE = SignatureCheck("https://voice.example.com", [TOKEN])

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10)
forms = st.lists(st.tuples(names, st.text(st.characters(codec="utf-8"), max_size=20)))


def test_a_form_is_signed_as_in_twilios_own_test() -> None:
    signed = signature.sign_form(ORIGIN + PATH, FORM, TOKEN)

    assert signed == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert CHECK.form(PATH, FORM, signed)


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("wss://voice.example.com/twilio/media", "PGLrn08/Ba1sEIuSwPQRBPD54PA="),
        ("wss://voice.example.com/twilio/media/", "/l2QA+p8VR0Ejy/AIlzbV7YZXIA="),
        ("https://voice.example.com/twilio/media", "O4P2Ggul8e4hQEZViN+aHilXfFo="),
    ],
)
def test_a_handshake_is_signed_as_measured(url: str, signed: str) -> None:
    assert signature.sign_url(url, TOKEN) == signed


def test_a_handshake_is_good_for_exactly_its_url() -> None:
    """Scheme and trailing slash count."""
    assert VOICE.handshake("/twilio/media", "PGLrn08/Ba1sEIuSwPQRBPD54PA=")
    assert VOICE.handshake("/twilio/media/", "/l2QA+p8VR0Ejy/AIlzbV7YZXIA=")
    assert not VOICE.handshake("/twilio/media", "/l2QA+p8VR0Ejy/AIlzbV7YZXIA=")
    assert not VOICE.handshake("/twilio/media", "O4P2Ggul8e4hQEZViN+aHilXfFo=")


def test_a_signature_of_another_host_is_refused() -> None:
    """What Host or X-Forwarded-Host say cannot matter: nobody asks them."""
    signed = signature.sign_form("https://evil.example" + PATH, FORM, TOKEN)

    assert not CHECK.form(PATH, FORM, signed)


@pytest.mark.parametrize("given_signature", [None, "", "RSOYDt4T", "ä" * 28, "\ud800", "x" * 9999])
def test_what_is_no_signature_is_refused(given_signature: str | None) -> None:
    assert not CHECK.form(PATH, FORM, given_signature)
    assert not CHECK.handshake("/twilio/media", given_signature)


def test_a_changed_field_is_refused() -> None:
    signed = signature.sign_form(ORIGIN + PATH, FORM, TOKEN)

    assert not CHECK.form(PATH, [*FORM[:-1], ("To", "+18005551213")], signed)
    assert not CHECK.form(PATH, [*FORM, ("Extra", "1")], signed)
    assert not CHECK.form("/myapp.php?foo=1&bar=3", FORM, signed)


def test_blank_values_count() -> None:
    """A blank field is signed by its name."""
    blank = [("CallSid", "CA1"), ("Digits", "")]
    signed = signature.sign_form(ORIGIN + PATH, blank, TOKEN)

    assert CHECK.form(PATH, blank, signed)
    assert not CHECK.form(PATH, [("CallSid", "CA1")], signed)


def test_each_distinct_value_of_a_repeated_field_counts_once() -> None:
    repeated = [("To", "b"), ("To", "a"), ("To", "b")]
    signed = signature.sign_form(ORIGIN + PATH, repeated, TOKEN)

    assert CHECK.form(PATH, [("To", "a"), ("To", "b")], signed)
    assert not CHECK.form(PATH, [("To", "a")], signed)


def test_both_tokens_are_good_while_one_is_rotated() -> None:
    check = SignatureCheck(ORIGIN, ["new", "old"])

    assert check.form(PATH, FORM, signature.sign_form(ORIGIN + PATH, FORM, "new"))
    assert check.form(PATH, FORM, signature.sign_form(ORIGIN + PATH, FORM, "old"))
    assert not check.form(PATH, FORM, signature.sign_form(ORIGIN + PATH, FORM, "older"))


@pytest.mark.parametrize("tokens", [[], [""]])
def test_without_a_token_nothing_is_valid(tokens: list[str]) -> None:
    """An empty key would be everybody's."""
    check = SignatureCheck(ORIGIN, tokens)

    assert not check.form(PATH, FORM, signature.sign_form(ORIGIN + PATH, FORM, ""))
    assert not check.handshake(PATH, signature.sign_url("wss://mycompany.com" + PATH, ""))


def test_a_json_body_is_bound_by_its_hash() -> None:
    body = b'{"a": "\xc3\xa4"}'
    url = signature.with_body_hash(ORIGIN + PATH, body)
    path = url.removeprefix(ORIGIN)
    signed = signature.sign_url(url, TOKEN)

    assert CHECK.json(path, body, signed)
    assert not CHECK.json(path, body + b" ", signed)
    assert not CHECK.json(PATH, body, signature.sign_url(ORIGIN + PATH, TOKEN))


def test_a_hash_alone_proves_nothing() -> None:
    body = b"{}"
    path = f"/hook?{signature.BODY_HASH}={hashlib.sha256(body).hexdigest()}"

    assert not CHECK.json(path, body, signature.sign_url(ORIGIN + path, "guessed"))


@pytest.mark.parametrize(
    ("configured", "signed_for"),
    [
        ("https://a.example", "https://a.example:443"),
        ("https://a.example:443", "https://a.example"),
        ("https://a.example:8443", "https://a.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://a.example/", "https://a.example"),
    ],
)
def test_webhooks_may_be_signed_with_or_without_the_port(configured: str, signed_for: str) -> None:
    """Twilio is not of one mind about it, so its own validator tries both."""
    signed = signature.sign_form(signed_for + PATH, FORM, TOKEN)

    assert SignatureCheck(configured, [TOKEN]).form(PATH, FORM, signed)


def test_plain_origins_have_plain_sockets() -> None:
    """On one's own machine there is no TLS."""
    check = SignatureCheck("http://127.0.0.1:8080", [TOKEN])

    assert check.handshake("/m", signature.sign_url("ws://127.0.0.1:8080/m", TOKEN))


def test_an_origin_must_be_a_web_address() -> None:
    with pytest.raises(ConfigError):
        SignatureCheck("bridge.example.com", [TOKEN])


@given(forms)
def test_twilios_validator_accepts_what_we_sign(form: list[tuple[str, str]]) -> None:
    url = ORIGIN + PATH
    once = dict(form)
    signed = signature.sign_form(url, list(once.items()), TOKEN)

    assert RequestValidator(TOKEN).validate(url, once, signed)


@given(forms)
def test_we_accept_what_twilios_validator_signs(form: list[tuple[str, str]]) -> None:
    once = dict(form)
    signed = RequestValidator(TOKEN).compute_signature(ORIGIN + PATH, once)

    assert CHECK.form(PATH, list(once.items()), signed)
