"""
TwiML as Twilio reads it: a document in, verbs out. For whoever plays Twilio's part.

Rule: the documents are a stranger's. They are bounded, and one with a document type
declaration is refused, so that nobody defines entities here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.errors import CarrierProtocolError

__all__ = [
    "MAX_DOCUMENT_SIZE",
    "Connect",
    "Dial",
    "Hangup",
    "Pause",
    "Play",
    "Redirect",
    "Reject",
    "Say",
    "Unknown",
    "Verb",
    "read_twiml",
]

MAX_DOCUMENT_SIZE = 64 * 1024  # characters


@dataclass(frozen=True, slots=True)
class Say:
    """Speak these words. `loop` 0 means again and again."""

    words: str = field(repr=False)
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Play:
    """Play the recording behind this URL."""

    url: str
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """Be silent for so many seconds."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect the caller to a number or a sip: URI, then ask `action`."""

    target: str = field(repr=False)
    action: str | None = None
    method: str = "POST"
    caller_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document behind this URL."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Hangup:
    """The call is over."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not answer the call at all."""

    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a bidirectional media stream; when it has ended, ask `action` or go on."""

    stream_url: str
    action: str | None = None
    method: str = "POST"
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    status_callback: str | None = None
    status_callback_method: str = "POST"
    name: str | None = None
    track: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A verb, or a way of using one, that we have no word for."""

    name: str


Verb = Say | Play | Pause | Dial | Redirect | Hangup | Reject | Connect | Unknown


def read_twiml(text: str | bytes) -> tuple[Verb, ...]:
    """The verbs of a document in their order. Raises CarrierProtocolError for what is no TwiML."""
    return tuple(_read_verb(element) for element in _parse(text))


def _parse(text: str | bytes) -> ET.Element:
    if len(text) > MAX_DOCUMENT_SIZE:
        raise CarrierProtocolError("the document is larger than 64 KiB")
    try:
        document = text.decode() if isinstance(text, bytes) else text
        if "<!DOCTYPE" in document:
            raise CarrierProtocolError("the document has a document type declaration")
        root = ET.fromstring(document)  # noqa: S314 - it can define no entities
    except (ET.ParseError, ValueError):
        raise CarrierProtocolError("the document is not XML") from None
    if root.tag != "Response":
        raise CarrierProtocolError("the document is not a Response")
    return root


def _read_verb(element: ET.Element) -> Verb:
    match element.tag:
        case "Say":
            return Say(_words(element), _whole(element, "loop", 1))
        case "Play":
            return Play(_words(element), _whole(element, "loop", 1))
        case "Pause":
            return Pause(float(_whole(element, "length", 1)))
        case "Dial":
            return _read_dial(element)
        case "Redirect":
            return Redirect(_words(element), _method(element, "method"))
        case "Hangup":
            return Hangup()
        case "Reject":
            return Reject(element.get("reason", "rejected"))
        case "Connect":
            return _read_connect(element)
        case _:
            return Unknown(element.tag)


def _read_dial(element: ET.Element) -> Verb:
    nouns = [child for child in element if child.tag in {"Number", "Sip"}]
    target = _words(nouns[0]) if nouns else (element.text or "").strip()
    if not target:
        return Unknown("Dial")
    method = _method(element, "method")
    return Dial(target, element.get("action"), method, element.get("callerId"))


def _read_connect(element: ET.Element) -> Verb:
    stream = element.find("Stream")
    if stream is None:
        return Unknown("Connect")
    return Connect(
        stream_url=stream.get("url", ""),
        action=element.get("action"),
        method=_method(element, "method"),
        parameters={
            parameter.get("name", ""): parameter.get("value", "")
            for parameter in stream.findall("Parameter")
        },
        status_callback=stream.get("statusCallback"),
        status_callback_method=_method(stream, "statusCallbackMethod"),
        name=stream.get("name"),
        track=stream.get("track"),
    )


def _words(element: ET.Element) -> str:
    return "".join(element.itertext()).strip()


def _method(element: ET.Element, name: str) -> str:
    return element.get(name, "POST").upper()


def _whole(element: ET.Element, name: str, default: int) -> int:
    value = element.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default
