"""Tokens, quotes, parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.sip.faults import Reason, SipProtocolError
from bridge.wire.sip.grammar import (
    is_token,
    number,
    parameter,
    quote,
    read_parameters,
    split,
    unquote,
    write_parameters,
)


def test_separators_in_quotes_and_brackets_separate_nothing() -> None:
    text = '"a,\\",b" <sip:x,y@h>, c'

    assert split(text, ",", Reason.HEADER) == ['"a,\\",b" <sip:x,y@h>', "c"]


@pytest.mark.parametrize("text", ['"open', "<open", '"a\\"', 'a, "'])
def test_what_is_opened_must_be_closed(text: str) -> None:
    with pytest.raises(SipProtocolError):
        split(text, ",", Reason.HEADER)


def test_parameters_keep_their_values_as_they_were() -> None:
    read = read_parameters(' ; TAG = aB ;lr; x="a;b"', Reason.HEADER)

    assert read == (("tag", "aB"), ("lr", None), ("x", '"a;b"'))
    assert write_parameters(read) == ';tag=aB;lr;x="a;b"'
    assert (parameter(read, "lr"), parameter(read, "none")) == ("", None)


@pytest.mark.parametrize("text", ["a", ";", ";;a", ";=b", ";a=", ";a;a", ";a b=c"])
def test_parameters_that_are_none(text: str) -> None:
    with pytest.raises(SipProtocolError):
        read_parameters(text, Reason.HEADER)


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "4294967296", "1" * 5000, "\u0661"])
def test_numbers_are_plain_and_bounded(text: str) -> None:
    with pytest.raises(SipProtocolError):
        number(text, Reason.CSEQ)


def test_leading_zeros_are_no_matter() -> None:
    assert number("0" * 50 + "68", Reason.HEADER) == 68


def test_tokens() -> None:
    assert is_token("a-.!%*_+`'~9")
    assert not any(is_token(text) for text in ("", "a b", "a@b", "\u00e4", "a\n"))


@given(st.text())
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert unquote(quote(text)) == text
    assert unquote("plain") == "plain"
