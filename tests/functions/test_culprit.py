from __future__ import annotations

import pytest

from bridge.functions.culprit import culprit


def test_the_place_and_not_the_words() -> None:
    """An exception is known by its kind and the line that raised it."""
    with pytest.raises(KeyError) as raised:
        {"a": 1}["what the caller said"]

    told = culprit(raised.value)

    assert told.startswith("KeyError at test_culprit.py:")
    assert "said" not in told


def test_an_exception_that_was_never_raised() -> None:
    """Without a traceback the kind has to do."""
    assert culprit(ValueError("x")) == "ValueError"
