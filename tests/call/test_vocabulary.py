"""The words of a call keep what was said, and whom it was said to, to themselves."""

from __future__ import annotations

import pytest

from bridge.call.patience import CallRules
from bridge.call.vocabulary import AskResponse, Finishing, Over, PressAsked, SayAsked, Tell, Voice
from bridge.errors import Ending, Fault
from bridge.ports import leg
from bridge.ports.client_events import Message

SECRET = "+14155550100"
ENDING = Ending(Fault.NOBODY, "transferred")


@pytest.mark.parametrize(
    "word",
    [
        Voice("i1", "r1", SECRET.encode()),
        SayAsked(SECRET),
        PressAsked(SECRET),
        leg.Press(SECRET),
        AskResponse(SECRET),
        Tell(Message("user", SECRET)),
        Finishing(leg.Transfer(SECRET), ENDING),
        Over(ENDING, leg.Transfer(SECRET)),
        CallRules(greeting=SECRET, fallback=SECRET),
    ],
    ids=lambda word: type(word).__name__,
)
def test_no_log_repeats_it(word: object) -> None:
    assert SECRET not in repr(word)
