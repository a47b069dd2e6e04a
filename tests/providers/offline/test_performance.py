from __future__ import annotations

from itertools import pairwise

import pytest

from bridge.audio.formats import ULAW_8K
from bridge.ports import server_events as event
from bridge.providers.offline.dialogue import Use
from bridge.providers.offline.performance import Call, Performance
from bridge.providers.offline.voice import Piece

CALL = Call("call-1", "item-2", Use("opening_hours", {"day": "Sunday"}))
PIECES = (Piece("One moment,", b"1" * 2000), Piece(" please.", b"2" * 1000))


def performance(
    *calls: Call, pieces: tuple[Piece, ...] = PIECES, aloud: bool = True
) -> Performance:
    return Performance("response-1", "item-1", pieces, calls, ULAW_8K, aloud=aloud)


def test_a_response_is_told_in_a_providers_order() -> None:
    """Words before their sound, in pieces of 100 ms, then the call."""
    told = list(performance(CALL).events())

    kinds = [type(happened) for happened in told]
    assert [kind for kind, after in pairwise([*kinds, None]) if kind is not after] == [
        event.ResponseCreated,
        event.OutputItemAdded,
        event.TranscriptDelta,
        event.AudioDelta,
        event.TranscriptDelta,
        event.AudioDelta,
        event.TranscriptDone,
        event.AudioDone,
        event.OutputItemDone,
        event.OutputItemAdded,
        event.FunctionCallDelta,
        event.FunctionCallDone,
        event.OutputItemDone,
        event.ResponseDone,
    ]
    deltas = [e.delta for e in told if isinstance(e, event.AudioDelta)]
    assert b"".join(deltas) == b"1" * 2000 + b"2" * 1000
    assert max(map(len, deltas)) == 800
    words = [e.delta for e in told if isinstance(e, event.TranscriptDelta)]
    assert "".join(words) == "One moment, please." == performance().text
    done = next(e for e in told if isinstance(e, event.FunctionCallDone))
    assert (done.name, done.arguments, done.output_index) == (
        "opening_hours",
        '{"day": "Sunday"}',
        1,
    )


def test_a_response_may_be_text_only() -> None:
    """For a session without a voice."""
    told = list(performance(aloud=False).events())

    assert [e.delta for e in told if isinstance(e, event.TextDelta)] == ["One moment,", " please."]
    assert not any(isinstance(e, event.AudioDelta) for e in told)


def test_a_response_may_be_empty() -> None:
    """When there is nothing to say, it is created and done."""
    told = list(performance(pieces=()).events())

    assert [type(happened) for happened in told] == [event.ResponseCreated, event.ResponseDone]


@pytest.mark.parametrize(
    ("heard_ms", "words"),
    [
        (0, ""),
        (124, ""),
        (125, "One moment,"),
        (250, "One moment,"),
        (312, "One moment,"),
        (313, "One moment, please."),
        (9999, "One moment, please."),
    ],
)
def test_what_was_heard_is_known(heard_ms: int, words: str) -> None:
    """To the nearest phrase."""
    assert performance().heard(heard_ms) == words
    assert performance().duration_ms == 375
