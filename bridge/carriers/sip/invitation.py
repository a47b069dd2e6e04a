"""Who calls whom, as an INVITE says it, in our words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.wire.sip.actions import Offered
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.headers import Address
from bridge.wire.sip.messages import Request
from bridge.wire.sip.uris import Uri

__all__ = ["Invitation", "call_id_of", "read_invitation"]

MOST_PARAMETERS = 20
LONGEST_PARAMETER = 256  # characters

_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A call that comes in or goes out."""

    call_id: str
    """Unique, and safe in logs: it tells nothing of who calls."""
    peer: str = field(repr=False)
    """Whose call it is: the account it was proved by, or the address it came from."""
    caller: str = field(default="", repr=False)
    """A number, or a sip: URI."""
    called: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that begin with X-."""


def read_invitation(offered: Offered) -> Invitation:
    invite = offered.invite
    return Invitation(
        call_id_of(invite),
        peer=offered.account or offered.source.host,
        caller=_caller(invite, trusted=offered.account is None),
        called=_called(invite),
        parameters=_parameters(invite),
    )


def call_id_of(invite: Request) -> str:
    """The same for the same INVITE, and for no other (RFC 3261 section 8.1.1.4)."""
    named = f"{invite.call_id}\n{invite.sender.tag or ''}"
    return f"sip-{hashlib.sha256(named.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"


def _caller(invite: Request, *, trusted: bool) -> str:
    """Whom a carrier asserts goes before what a telephone says of itself (RFC 3325)."""
    asserted = invite.first("P-Asserted-Identity") if trusted else None
    if asserted is not None:
        try:
            return _in_words(Address.read(asserted.partition(",")[0]).uri)
        except SipProtocolError:
            pass
    return _in_words(invite.sender.uri)


def _called(invite: Request) -> str:
    try:
        return _in_words(Uri.read(invite.uri))
    except SipProtocolError:
        return ""


def _in_words(uri: Uri) -> str:
    user = uri.user.partition(";")[0]
    if _NUMBER.fullmatch(user):
        return user
    return f"sip:{uri.user}@{uri.host}" if uri.user else f"sip:{uri.host}"


def _parameters(invite: Request) -> dict[str, str]:
    extra = [pair for pair in invite.headers if pair[0].startswith("X-")]
    return {name: value[:LONGEST_PARAMETER] for name, value in extra[:MOST_PARAMETERS]}
