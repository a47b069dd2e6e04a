"""Bodies of messages as offers and answers."""

from __future__ import annotations

import pytest

from bridge.carriers.sip.bodies import Unfit, accept_from, answer_to
from bridge.carriers.sip.media import Media
from bridge.wire.sip.messages import Body
from tests.carriers.sip.paper import PaperClock, PaperPorts, offer


def a_call() -> Media:
    return Media(PaperPorts(), "198.51.100.7", PaperClock())


async def test_an_offer_is_answered_and_no_offer_gets_ours() -> None:
    media = a_call()

    assert b"m=audio 16384 RTP/AVP 0 101" in answer_to(media, Body(offer())).content
    assert media.agreed

    media = a_call()

    assert b"m=audio 16384 RTP/AVP 0 8 101" in answer_to(media, None).content
    assert not media.agreed

    accept_from(media, Body(offer()))

    assert media.agreed


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (Body(b"hello", "text/plain"), 415),
        (Body(b"v=1\r\n"), 400),
        (Body(offer(codecs="18")), 488),
    ],
)
async def test_what_is_unfit_has_a_status(body: Body, status: int) -> None:
    with pytest.raises(Unfit) as unfit:
        answer_to(a_call(), body)

    assert unfit.value.status == status


@pytest.mark.parametrize("body", [None, Body(b"hello", "text/plain"), Body(b"v=1\r\n")])
async def test_an_answer_that_is_none_is_unfit(body: Body | None) -> None:
    media = a_call()
    media.offer()
    with pytest.raises(Unfit):
        accept_from(media, body)

    assert not media.agreed
