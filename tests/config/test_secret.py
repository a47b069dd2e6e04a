from __future__ import annotations

import copy
import json
import pickle

import pytest

from bridge.config.secret import Secret

SECRET = Secret("hunter2")


def test_revealed_only_on_request() -> None:
    """Whoever wants the text has to say so."""
    assert SECRET.reveal() == "hunter2"


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET:>20}",
        "".join(("{0}", "{0!r}", "{0:10}")).format(SECRET),
        f"{[SECRET]}",
    ],
)
def test_it_does_not_print_itself(shown: str) -> None:
    """Whichever way it is printed, stars are seen."""
    assert "***" in shown
    assert "hunter2" not in shown


def test_it_does_not_become_json() -> None:
    """Nor does it slip into an answer."""
    with pytest.raises(TypeError):
        json.dumps({"key": SECRET})


def test_equality() -> None:
    """Two secrets are equal when their texts are, and no secret equals a text."""
    assert Secret("hunter2") == SECRET
    assert Secret("hunter3") != SECRET
    assert SECRET != "hunter2"
    assert len({SECRET, Secret("hunter2"), Secret("ü")}) == 2


def test_it_travels_to_a_worker() -> None:
    """A copy, in this process or another, is as good."""
    assert copy.deepcopy(SECRET) == SECRET
    assert pickle.loads(pickle.dumps(SECRET)) == SECRET
