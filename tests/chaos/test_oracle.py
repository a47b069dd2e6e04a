"""The oracle finds what is wrong, and nothing where all is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos import codes, words
from tests.chaos.caller import Run, Spoken
from tests.chaos.oracle import Floor, Verdict, floor, judge, percentile
from tests.chaos.records import CallFacts, Fault, Recorded, SessionFacts, StreamFacts

TURN = 4.0  # seconds from one turn to the next
SPEAK = 0.6  # of which the caller takes so many
ANSWER = words.ANSWER_WORDS * words.WORD_SECONDS


def spoken(turn: int) -> Spoken:
    return Spoken(turn, turn * TURN, turn * TURN + SPEAK)


def answered(turn: int) -> Run:
    start = turn * TURN + SPEAK + 0.2
    return Run(codes.code_of_turn(turn), start, start + ANSWER)


def lived(*turns: int) -> list[tuple[float, str, str]]:
    """What a session goes through in these turns."""
    return [
        said
        for turn in turns
        for said in (
            (turn * TURN + SPEAK + 0.2, "user", words.turn_words(3, turn)),
            (turn * TURN + SPEAK + 0.3, "agent", words.answer(turn)),
        )
    ]


def told(*turns: int) -> list[words.Said]:
    return [(who, text) for _, who, text in lived(*turns)]


def a_call() -> CallFacts:
    """Four turns, and between the second and the third it loses its leg."""
    return CallFacts(
        3,
        "caller-hung-up",
        answered=4,
        unfinished=False,
        spoken=[spoken(turn) for turn in (1, 2, 3, 4)],
        runs=[answered(turn) for turn in (1, 2, 3, 4)],
        streams=[StreamFacts(0.0, 11.5), StreamFacts(11.7, 20.0)],
        webhooks=2,
    )


FIRST = SessionFacts(0.0, 11.5, native=False, told=[], lived=lived(1, 2))
SECOND = SessionFacts(11.8, 20.0, native=False, told=told(1, 2), lived=lived(3, 4))


def verdict(*sessions: SessionFacts, call: CallFacts | None = None) -> Verdict:
    return judge(Recorded([call or a_call()], sessions))


def test_all_is_well() -> None:
    found = verdict(FIRST, SECOND)

    assert found.complaints == []
    assert (found.turns, found.streams, found.resumptions) == (4, 2, 1)
    assert found.silences == found.gaps == []


def test_a_lost_call() -> None:
    """Whoever ends it but its caller."""
    found = verdict(FIRST, SECOND, call=replace(a_call(), ended="hung-up"))

    assert found.lost == ["call 3: hung-up"]


def test_a_turn_that_was_never_answered() -> None:
    found = verdict(FIRST, SECOND, call=replace(a_call(), unfinished=True))

    assert found.wrong == ["call 3: turn 4 was never answered"]


def test_a_lost_turn() -> None:
    """The next session does not know it, and so it is missing in the end."""
    found = verdict(FIRST, replace(SECOND, told=told(1)))

    assert "call 3: session 2 of 2 has forgotten turn 2" in found.wrong
    assert "call 3: in the end turn 2 is missing" in found.wrong


def test_a_turn_that_was_heard_a_moment_ago_may_be_lost() -> None:
    """The caller says it again, and in the end it is there."""
    late = replace(FIRST, lived=[*lived(1, 2), (11.0, "user", words.turn_words(3, 3))])

    assert verdict(late, SECOND).complaints == []


def test_a_turn_that_came_to_a_frozen_worker() -> None:
    """The provider has heard it, and could tell nobody."""
    first = replace(FIRST, lived=[*lived(1, 2), (9.0, "user", words.turn_words(3, 3))])
    recorded = Recorded([a_call()], [first, SECOND])
    hung = replace(recorded, faults=[Fault(8.9, "hang", 4.0)])
    killed = replace(recorded, faults=[Fault(8.9, "kill", 0.1)])

    assert judge(hung).complaints == []
    assert "call 3: session 2 of 2 has forgotten turn 3" in judge(killed).wrong


def test_all_memory_lost() -> None:
    found = verdict(FIRST, replace(SECOND, told=[]))

    assert "call 3: session 2 of 2 has forgotten turn 1" in found.wrong
    assert "call 3: in the end turns [3, 4]" in found.wrong


def test_a_repeated_turn() -> None:
    """It is remembered twice, and was said once."""
    twice = [*told(1), ("user", words.turn_words(3, 2)), *told(2)]
    found = verdict(FIRST, replace(SECOND, told=twice))

    assert any("turn 2 2 times, and it was said 1 times" in text for text in found.wrong)


def test_turns_in_another_order() -> None:
    found = verdict(FIRST, replace(SECOND, told=told(2, 1)))

    assert "call 3: session 2 of 2 was told turns [2, 1]" in found.wrong


def test_a_turn_that_the_caller_said_again() -> None:
    """Of which there are two kinds: with and without being asked."""
    again = [spoken(1), Spoken(1, 7.2, 7.8), *map(spoken, (2, 3, 4))]
    asked = replace(a_call(), spoken=again, runs=[Run(codes.PARDON, 6, 6.4), *a_call().runs[1:]])
    memory = [("user", words.turn_words(3, 1)), *told(1, 2)]
    sessions = FIRST, replace(SECOND, told=memory)

    assert verdict(*sessions, call=asked).asked == 1
    assert verdict(*sessions, call=replace(a_call(), spoken=again)).again == 1
    assert verdict(*sessions, call=replace(a_call(), spoken=again)).wrong == []


def test_more_words_than_were_heard() -> None:
    """The leg broke after a second of the answer, and the next session is told all of it."""
    half = answered(2)
    half.end = half.start + 1.0
    call = replace(
        a_call(),
        runs=[answered(1), half, answered(3), answered(4)],
        streams=[StreamFacts(0, half.end), StreamFacts(half.end + 0.1, 20.0)],
    )
    sessions = replace(FIRST, closed_at=half.end), replace(SECOND, opened_at=half.end + 0.2)
    found = verdict(*sessions, call=call)

    assert any("24 words of answer 2, and 10.0 were heard" in text for text in found.wrong)


def test_a_hole_in_an_answer() -> None:
    broken = [*told(1), told(2)[0], ("agent", "a02.01 a02.02 a02.05")]
    found = verdict(FIRST, replace(SECOND, told=broken))

    assert any("answer 2 as [1, 2, 5]" in text for text in found.wrong)


def test_an_answer_in_two_parts_is_whole() -> None:
    """As it is when the next session takes up the thread."""
    parts = [*told(1), told(2)[0], ("agent", "a02.01 a02.02"), ("agent", words.answer(2, 3))]

    assert verdict(FIRST, replace(SECOND, told=parts)).complaints == []


def test_the_rest_of_an_answer_may_come_late() -> None:
    """When the caller has begun the next turn."""
    memory = [
        ("user", words.turn_words(3, 1)),
        ("agent", "a01.01 a01.02"),
        told(2)[0],
        ("agent", words.answer(1, 3)),
        told(2)[1],
    ]

    assert verdict(FIRST, replace(SECOND, told=memory)).complaints == []


def test_two_callers_in_one_session() -> None:
    mixed = replace(SECOND, told=[("user", words.turn_words(8, 1)), *told(1, 2)])

    assert any("several callers: [3, 8]" in text for text in verdict(FIRST, mixed).wrong)


def test_a_gap() -> None:
    """In the middle of an answer that nothing has touched; a touched one is another matter."""
    whole = answered(3)
    first = Run(whole.code, whole.start, whole.start + 1.0)
    second = Run(whole.code, whole.start + 1.5, whole.end)
    call = replace(a_call(), runs=[answered(1), answered(2), first, second, answered(4)])

    assert verdict(FIRST, SECOND, call=call).gaps == [pytest.approx(0.5)]

    touched = replace(call, streams=[StreamFacts(0, first.end), StreamFacts(first.end + 0.1, 20)])
    sessions = replace(FIRST, closed_at=None), replace(SECOND, opened_at=first.end + 0.2)

    assert verdict(*sessions, call=touched).gaps == []
    assert verdict(*sessions, call=touched).silences == [pytest.approx(0.5)]


def test_a_silence_for_want_of_an_answer() -> None:
    """The leg broke before the answer began."""
    asked = spoken(2)
    late = Run(codes.code_of_turn(2), asked.end + 0.9, asked.end + 0.9 + ANSWER)
    call = replace(
        a_call(),
        runs=[answered(1), late, answered(3), answered(4)],
        streams=[StreamFacts(0, asked.end + 0.3), StreamFacts(asked.end + 0.5, 20)],
    )
    assert verdict(FIRST, SECOND, call=call).silences == [pytest.approx(0.9)]


def test_what_everybody_else_complains_of() -> None:
    call = replace(a_call(), violations=["31951: a bad message"])
    found = judge(Recorded([call], [FIRST, SECOND], problems=["p"], broken=["worker-0.log: x"]))

    assert found.complaints == ["p", "call 3: 31951: a bad message", "worker-0.log: x"]


@pytest.mark.parametrize(
    ("at", "whose"),
    [
        (1.0, Floor.NOBODY),
        (4.1, Floor.CALLER),
        (4.7, Floor.DUE),
        (5.5, Floor.AGENT),
        (7.5, Floor.NOBODY),
    ],
)
def test_whose_turn_it_is(at: float, whose: Floor) -> None:
    assert floor(a_call(), at) is whose


def test_percentiles() -> None:
    values = [float(each) for each in range(100)]

    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 99]
    assert percentile([], 0.5) == 0.0
