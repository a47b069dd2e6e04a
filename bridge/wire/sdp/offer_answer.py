"""
Offers and answers of one call (RFC 3264).

Rule: an answer takes one codec, the first of the offer that we speak, so that neither end
has to guess what comes. What is refused changes nothing: the agreement is then the one
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.audio.formats import AudioFormat
from bridge.wire.rtp.payloads import Payloads
from bridge.wire.sdp.agreement import (
    Agreement,
    Capabilities,
    Local,
    check_transport,
    packet_ms,
    places,
)
from bridge.wire.sdp.codecs import EVENTS, Codec, codec_of, number_of, read_codecs
from bridge.wire.sdp.description import Attribute, Description, Media, Origin
from bridge.wire.sdp.direction import Direction, wish_of
from bridge.wire.sdp.faults import NotAcceptable, Reason, Refusal, SdpError

__all__ = ["Negotiation"]

_EVENTS_NUMBER = 101  # what most use, and some demand
_EVENTS_TAKEN = "0-15"
_VERSIONS = 2**63
_ALL = Capabilities()


@dataclass(frozen=True, slots=True)
class _Offered:
    """An offer of ours that is not answered yet."""

    description: Description
    audio: int
    direction: Direction


class Negotiation:
    """
    One call's offers and answers. `session_id` names our end in o=, and should be random.

    `agreement` is what holds now, None before the first answer. Raises SdpError for what is
    malformed (400) and NotAcceptable for what we cannot do (488).
    """

    def __init__(self, local: Local, session_id: int, capabilities: Capabilities = _ALL) -> None:
        self._local = local
        self._capabilities = capabilities
        self._origin = Origin(session_id % _VERSIONS, 0, local.address)
        self._said: Description | None = None
        self._slots: tuple[Media, ...] = ()
        self._audio = 0
        self._events_number = _EVENTS_NUMBER
        self._numbers = {law: number_of(law) for law in capabilities.codecs}
        self._offered: _Offered | None = None
        self.agreement: Agreement | None = None

    def answer(self, offer: Description) -> Description:
        """Our answer to an offer of theirs, which holds from now on."""
        index = self._choose(offer)
        media = offer.media[index]
        audio, events = self._pick(read_codecs(media))
        wish = wish_of(offer, media)
        agreement = self._agree(offer, media, audio, events, wish.answered_by(Direction.SENDRECV))
        agreement = replace(agreement, payloads=_incoming([audio], [events]))

        answered = [_refused(other) for other in offer.media]
        codecs = [audio] if events is None else [audio, events]
        answered[index] = self._media(media.protocol, codecs, agreement)
        self._keep(agreement, offer.media, index)
        return self._say(answered)

    def offer(self, direction: Direction = Direction.SENDRECV) -> Description:
        """
        An offer of ours: at the start of a call, to an INVITE without one, or to change what
        holds. It holds from `accept` on; `withdraw` takes it back.
        """
        codecs = [
            Codec(self._numbers[law], codec_of(law), law.sample_rate) for law in self._preferred()
        ]
        codecs.append(Codec(self._events_number, EVENTS, 8_000))
        slots = [_refused(slot) for slot in self._slots] or [Media("audio", 0, "RTP/AVP", ())]
        protocol = slots[self._audio].protocol
        slots[self._audio] = self._offer_media(protocol, codecs, direction)
        offered = self._say(slots)
        self._offered = _Offered(offered, self._audio, direction)
        return offered

    def accept(self, answer: Description) -> Agreement:
        """Their answer to our offer, which holds from now on."""
        offered = self._offered
        if offered is None or len(answer.media) != len(offered.description.media):
            raise SdpError(Reason.UNASKED)
        media = answer.media[offered.audio]
        if media.port == 0 or media.kind != "audio":
            raise NotAcceptable(Refusal.NO_AUDIO)
        check_transport(media)
        audio, events = self._pick(read_codecs(media))
        direction = wish_of(answer, media).answered_by(offered.direction)
        agreement = self._agree(answer, media, audio, events, direction)
        ours = read_codecs(offered.description.media[offered.audio])
        agreement = replace(agreement, payloads=_incoming([audio, *ours], [events, *ours]))
        self._offered = None
        self._keep(agreement, answer.media, offered.audio)
        return agreement

    def withdraw(self) -> None:
        """Our offer was refused; what held before holds on."""
        self._offered = None

    def _choose(self, offer: Description) -> int:
        """Which media of an offer is the call's audio."""
        refused = NotAcceptable(Refusal.NO_AUDIO)
        for index, media in enumerate(offer.media):
            if media.kind != "audio" or media.port == 0:
                continue
            try:
                check_transport(media)
                self._pick(read_codecs(media))
            except NotAcceptable as refusal:
                refused = refusal
            else:
                return index
        raise refused

    def _pick(self, codecs: Sequence[Codec]) -> tuple[Codec, Codec | None]:
        """The first audio that we speak, and the keys."""
        ours = self._capabilities.codecs
        audio = next((codec for codec in codecs if codec.format in ours), None)
        if audio is None:
            raise NotAcceptable(Refusal.CODEC)
        return audio, next((codec for codec in codecs if codec.is_events), None)

    def _agree(
        self,
        theirs: Description,
        media: Media,
        audio: Codec,
        events: Codec | None,
        direction: Direction,
    ) -> Agreement:
        mux = media.has("rtcp-mux")
        rtp, rtcp = places(theirs, media, self._local, mux=mux)
        assert audio.format is not None, "it was picked by its format"
        return Agreement(
            remote=rtp,
            remote_rtcp=rtcp,
            format=audio.format,
            payload_type=audio.payload_type,
            payloads=Payloads(),
            events=None if events is None else events.payload_type,
            ptime_ms=packet_ms(media, self._capabilities.ptime_ms),
            direction=direction,
            rtcp_mux=mux,
        )

    def _keep(self, agreement: Agreement, slots: tuple[Media, ...], audio: int) -> None:
        # The m-lines of a call keep their places, and its numbers their meaning.
        self.agreement = agreement
        self._slots, self._audio = slots, audio
        self._numbers[agreement.format] = agreement.payload_type
        if agreement.events is not None:
            self._events_number = agreement.events

    def _preferred(self) -> list[AudioFormat]:
        """What we offer: what holds already comes first, and numbers mean one thing each."""
        held = None if self.agreement is None else self.agreement.format
        taken = {self._events_number}
        preferred = []
        for law in sorted(self._capabilities.codecs, key=lambda law: law != held):
            if (number := self._numbers[law]) not in taken:
                taken.add(number)
                preferred.append(law)
        return preferred

    def _offer_media(self, protocol: str, codecs: list[Codec], direction: Direction) -> Media:
        ptime_ms = self._capabilities.ptime_ms
        if self.agreement is not None:
            ptime_ms = self.agreement.ptime_ms
        return self._written(protocol, codecs, direction, ptime_ms, mux=True)

    def _media(self, protocol: str, codecs: list[Codec], agreement: Agreement) -> Media:
        mux, ptime_ms = agreement.rtcp_mux, agreement.ptime_ms
        return self._written(protocol, codecs, agreement.direction, ptime_ms, mux=mux)

    def _written(
        self, protocol: str, codecs: list[Codec], direction: Direction, ptime_ms: int, *, mux: bool
    ) -> Media:
        local = self._local
        attributes: list[Attribute] = [
            ("rtpmap", f"{codec.payload_type} {codec.name}/{codec.rate}") for codec in codecs
        ]
        attributes += [
            ("fmtp", f"{codec.payload_type} {_EVENTS_TAKEN}") for codec in codecs if codec.is_events
        ]
        attributes += [("ptime", str(ptime_ms)), ("maxptime", "60"), (direction.value, None)]
        if local.rtcp_port is not None and local.rtcp_port != local.port + 1:
            attributes.append(("rtcp", str(local.rtcp_port)))
        if mux:
            attributes.append(("rtcp-mux", None))
        numbers = tuple(str(codec.payload_type) for codec in codecs)
        return Media("audio", local.port, protocol, numbers, None, tuple(attributes))

    def _say(self, media: list[Media]) -> Description:
        """A description of ours; its version grows when it says something new."""
        said = Description(self._origin, self._local.address, tuple(media))
        if self._said is not None and said != self._said:
            self._origin = replace(self._origin, version=self._origin.version + 1)
            said = replace(said, origin=self._origin)
        self._said = said
        return said


def _refused(media: Media) -> Media:
    return Media(media.kind, 0, media.protocol, media.formats)


def _incoming(audio: Sequence[Codec], events: Sequence[Codec | None]) -> Payloads:
    """
    What may come. An end sends by the numbers of the other's description; some send by their
    own, which is why those are here too where they mean nothing else. What comes first counts.
    """
    formats = dict(Payloads().audio)  # some change between the two without a word
    for codec in reversed(audio):
        if codec.format is not None:
            formats[codec.payload_type] = codec.format
    keys = {codec.payload_type for codec in events if codec is not None and codec.is_events}
    return Payloads(formats, frozenset(keys - formats.keys()))
