"""Our answers to challenges."""

from __future__ import annotations

from bridge.wire.sip.digest import Challenge, Credentials
from bridge.wire.sip.login import Account, Login
from bridge.wire.sip.messages import Response
from tests.wire.sip.scripts import Caller, endpoint, tokens

REQUEST = Caller(endpoint()).request("INVITE")
ACCOUNT = Account("anna", "secret")


def challenge(*challenges: Challenge | str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return Response(status, "", tuple((name, str(one)) for one in challenges))


def test_a_challenge_is_answered_once() -> None:
    """A password that was refused is not tried again, unless only its nonce was too old."""
    login = Login(ACCOUNT, tokens())

    header = login.answer(REQUEST, challenge(Challenge("r", "n")))

    assert header is not None
    assert header[0] == "Authorization"
    assert Credentials.read(header[1]).proven("INVITE", "secret")
    tried = Caller(endpoint()).request("INVITE", (header,))
    assert login.answer(tried, challenge(Challenge("r", "n2"))) is None
    assert login.answer(tried, challenge(Challenge("r", "n2", stale=True))) is not None


def test_proxies_have_their_own_header() -> None:
    header = Login(ACCOUNT, tokens()).answer(REQUEST, challenge(Challenge("r", "n"), status=407))

    assert header is not None
    assert header[0] == "Proxy-Authorization"


def test_the_better_hash_is_taken() -> None:
    offered = [Challenge("r", "n", "MD5"), Challenge("r", "n", "SHA-256"), Challenge("r", "n", "X")]

    header = Login(ACCOUNT, tokens()).answer(REQUEST, challenge("Basic x", *offered))

    assert header is not None
    assert Credentials.read(header[1]).algorithm == "SHA-256"


def test_uses_of_a_nonce_are_counted() -> None:
    login, asked = Login(ACCOUNT, tokens()), challenge(Challenge("r", "n"))
    headers = [login.answer(REQUEST, asked), login.answer(REQUEST, asked)]
    other = login.answer(REQUEST, challenge(Challenge("r", "m")))

    assert [Credentials.read(one[1]).count for one in [*headers, other] if one] == [1, 2, 1]


def test_without_account_or_challenge_there_is_no_answer() -> None:
    assert Login(None, tokens()).answer(REQUEST, challenge(Challenge("r", "n"))) is None
    assert Login(ACCOUNT, tokens()).answer(REQUEST, challenge()) is None
    assert Login(ACCOUNT, tokens()).answer(REQUEST, Response(403, "", ())) is None
    assert "secret" not in repr(ACCOUNT)
