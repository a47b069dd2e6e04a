"""The bodies of SIP's messages as what two ends agree on about audio."""

from __future__ import annotations

from bridge.carriers.sip.media import Media
from bridge.wire.sdp.faults import NotAcceptable, SdpError
from bridge.wire.sip.messages import SDP, Body

__all__ = ["Unfit", "accept_from", "answer_to"]


class Unfit(Exception):
    """A description that makes no call."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def answer_to(media: Media, offer: Body | None) -> Body:
    """Our answer to an offer, or our offer to whoever wants one."""
    if offer is None:
        return Body(media.offer())
    if offer.type != SDP:
        raise Unfit("not-sdp", 415)
    try:
        return Body(media.answer(offer.content))
    except NotAcceptable as unfit:
        raise Unfit(unfit.refusal, 488) from None
    except SdpError as fault:
        raise Unfit(fault.reason, 400) from None


def accept_from(media: Media, answer: Body | None) -> None:
    if answer is None or answer.type != SDP:
        raise Unfit("no-answer", 488)
    try:
        media.accept(answer.content)
    except (NotAcceptable, SdpError):
        raise Unfit("bad-answer", 488) from None
