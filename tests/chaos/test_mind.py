"""A model that says what follows from its memory."""

from __future__ import annotations

from tests.chaos import codes, words
from tests.chaos.mind import Mind

TURN_1 = ("user", words.turn_words(3, 1))


def test_it_greets_whom_it_does_not_know() -> None:
    assert Mind().asked().code == codes.GREETING


def test_it_answers_by_number() -> None:
    text, reply = Mind().hear((3, 7), 1.0)

    assert text == "caller 3 turn 7"
    assert words.read_answer(reply.text) == (7, list(range(1, 25)))
    assert reply.seconds == 24 * words.WORD_SECONDS


def test_it_asks_when_it_has_not_understood() -> None:
    _, reply = Mind().hear(None, 1.0)

    assert reply.code == codes.PARDON


def test_it_takes_up_the_thread() -> None:
    """After the last word that it was told."""
    reply = Mind([TURN_1, ("agent", "a01.01 a01.02 a01.03")]).asked()

    assert words.read_answer(reply.text) == (1, list(range(4, 25)))


def test_it_answers_what_was_not_answered() -> None:
    assert Mind([TURN_1]).asked().code == codes.code_of_turn(1)


def test_it_asks_when_there_is_nothing_to_go_on_with() -> None:
    assert Mind([TURN_1, ("agent", words.answer(1))]).asked().code == codes.PARDON


def test_what_was_not_heard_is_forgotten() -> None:
    mind = Mind()
    mind.hear((3, 1), 1.0)
    mind.said(words.answer(1), 2.0)
    mind.truncate(words.answer(1), heard_ms=300)

    assert words.turns(mind.memory)[0].answer == [1, 2, 3]


def test_pieces_of_an_answer_are_one() -> None:
    mind = Mind()
    mind.hear((3, 1), 1.0)
    for piece in ("a01.01 ", "a01.02 "):
        mind.says(piece, 1.5)
    mind.pauses()
    mind.says("a01.03", 2.0)

    assert [what for _, _, what in mind.lived[1:]] == ["a01.01 a01.02 ", "a01.03"]
