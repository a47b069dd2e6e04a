"""Payload types."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ALAW_8K, ULAW_8K
from bridge.wire.sdp.codecs import Codec, codec_of, number_of, read_codecs
from bridge.wire.sdp.description import Media
from bridge.wire.sdp.faults import Reason, SdpError


def media(*formats: str, maps: tuple[str, ...] = ()) -> Media:
    return Media("audio", 4000, "RTP/AVP", formats, None, tuple(("rtpmap", text) for text in maps))


def test_known_numbers_need_no_map() -> None:
    """PCMU, PCMA and comfort noise have their own."""
    ulaw, alaw, noise = read_codecs(media("0", "8", "13"))

    assert (ulaw.format, alaw.format) == (ULAW_8K, ALAW_8K)
    assert noise.is_noise
    assert noise.format is None


def test_a_map_gives_a_number_its_meaning() -> None:
    """In the order of the m-line; names in any case."""
    codecs = read_codecs(
        media("97", "96", "18", "97", maps=("96 Telephone-Event/8000", "97 pcma/8000/1"))
    )

    assert [codec.payload_type for codec in codecs] == [97, 96, 18]
    assert codecs[0].format == ALAW_8K
    assert codecs[1].is_events
    assert codecs[2].name == ""


@pytest.mark.parametrize(
    "codec",
    [Codec(97, "PCMU", 16_000), Codec(97, "PCMU", 8_000, 2), Codec(9, "G722", 8_000)],
    ids=str,
)
def test_only_narrow_mono_is_ours(codec: Codec) -> None:
    """The same name at another rate is another codec."""
    assert codec.format is None


def test_keys_need_the_clock_of_the_audio() -> None:
    """Wideband telephones offer keys at 16 or 48 kHz too."""
    assert not Codec(97, "telephone-event", 48_000).is_events


@pytest.mark.parametrize("text", ["", "97", "97 PCMU", "300 PCMU/8000", "97 PCMU/x", "x PCMU/8000"])
def test_a_map_is_well_formed(text: str) -> None:
    """Or the description is refused."""
    with pytest.raises(SdpError) as refused:
        read_codecs(media("0", maps=(text,)))

    assert refused.value.reason is Reason.RTPMAP


@pytest.mark.parametrize("number", ["128", "x", "0x", "٤"])
def test_a_payload_type_has_seven_bits(number: str) -> None:
    """And is a number."""
    with pytest.raises(SdpError):
        read_codecs(media(number))


def test_our_formats_have_names_and_numbers() -> None:
    """Those of RFC 3551."""
    assert [(codec_of(law), number_of(law)) for law in (ULAW_8K, ALAW_8K)] == [
        ("PCMU", 0),
        ("PCMA", 8),
    ]
