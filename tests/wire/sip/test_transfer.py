"""REFER and what is heard of it."""

from __future__ import annotations

import pytest

from bridge.wire.sip.actions import Reply, TransferDone, Transferring
from bridge.wire.sip.messages import Body, Headers, Request, Response
from bridge.wire.sip.transfer import PATIENCE, Transfer, refer_to
from bridge.wire.sip.uris import Uri
from tests.wire.sip.scripts import Caller, endpoint

ACTIVE: Headers = (("Event", "refer;id=2"), ("Subscription-State", "active;expires=60"))
OVER: Headers = (("Event", "refer"), ("Subscription-State", "terminated;reason=noresource"))


def notify(headers: Headers, text: bytes) -> Request:
    return Caller(endpoint()).request("NOTIFY", headers, Body(text, "message/sipfrag"))


def told(actions: list[object]) -> list[object]:
    return [action for action in actions if not isinstance(action, Reply)]


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        ("+14155550100", "sip:+14155550100@pbx.example.com:5070;user=phone"),
        ("200", "sip:200@pbx.example.com:5070;user=phone"),
        ("sip:carol@example.com", "sip:carol@example.com"),
        ("tel:+14155550100", "tel:+14155550100"),
        ("carol", None),
        ("sip:a@h>\r\nEvil: yes", None),
        ("http://example.com", None),
    ],
)
def test_targets(target: str, uri: str | None) -> None:
    """A number belongs to the peer's switch; what is no URI is nobody's."""
    read = refer_to(target, Uri.read("sip:anna@pbx.example.com:5070"))

    assert (None if read is None else str(read)) == uri


def test_a_transfer_that_succeeds() -> None:
    transfer = Transfer("c", 0.0)

    assert transfer.responded(Response(202, "", ())) == []
    assert told([*transfer.notified(notify(ACTIVE, b"SIP/2.0 180 Ringing"))]) == [
        Transferring("c", 180)
    ]
    assert told([*transfer.notified(notify(OVER, b"SIP/2.0 200 OK"))]) == [TransferDone("c", 200)]
    assert transfer.succeeded
    assert told([*transfer.notified(notify(OVER, b"SIP/2.0 486 Busy"))]) == []


@pytest.mark.parametrize(
    ("headers", "text", "status"),
    [(ACTIVE, b"SIP/2.0 486 Busy", 486), (OVER, b"", 487), (OVER, b"SIP/2.0 100 Trying", 100)],
)
def test_transfers_that_fail(headers: Headers, text: bytes, status: int) -> None:
    transfer = Transfer("c", 0.0)

    assert told([*transfer.notified(notify(headers, text))]) == [TransferDone("c", status)]
    assert not transfer.succeeded


def test_a_refer_that_is_refused() -> None:
    assert Transfer("c", 0.0).responded(Response(603, "", ())) == [TransferDone("c", 603)]


def test_a_transfer_of_which_nobody_tells() -> None:
    transfer = Transfer("c", 0.0)

    assert transfer.deadline == PATIENCE
    assert transfer.time_is_up(PATIENCE) == [TransferDone("c", 408)]
    assert transfer.deadline is None


def test_other_events_are_none_of_ours() -> None:
    (reply,) = Transfer("c", 0.0).notified(notify((("Event", "presence"),), b""))

    assert isinstance(reply, Reply)
    assert reply.response.status == 481
