"""Blind transfer: REFER, and what NOTIFY tells of it (RFC 3515)."""

from __future__ import annotations

import re

from bridge.wire.sip.actions import CallAction, Reply, TransferDone, Transferring
from bridge.wire.sip.faults import SipProtocolError
from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.responses import refuse, respond
from bridge.wire.sip.uris import Uri

__all__ = ["Transfer", "refer_to"]

PATIENCE = 180.0  # seconds until a transfer of which nobody tells has failed

_NUMBER = re.compile(r"\+?[0-9*#]{2,20}")
_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})\b")


def refer_to(target: str, peer: Uri) -> Uri | None:
    """The URI of a transfer's target: a number is one of the peer's. None: it is no target."""
    if _NUMBER.fullmatch(target):
        return Uri("sip", target, peer.host, peer.port, (("user", "phone"),))
    try:
        uri = Uri.read(target)
    except SipProtocolError:
        return None
    return uri if uri.is_sip or uri.scheme == "tel" else None


class Transfer:
    """One REFER of ours, until its fate is known."""

    def __init__(self, call: str, now: float) -> None:
        self._call = call
        self._ends = now + PATIENCE
        self.done = False
        self.succeeded = False

    @property
    def deadline(self) -> float | None:
        return None if self.done else self._ends

    def responded(self, response: Response) -> list[CallAction]:
        """The peer takes the REFER, or does not."""
        if not response.final or response.good:
            return []
        return self.finish(response.status)

    def notified(self, notify: Request) -> list[CallAction]:
        if (notify.first("Event") or "").partition(";")[0].strip().lower() != "refer":
            return [Reply(notify, refuse(notify, 481))]
        taken: list[CallAction] = [Reply(notify, respond(notify, 200))]
        match = _STATUS.match(notify.body.lstrip())
        status = int(match[1]) if match else None
        state = (notify.first("Subscription-State") or "").partition(";")[0].strip().lower()
        if status is not None and status >= 200:
            return [*taken, *self.finish(status)]
        if state == "terminated":
            # It is not told how the transfer ends, and never will be.
            return [*taken, *self.finish(status or 487)]
        if status is None or self.done:
            return taken
        return [*taken, Transferring(self._call, status)]

    def time_is_up(self, now: float) -> list[CallAction]:
        return self.finish(408) if now >= self._ends else []

    def finish(self, status: int) -> list[CallAction]:
        """Its fate, once."""
        if self.done:
            return []
        self.done = True
        self.succeeded = 200 <= status < 300
        return [TransferDone(self._call, status)]
