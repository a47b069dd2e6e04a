"""
TwiML, the documents that tell Twilio what becomes of a call: written here, read in `verbs`.

Twilio, TwiML for Programmable Voice: Connect and Stream, Dial, Say, Reject, Hangup.
"""

from __future__ import annotations

import re

from twilio.twiml import voice_response
from twilio.twiml.voice_response import VoiceResponse

from bridge.wire.twilio.verbs import (
    Connect,
    Dial,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Unknown,
    Verb,
    read_twiml,
)

__all__ = [
    "MAX_PARAMETER_LENGTH",
    "TOKEN",
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
    "busy",
    "connect",
    "hangup",
    "is_target",
    "read_twiml",
    "say_and_hangup",
    "transfer",
]

TOKEN = "token"  # noqa: S105 - the name of the parameter, not its value
MAX_PARAMETER_LENGTH = 499  # characters of name and value together
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")  # E.164
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SIP = re.compile(r"sips?:[^\s<>\"]{1,1018}")  # Twilio takes less than 1024 characters


def connect(stream_url: str, action_url: str, status_url: str, token: str) -> str:
    """
    Connect the call to our media stream, and ask `action_url` what to do when it has ended.

    `stream_url` is wss and carries neither a port nor a query string, because Twilio's
    signature would not match the one and Twilio drops the other. `status_url` hears of a
    stream that broke. `token` comes back in the stream's start. ValueError where it is too long.
    """
    if len(TOKEN) + len(token) > MAX_PARAMETER_LENGTH:
        raise ValueError("the token is too long for a stream's parameter")
    verb = voice_response.Connect(action=action_url, method="POST")
    stream = verb.stream(url=stream_url, status_callback=status_url, status_callback_method="POST")
    stream.parameter(name=TOKEN, value=token)
    return _document(VoiceResponse().append(verb))


def hangup(words: str | None = None) -> str:
    """Speak `words`, if there are any, and hang up."""
    response = _spoken(words)
    response.hangup()
    return _document(response)


def say_and_hangup(words: str) -> str:
    """Speak `words` and hang up."""
    return hangup(words)


def busy(words: str | None = None) -> str:
    """Refuse a call for want of room: in words, or without any by the busy tone."""
    if words is not None:
        return hangup(words)
    response = VoiceResponse()
    response.reject(reason="busy")
    return _document(response)


def transfer(
    target: str,
    words: str | None = None,
    action_url: str | None = None,
    caller_id: str | None = None,
) -> str:
    """
    Speak `words` and connect the caller to `target`, an E.164 number or a sip: URI.

    `action_url` is asked what to do when that conversation is over; without it the call
    ends. `caller_id` is whom the other side sees, by default the caller. ValueError where
    the target is neither number nor URI.
    """
    if not is_target(target):
        raise ValueError("the target is neither an E.164 number nor a sip: URI")
    method = None if action_url is None else "POST"
    dial = voice_response.Dial(action=action_url, method=method, caller_id=caller_id)
    if target.startswith("+"):
        dial.number(target)
    else:
        dial.sip(target)
    return _document(_spoken(words).append(dial))


def is_target(text: str) -> bool:
    """Whether a call can be transferred there: an E.164 number, or a sip: or sips: URI."""
    return bool(_NUMBER.fullmatch(text) or _SIP.fullmatch(text))


def _spoken(words: str | None) -> VoiceResponse:
    response = VoiceResponse()
    if words:
        # A document with a control character in it would be no XML.
        response.say(_NOT_XML.sub(" ", words))
    return response


def _document(response: VoiceResponse) -> str:
    text: str = response.to_xml()
    return text
