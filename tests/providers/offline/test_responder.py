from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bridge.audio.formats import ULAW_8K
from bridge.ports import phrases
from bridge.ports import server_events as event
from bridge.ports.server_events import ServerEvent, Severity
from bridge.providers.offline.clips import Clips
from bridge.providers.offline.dialogue import Dialogue
from bridge.providers.offline.responder import Responder, refusal
from bridge.providers.offline.script import Script
from bridge.providers.offline.speaking import Speaking
from bridge.providers.offline.synthesiser import Synthesiser
from bridge.providers.offline.voice import Vocabulary, Voice

VOCABULARY = Clips({("hello",): b"h" * 1600, ("goodbye",): b"g" * 800}, {})


class Parrot(Synthesiser):
    """Says every phrase in as many bytes as it has letters, when it may."""

    def __init__(self) -> None:
        super().__init__(Path("parrot"))
        self.asked: list[str] = []

    def say(self, phrase: str) -> bytes:
        self.asked.append(phrase)
        return b"p" * len(phrase)


class Stage:
    """A responder with a dialogue, and what it told."""

    def __init__(self, synthesiser: Synthesiser | None = None) -> None:
        self.told: list[ServerEvent] = []
        self.done = asyncio.Event()
        self.dialogue = Dialogue(Script())
        vocabulary = Vocabulary(VOCABULARY)
        self.responder = Responder(
            self.dialogue,
            Voice(vocabulary, ULAW_8K),
            Speaking(self.hear, 0.0),
            vocabulary=vocabulary,
            synthesiser=synthesiser,
            new_id=ids(),
            aloud=True,
        )

    def hear(self, happened: ServerEvent) -> None:
        self.told.append(happened)
        if isinstance(happened, event.ResponseDone):
            self.done.set()

    async def say(self, text: str) -> None:
        self.done.clear()
        self.responder.respond(phrases.say(text))
        await self.done.wait()

    @property
    def spoken(self) -> list[str]:
        return [done.transcript for done in self.told if isinstance(done, event.TranscriptDone)]


def ids() -> Callable[[str], str]:
    count = iter(range(1000))
    return lambda kind: f"{kind}-{next(count)}"


async def test_it_is_busy_until_the_response_is_done() -> None:
    """Another one is not begun meanwhile, and its turn is not lost."""
    stage = Stage()
    stage.responder.respond(phrases.say("Hello"))
    stage.dialogue.heard(1.0)
    stage.responder.respond()
    busy = stage.responder.busy
    await stage.done.wait()

    assert busy
    assert not stage.responder.busy
    assert stage.spoken == ["Hello"]
    assert stage.dialogue.waits_for_reply


async def test_unknown_words_are_made_first_and_only_once() -> None:
    """The response begins when they are there."""
    parrot = Parrot()
    stage = Stage(parrot)
    await stage.say("Hello dear Ada")
    await stage.say("Dear Ada, goodbye")

    assert parrot.asked == ["dear ada"]
    assert stage.spoken == ["Hello dear Ada", "Dear Ada, goodbye"]


async def test_a_response_in_the_making_can_be_silenced() -> None:
    """Nobody hears of it, and the next one is welcome at once."""
    stage = Stage(Parrot())
    stage.responder.respond(phrases.say("dear Ada"))

    silenced = stage.responder.silence("turn_detected")
    await stage.say("Hello")

    assert silenced
    assert stage.spoken == ["Hello"]
    assert not stage.responder.silence("turn_detected")


async def test_truncation_tells_the_dialogue_what_was_heard() -> None:
    """Of the newest response; what cannot be is refused."""
    stage = Stage()
    await stage.say("Hello goodbye")
    item_id = next(e.item_id for e in stage.told if isinstance(e, event.TranscriptDone))

    unknown = stage.responder.truncate("item-of-others", 0)
    too_long = stage.responder.truncate(item_id, 302)
    right = stage.responder.truncate(item_id, 200)

    assert unknown is not None
    assert unknown.severity is Severity.HARMLESS
    assert too_long is not None
    assert too_long.error.code == "invalid_value"
    assert right is None
    assert stage.dialogue.memory.last == "Hello"


def test_a_refusal_says_what_it_is() -> None:
    """The provider's word, and whether a response was refused."""
    error = refusal("busy", "not now", refused_response=True)

    assert (error.error.code, error.error.message) == ("busy", "not now")
    assert error.refused_response
    assert error.severity is Severity.RETRY
