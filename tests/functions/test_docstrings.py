from __future__ import annotations

import pytest

from bridge.functions.docstrings import Docstring

GOOGLE = """
    Order bread.

    Only for tomorrow
    and later.

    Args:
        kind (str, optional): Which bread: rye
            or wheat.
        *count: How many.

    Returns:
        number: The number of the order.
"""

NUMPY = """Order bread.

    Only for tomorrow and later.

    Parameters
    ----------
    kind : str, optional
        Which bread: rye
        or wheat.
    count
        How many.

    Returns
    -------
    number : int
        The number of the order.
"""

SPHINX = """Order bread.

    Only for tomorrow and later.

    :param str kind: Which bread: rye
        or wheat.
    :param count: How many.
    :type count: int
    :returns: The number of the order.
"""


@pytest.mark.parametrize("style", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_styles(style: str) -> None:
    """The three styles say the same: the prose in one line, and each argument."""
    docstring = Docstring.read(style)

    assert docstring.text == "Order bread. Only for tomorrow and later."
    assert docstring.arguments == {"kind": "Which bread: rye or wheat.", "count": "How many."}


@pytest.mark.parametrize("empty", [None, "", "\n  \n"])
def test_no_docstring(empty: str | None) -> None:
    """Nothing said reads as nothing."""
    assert Docstring.read(empty) == Docstring("", {})


def test_prose_only() -> None:
    """A word that could be a title is prose where nothing marks it as one."""
    docstring = Docstring.read("Args and returns of a debate.\n\nArgs\nare here: none.")

    assert docstring.text == "Args and returns of a debate. Args are here: none."
    assert docstring.arguments == {}


def test_two_sections_of_arguments() -> None:
    """Several sections of arguments add up, and the prose may go on before them only."""
    docstring = Docstring.read(
        "Say.\n\nArgs:\n  a: First.\n\nRaises:\n  b: Never.\n\nKeyword Args:\n  c: Third."
    )

    assert docstring.arguments == {"a": "First.", "c": "Third."}


def test_lines_that_are_no_entries() -> None:
    """What has no argument's form inside the section is left out."""
    docstring = Docstring.read("Say.\n\nArgs:\n    These are they\n    a: First.\n")

    assert docstring.arguments == {"a": "First."}
