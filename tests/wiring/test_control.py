"""What a call's tools and hooks may do with it."""

from __future__ import annotations

from bridge.call.vocabulary import Finishing, PressAsked, SayAsked
from bridge.errors import Ending, Fault
from bridge.ports import leg, phrases
from bridge.ports.session import RealtimeConfig
from bridge.wiring.control import Control

CHANGE = RealtimeConfig(instruction="Be brief.")


class Call:
    """Remembers what was wanted of it."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.control = Control(
            {"baker": "+14155550100", "miller": "sip:miller@mill.example"},
            wish=self.told.append,
            transferred=self.told.append,
            update=self.update,
        )

    async def update(self, change: RealtimeConfig, bridge_message: str | None) -> None:
        self.told.append((change, bridge_message))


async def steer(control: Control) -> None:
    """Each verb once."""
    await control.hang_up(after_words=False)
    await control.say("One moment.")
    await control.press("5")
    await control.update(CHANGE, "You are brief now.")
    await control.transfer("sip:miller@mill.example")


async def test_every_verb_is_a_wish() -> None:
    call = Call()
    await steer(call.control)

    hung_up = Ending(Fault.NOBODY, "agent_hung_up")
    transferred = Ending(Fault.NOBODY, "transferred")
    assert call.told == [
        Finishing(leg.Hangup(), hung_up, after_words=False),
        SayAsked(phrases.say("One moment.")),
        PressAsked("5"),
        (CHANGE, "You are brief now."),
        Finishing(leg.Transfer("sip:miller@mill.example"), transferred),
        "miller",
    ]


async def test_after_the_end_nothing_comes_of_it() -> None:
    """However long a tool still has it."""
    call = Call()
    call.control.end()
    await steer(call.control)

    assert call.told == []
