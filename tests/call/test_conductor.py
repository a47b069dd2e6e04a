"""A call carried out between a leg and a runner that remember what they were told."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bridge.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from bridge.audio.transcode import transcoder
from bridge.call.conductor import Conductor, Observer
from bridge.call.ear import Ear
from bridge.call.machine import Call
from bridge.call.patience import CallRules
from bridge.call.vocabulary import (
    Finishing,
    Happened,
    ModelReady,
    Moment,
    Over,
    PressAsked,
    SayAsked,
)
from bridge.errors import ConnectError, Ending, Fault, NotConnected, SessionClosed
from bridge.ports import leg, phrases
from bridge.ports import server_events as model
from bridge.ports.client_events import Message
from bridge.ports.conversation import HistoryItem
from bridge.ports.runner_events import RunnerEvent, RunnerListener
from bridge.ports.store import Cut
from tests.call.scripts import STARTED, sound

LOUD, SILENT = b"\x00" * 160, b"\xff" * 160
HANG_UP = Finishing(leg.Hangup(), Ending(Fault.NOBODY, "agent_hung_up"))
HANG_UP_NOW = Finishing(leg.Hangup(), Ending(Fault.OPERATOR, "hung_up"), after_words=False)
CALLER_GONE = leg.Ended(Ending(Fault.CALLER, "hangup"))
FAULT = Over(Ending(Fault.BRIDGE, "fault", "a fault of the bridge"), leg.Hangup(phrases.APOLOGY))


class Log(list[object]):
    """Everything that was done, in order, by everybody."""


class FakeLeg:
    def __init__(self, log: Log) -> None:
        self._log = log
        self.tell: leg.LegListener = lambda _: None
        self.says: leg.Hear = lambda _: None
        self.watch: Callable[[], None] = lambda: None
        self.frames_in = 0
        self._started = False

    def attach(self, listener: leg.LegListener, hear: leg.Hear | None = None) -> None:
        assert hear is not None
        self.tell, self.says = listener, hear
        if not self._started:
            self._started = True
            listener(STARTED)

    def do(self, command: leg.LegCommand) -> None:
        self._log.append(command)
        self.watch()


class FakeRunner:
    """`refuses` is raised by an interruption, `breaks` by whatever else it is asked."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.fed: list[bytes] = []
        self.tell_call: RunnerListener = lambda _: None
        self.refuses: Exception | None = None
        self.breaks: Exception | None = None
        self.answers_at_once = False

    async def connect(self) -> None:
        """Somebody else dials."""

    async def close(self) -> None:
        """And closes."""

    def attach(self, listener: RunnerListener) -> None:
        self.tell_call = listener

    def feed(self, audio: bytes) -> None:
        self.fed.append(audio)
        self._done("feed")

    def ask_response(self, instructions: str | None = None) -> None:
        self._done(("ask", instructions))

    def tell(self, message: Message) -> None:
        self._done(("tell", message))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        self._done(("truncate", item_id, heard_ms))
        if self.answers_at_once:
            self.tell_call(model.ResponseCreated("r2"))
            self.tell_call(model.AudioDelta("i2", sound(20), "r2"))

    async def interrupt(self) -> None:
        self._log.append("interrupt")
        if self.refuses is not None:
            raise self.refuses

    @property
    def history(self) -> tuple[HistoryItem, ...]:
        return ()

    @property
    def resume_token(self) -> str | None:
        return None

    def _done(self, deed: object) -> None:
        self._log.append(deed)
        if self.breaks is not None:
            raise self.breaks


class Memory(Observer):
    """An observer that remembers."""

    def __init__(self) -> None:
        self.moments: list[Happened] = []
        self.events: list[RunnerEvent] = []
        self.digits = ""
        self.clears: list[float] = []

    def moment(self, happened: Happened, now: float) -> None:
        self.moments.append(happened)

    def model(self, happened: RunnerEvent) -> None:
        self.events.append(happened)

    def digit(self, digit: str) -> None:
        self.digits += digit

    def cleared(self, seconds: float) -> None:
        self.clears.append(seconds)


class Stage:
    """A call under way, and everybody around it."""

    def __init__(
        self,
        rules: CallRules,
        format: AudioFormat,
        ear: Ear | None = None,
    ) -> None:
        self.log = Log()
        self.leg = FakeLeg(self.log)
        self.runner = FakeRunner(self.log)
        self.memory = Memory()
        self.call = Call(rules, ULAW_8K, asyncio.get_running_loop().time())
        self.conductor = Conductor(
            self.call,
            self.leg,
            self.runner,
            format=ULAW_8K,
            to_model=transcoder(ULAW_8K, format),
            to_caller=transcoder(format, ULAW_8K),
            observer=self.memory,
            ear=ear,
        )
        self.over: asyncio.Task[Over]

    def conduct(self, dialled: Awaitable[None]) -> None:
        dialling = asyncio.ensure_future(dialled)
        self.over = asyncio.create_task(self.conductor.conduct(dialling, ModelReady()))

    @property
    def voice(self) -> list[bytes]:
        """What the caller was sent."""
        return [deed.audio for deed in self.log if isinstance(deed, leg.Play)]

    def speaks(self, size: int = 800, response: str = "r1") -> None:
        self.runner.tell_call(model.ResponseCreated(response))
        self.runner.tell_call(model.AudioDelta("i1", b"\x10" * size, response))


async def nothing() -> None:
    """A dial that has succeeded."""


@asynccontextmanager
async def stage(
    rules: CallRules | None = None,
    format: AudioFormat = ULAW_8K,
    dialled: Awaitable[None] | None = None,
    ear: Ear | None = None,
) -> AsyncIterator[Stage]:
    """A call with both sides there. At the end of the test the caller hangs up."""
    play = Stage(rules or CallRules(), format, ear)
    play.conduct(dialled or nothing())
    await asyncio.sleep(0.001)
    yield play
    play.leg.tell(CALLER_GONE)
    await play.over


# Audio


async def test_audio_of_the_same_format_passes_untouched() -> None:
    """The very bytes, in the same loop turn, in both directions."""
    async with stage() as play:
        frame, delta = sound(20), sound(60)
        play.leg.says(frame)
        play.runner.tell_call(model.ResponseCreated("r1"))
        play.runner.tell_call(model.AudioDelta("i1", delta, "r1"))

        assert play.runner.fed[0] is frame
        assert play.voice[0] is delta
        assert play.conductor.audio_out == len(delta)


async def test_audio_of_other_formats_is_turned_into_theirs() -> None:
    """20 ms are 160 bytes for the caller and 960 for the model."""
    async with stage(format=PCM16_24K) as play:
        play.leg.says(sound(20))
        play.speaks(960)

        assert len(play.runner.fed[0]) == 960
        assert play.voice == [transcoder(PCM16_24K, ULAW_8K).feed(b"\x10" * 960)]


async def test_half_a_sample_is_not_played() -> None:
    """Nothing comes out of it, so there is nothing to send."""
    async with stage(format=PCM16_24K) as play:
        play.speaks(1)

        assert play.log == []


async def test_nothing_of_an_interrupted_answer_sounds_on_in_the_next() -> None:
    """The codec remembers the last milliseconds; a new answer begins without them."""
    loud, quiet = b"\x00\x7f" * 480, b"\x00\x00" * 480
    async with stage(format=PCM16_24K) as play:
        play.runner.tell_call(model.ResponseCreated("r1"))
        play.runner.tell_call(model.AudioDelta("i1", loud, "r1"))
        play.runner.tell_call(model.SpeechStarted())
        play.runner.tell_call(model.AudioDelta("i1", loud, "r1"))  # late
        play.log.clear()
        play.runner.tell_call(model.ResponseCreated("r2"))
        play.runner.tell_call(model.AudioDelta("i2", quiet, "r2"))

        assert play.voice == [b"\xff" * 160]


async def test_a_call_that_closes_hears_no_caller() -> None:
    async with stage() as play:
        play.speaks()
        play.conductor.tell(HANG_UP)
        play.leg.says(sound(20))

        assert play.runner.fed == [b"\xff" * 160]


# Commands


async def test_an_interruption_is_done_at_once_and_in_order() -> None:
    """Clear first, then the truncation, in the very turn of the event."""
    async with stage() as play:
        play.speaks(1600)
        play.log.clear()
        play.runner.tell_call(model.SpeechStarted())

        assert play.log[0] == leg.Clear()
        assert isinstance(play.log[1], tuple)
        assert play.log[1][:2] == ("truncate", "i1")
        assert len(play.log) == 2
        assert len(play.memory.clears) == 1
        assert 0 <= play.memory.clears[0] < 1


async def test_a_caller_who_is_heard_to_speak() -> None:
    """Where the model does not tell: whoever goes on with the call knows who was cut off."""
    async with stage(ear=Ear(ULAW_8K)) as play:
        for _ in range(5):
            play.leg.says(LOUD)
        cuts = [play.call.cut]
        for _ in range(25):
            play.leg.says(SILENT)
        cuts.append(play.call.cut)  # nobody has answered yet
        play.speaks()
        cuts.append(play.call.cut)

        assert cuts == [Cut.CALLER, Cut.CALLER, Cut.AGENT]
        told = [each.what for each in play.memory.moments]
        assert Moment.CALLER_SPEAKS in told
        assert Moment.CALLER_SILENT in told


async def test_the_agents_echo_is_not_the_caller() -> None:
    """Unless the model says that it was interrupted."""
    async with stage(ear=Ear(ULAW_8K)) as play:
        play.speaks(16_000)
        for _ in range(5):
            play.leg.says(LOUD)
        cuts = [play.call.cut]
        play.runner.tell_call(model.Interrupted("r1"))
        cuts.append(play.call.cut)

        assert cuts == [Cut.AGENT, Cut.CALLER]


async def test_without_an_ear_the_model_tells() -> None:
    async with stage() as play:
        for _ in range(5):
            play.leg.says(LOUD)

        assert play.call.cut is Cut.NOBODY


async def test_keys_for_the_other_end_go_to_its_leg() -> None:
    async with stage() as play:
        play.log.clear()
        play.conductor.tell(PressAsked("42#"))

        assert play.log == [leg.Press("42#")]


async def test_a_key_stops_the_model() -> None:
    """The observer learns the key, the model is interrupted and then told the entry."""
    async with stage() as play:
        play.speaks()
        play.leg.tell(leg.Digit("#"))
        await asyncio.sleep(0.001)

        assert play.memory.digits == "#"
        assert "interrupt" in play.log
        assert ("tell", Message("user", "The caller pressed #.", respond=True)) in play.log


@pytest.mark.parametrize("refusal", [NotConnected("no session"), SessionClosed("gone")])
async def test_there_is_nobody_to_interrupt(refusal: Exception) -> None:
    """A session that is being replaced says nothing more in any case."""
    async with stage() as play:
        play.runner.refuses = refusal
        play.speaks()
        play.leg.tell(leg.Digit("1"))
        await asyncio.sleep(0.001)

        assert not play.over.done()


async def test_what_happens_while_something_is_done_waits_its_turn() -> None:
    """A runner that answers within the very call: no command overtakes another."""
    seen: list[Moment] = []
    async with stage() as play:
        play.runner.answers_at_once = True
        play.speaks()
        play.leg.watch = lambda: seen.append(play.memory.moments[-1].what)
        play.runner.tell_call(model.SpeechStarted())

        assert seen == [
            Moment.CALLER_SPEAKS,  # when the clear left
            Moment.INTERRUPTED,  # when the next answer was played
        ]


async def test_the_timeline_and_the_events_are_told() -> None:
    """Every event of the runner's but its audio."""
    async with stage() as play:
        play.speaks()

        assert [happened.what for happened in play.memory.moments] == [
            Moment.ANSWERED,
            Moment.MODEL_READY,
            Moment.AGENT_SPEAKS,
        ]
        assert play.memory.events == [model.ResponseCreated("r1")]


# Time


async def test_the_machine_is_woken() -> None:
    """At its deadline, again and again, until it ends the call."""
    rules = CallRules(silence_seconds=0.02, silence_prompts=1, longest_seconds=60.0)
    async with stage(rules) as play:
        async with asyncio.timeout(10):
            while ("ask", phrases.GOODBYE_SILENCE) not in play.log:
                await asyncio.sleep(0.005)

        asked = [deed for deed in play.log if isinstance(deed, tuple) and deed[0] == "ask"]
        assert asked == [("ask", phrases.STILL_THERE), ("ask", phrases.GOODBYE_SILENCE)]


async def test_an_earlier_deadline_moves_the_timer() -> None:
    """The machine waits for silence, when a key has to be answered sooner."""
    async with stage() as play:
        play.leg.tell(leg.Digit("1"))

        async with asyncio.timeout(10):
            while not any(isinstance(deed, tuple) and deed[0] == "tell" for deed in play.log):
                await asyncio.sleep(0.05)


async def test_what_the_caller_says_meanwhile_is_silence_to_the_model() -> None:
    """From the beginning of the closing on, where it went straight to the model before."""
    async with stage() as play:
        play.leg.says(sound(20))
        play.speaks()
        play.conductor.tell(Finishing(leg.Hangup(), Ending(Fault.NOBODY, "agent_hung_up")))
        play.leg.says(sound(20))

        assert play.runner.fed == [sound(20), ULAW_8K.silent(160)]


# The end


async def test_the_end_is_the_owners_to_carry_out() -> None:
    """The verdict is returned; nothing more is done and nothing more is heard."""
    async with stage() as play:
        play.conductor.tell(HANG_UP_NOW)
        play.leg.says(sound(20))
        play.speaks()

        assert await play.over == Over(HANG_UP_NOW.ending, leg.Hangup())
        assert play.log == []


async def test_a_wish_that_comes_before_the_call_begins() -> None:
    play = Stage(CallRules(), ULAW_8K)
    play.conductor.tell(HANG_UP_NOW)

    play.conduct(nothing())

    assert (await play.over).ending == HANG_UP_NOW.ending


async def test_the_model_cannot_be_had() -> None:
    """The fault is its own, the words are for people."""

    async def refused() -> None:
        raise ConnectError("the provider does not answer")

    async with stage(dialled=refused()) as play:
        over = await play.over

        assert over.ending == Ending(
            Fault.PROVIDER, "model_unreachable", "the provider does not answer"
        )
        assert over.verdict == leg.Hangup(phrases.APOLOGY)


async def test_a_call_ends_before_the_model_is_there() -> None:
    """Nobody goes on dialling for it."""
    dialled = asyncio.create_task(asyncio.sleep(3600))
    async with stage(dialled=dialled) as play:
        play.leg.tell(CALLER_GONE)
        await play.over

        assert dialled.cancelled()


async def test_our_own_fault_ends_only_this_call(caplog: pytest.LogCaptureFixture) -> None:
    """In an apology to the caller, and loudly in the log."""
    async with stage() as broken, stage() as other:
        broken.runner.breaks = RuntimeError("a bug")
        with caplog.at_level(logging.ERROR):
            broken.conductor.tell(SayAsked("Say hello."))

        assert await broken.over == FAULT
        assert not other.over.done()
        assert "a bug" in caplog.text


async def test_a_fault_in_the_callers_audio(caplog: pytest.LogCaptureFixture) -> None:
    """Where it passes through here, that ends in an apology as well; else the leg is lost."""
    async with stage(CallRules(fallback="+14155550100"), format=PCM16_24K) as play:
        play.runner.breaks = RuntimeError("a bug")
        play.leg.says(sound(20))

        verdict = (await play.over).verdict
        assert verdict == leg.Transfer("+14155550100", phrases.APOLOGY)


async def test_a_fault_while_the_model_is_dialled() -> None:
    """Not only the provider can fail."""

    async def broken() -> None:
        raise RuntimeError("a bug")

    async with stage(dialled=broken()) as play:
        assert await play.over == FAULT


async def test_a_cancelled_call_leaves_nothing_behind() -> None:
    """No task, no timer that would wake it, and nothing is done about what happens then."""
    before = asyncio.all_tasks()
    dialled = asyncio.create_task(asyncio.sleep(3600))
    play = Stage(CallRules(silence_seconds=0.01), ULAW_8K)
    play.conduct(dialled)
    await asyncio.sleep(0.001)
    play.leg.tell(leg.Digit("1"))

    play.over.cancel()
    await asyncio.gather(play.over, return_exceptions=True)
    said = len(play.log)
    play.speaks()
    await asyncio.sleep(0.03)

    assert asyncio.all_tasks() == before
    assert dialled.cancelled()
    assert len(play.log) == said


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_call_that_is_over_is_forgotten(cancelled: bool) -> None:
    """No timer holds it until its hour has come."""
    play = Stage(CallRules(), ULAW_8K)
    play.conduct(nothing())
    await asyncio.sleep(0.001)
    play.leg.tell(leg.Digit("1"))
    if cancelled:
        play.over.cancel()
    else:
        play.leg.tell(CALLER_GONE)
    await asyncio.gather(play.over, return_exceptions=True)
    left = weakref.ref(play.conductor)

    del play
    await asyncio.sleep(0.001)
    gc.collect()

    assert left() is None


async def test_who_only_watches_need_not_say_anything() -> None:
    """An observer overrides what it wants to know."""
    observer = Observer()

    observer.moment(Happened(Moment.OVER), 0.0)
    observer.model(model.AudioCleared())
    observer.digit("1")
    observer.cleared(0.0)
