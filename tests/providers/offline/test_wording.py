from __future__ import annotations

import pytest

from bridge.providers.offline.wording import COMMA_MS, SENTENCE_MS, cardinal, pronounced


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (7, "seven"),
        (13, "thirteen"),
        (20, "twenty"),
        (42, "forty two"),
        (100, "one hundred"),
        (365, "three hundred sixty five"),
        (1000, "one thousand"),
        (21_012, "twenty one thousand twelve"),
        (4_915_112, "four nine one five one one two"),
    ],
)
def test_numbers_are_words(number: int, words: str) -> None:
    """Long ones, such as telephone numbers, are read digit by digit."""
    assert cardinal(number) == words


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("Seven to six", "seven to six"),
        ("7:00", "seven oclock"),
        ("7:30-18:05", "seven thirty to eighteen oh five"),
        ("at 7am", "at seven a m"),
        ("at 11 P.M.", "at eleven p m"),
        ("8-17", "eight to seventeen"),
        ("€12.50", "twelve point five zero euros"),
        ("$3", "three dollars"),
        ("1,200 people", "one thousand two hundred people"),
        ("-3", "minus three"),
        ("5%", "five percent"),
        ("007", "zero zero seven"),
        ("the bridge's o'clock", "the bridges oclock"),
        ("bread & butter", "bread and butter"),
        ("Café Zürich", "café zürich"),
        ("(really) [yes]", "really yes"),
        ("", ""),
        ("...", ""),
    ],
)
def test_texts_are_words(text: str, sounds: str) -> None:
    """Signs, times and prices have words; brackets and quotes have none."""
    assert " ".join(word.sound for word in pronounced(text)) == sounds


def test_the_voice_pauses_where_a_sign_is() -> None:
    """A comma is a short pause, the end of a sentence a longer one."""
    words = pronounced("Yes, 21. No")

    assert [word.pause_ms for word in words] == [COMMA_MS, 0, SENTENCE_MS, 0]
    assert [word.written for word in words] == ["Yes,", "21.", "", "No"]


@pytest.mark.parametrize("text", ["\x00\ud800", "," * 50, "9" * 500, "1:1:1:1", "٣ 三 ½"])
def test_nonsense_is_no_error(text: str) -> None:
    """Tools answer what they like."""
    assert all(word.sound for word in pronounced(text))
