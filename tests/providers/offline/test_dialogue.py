from __future__ import annotations

import pytest

from bridge.ports import phrases
from bridge.ports.conversation import pressed
from bridge.ports.session import ToolDefinition
from bridge.providers.offline.answers import FAILED
from bridge.providers.offline.dialogue import ANYTHING_ELSE, GOODBYE, Dialogue, Reply, Use
from bridge.providers.offline.remembered import Remembered
from bridge.providers.offline.script import GREETING, Script
from tests.providers.offline.talks import CLOCK, ENDING, PEOPLE, WEATHER

HANG_UP = Use("hang_up", {})


def agent(*tools: ToolDefinition, script: Script | None = None, **memory: object) -> Dialogue:
    return Dialogue(script or Script(), tools, Remembered(**memory))  # type: ignore[arg-type]


def key(dialogue: Dialogue, keys: str) -> Reply:
    dialogue.told("user", pressed(keys))
    return dialogue.reply()


def test_a_caller_asks_twice_and_says_thanks() -> None:
    """The whole of the demonstration: two questions, a tool each, and goodbye."""
    dialogue = agent(CLOCK, ENDING)
    greeting = dialogue.reply(phrases.greet("Good morning, this is Anna's."))
    dialogue.heard(2.1)
    first = dialogue.reply()
    dialogue.answered("opening_hours", "seven to six")
    answer = dialogue.reply()
    dialogue.heard(1.2)
    second = dialogue.reply()
    dialogue.answered("opening_hours", "closed all day")
    closed = dialogue.reply()
    dialogue.heard(2.0)
    goodbye = dialogue.reply()
    dialogue.answered("hang_up", None)
    nothing = dialogue.reply()

    assert greeting == Reply("Good morning, this is Anna's.")
    assert first == Reply("One moment, please.", (Use("opening_hours", {"day": "Saturday"}),))
    assert answer == Reply(f"seven to six. {ANYTHING_ELSE}")
    assert second == Reply("", (Use("opening_hours", {"day": "Sunday"}),))
    assert closed == Reply(f"closed all day. {ANYTHING_ELSE}")
    assert goodbye == Reply(GOODBYE, (HANG_UP,))
    assert nothing == Reply()


@pytest.mark.parametrize(
    ("seconds", "noticed"),
    [
        (0.3, "I heard you speak for less than a second."),
        (1.2, "I heard you speak for one second."),
        (2.8, "I heard you speak for three seconds."),
        (None, "Thank you."),
    ],
)
def test_without_tools_it_says_what_it_noticed(seconds: float | None, noticed: str) -> None:
    """And claims no more than that."""
    dialogue = agent()
    dialogue.heard(seconds)

    assert dialogue.reply() == Reply(f"{noticed} {ANYTHING_ELSE}")


@pytest.mark.parametrize(
    ("keys", "reply"),
    [
        ("1", Reply("", (Use("opening_hours", {"day": "Saturday"}),))),
        ("2#", Reply("", (Use("weather", {}),))),
        ("3", Reply("You pressed 3. That key does nothing here.")),
        ("42#", Reply("You pressed 4, 2, pound. That key does nothing here.")),
        ("#", Reply("You pressed pound. That key does nothing here.")),
        ("A", Reply("You pressed A. That key does nothing here.")),
        ("7", Reply("I do not know a code yet. You have spoken once in this call.")),
        ("8", Reply("Please press the digits of your code.")),
        ("842#", Reply("Thank you. I will remember it.")),
        ("9", Reply(GOODBYE, (HANG_UP,))),
        ("0", Reply("I am transferring you now.", (Use("transfer", {"target": "office"}),))),
    ],
)
def test_keys_choose(keys: str, reply: Reply) -> None:
    """Each key of the menu, and those that are none."""
    assert key(agent(CLOCK, ENDING, WEATHER, PEOPLE), keys) == reply


def test_keys_need_what_the_agent_has() -> None:
    """Without the tools to do it, it says goodbye and stays, and transfers nobody."""
    assert key(agent(), "9") == Reply(GOODBYE)
    assert key(agent(), "0") == Reply("I cannot transfer you.")
    assert key(agent(), "1") == Reply("You pressed 1. That key does nothing here.")


def test_the_menu_names_what_there_is() -> None:
    """And nothing else."""
    full = key(agent(CLOCK, WEATHER, PEOPLE), "*").text
    plain = key(agent(), "*").text

    assert full.startswith("To ask my first tool, press one. To ask my second tool, press two.")
    assert full.endswith("To say goodbye, press nine. To be transferred, press zero.")
    assert "tool" not in plain
    assert "transferred" not in plain


def test_a_code_is_said_back() -> None:
    """With the turns that the conversation has had, spoken or pressed."""
    dialogue = agent()
    key(dialogue, "8")
    key(dialogue, "4711#")
    dialogue.heard(1.0)
    dialogue.reply()

    recited = key(dialogue, "7")

    assert recited.text == "Your code is 4, 7, 1, 1. You have spoken four times in this call."


@pytest.mark.parametrize(
    ("after", "turn"), [(0, None), (1, 1), (2, 2), (3, 3)], ids=["never", "one", "two", "three"]
)
def test_goodbye_comes_after_so_many_turns(after: int, turn: int | None) -> None:
    """As the script says; keys are no spoken turns."""
    dialogue = agent(ENDING, script=Script(goodbye_after=after))
    key(dialogue, "5")
    said_goodbye = None
    for number in range(1, 6):
        dialogue.heard(1.0)
        if dialogue.reply().text == GOODBYE and said_goodbye is None:
            said_goodbye = number

    assert said_goodbye == turn


def test_who_cannot_hang_up_goes_on() -> None:
    """However many turns there were."""
    dialogue = agent(CLOCK, spoken=20, asked=20)
    dialogue.heard(1.0)

    assert [use.name for use in dialogue.reply().uses] == ["opening_hours"]


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (phrases.say("Lunch is ready."), "Lunch is ready."),
        (phrases.ASK_AGAIN, "I am sorry. I did not hear that. Could you say that again, please?"),
        (phrases.STILL_THERE, "Hello? Are you still there?"),
        (phrases.GOODBYE_SILENCE, "I cannot hear you any more. Goodbye."),
        (phrases.GOODBYE_TIME, f"Our time is up. {GOODBYE}"),
        (phrases.GO_ON, "We were cut off. It is five."),
        ("Be nice to them.", "Hello again. Go on, please. I am listening."),
    ],
)
@pytest.mark.parametrize("by_message", [False, True], ids=["asked", "told"])
def test_the_bridges_own_sentences_are_understood(wish: str, text: str, by_message: bool) -> None:
    """As the instructions of a response, or as a message before it."""
    dialogue = agent(greeted=True, last="It is five.")
    if by_message:
        dialogue.told("system", wish)
        if wish == "Be nice to them.":
            text = "Go on, please. I am listening."

    assert dialogue.reply(None if by_message else wish).text == text


def test_a_greeting_that_cannot_be_said_is_replaced() -> None:
    """Better its own greeting than a silence."""
    dialogue = Dialogue(Script(), can_say=lambda text: False)

    assert dialogue.reply(phrases.greet("Grüezi mitenand")).text == GREETING


@pytest.mark.parametrize(
    ("memory", "text"),
    [
        (Remembered(), GREETING),
        (Remembered(greeted=True, last="Hello."), "Go on, please. I am listening."),
    ],
)
def test_asked_out_of_the_blue_it_greets_once(memory: Remembered, text: str) -> None:
    """Nobody said anything and nobody told it what to say."""
    assert Dialogue(Script(), memory=memory).reply().text == text


def test_a_late_answer_is_read_out() -> None:
    """A tool that was called in a session before this one."""
    dialogue = agent(CLOCK, greeted=True, asked=1)
    dialogue.told("system", "The tool opening_hours answered meanwhile: seven to six")

    assert dialogue.reply().text == f"seven to six. {ANYTHING_ELSE}"


def test_several_answers_are_read_together() -> None:
    """One failed, and is apologised for."""
    dialogue = agent(CLOCK, WEATHER)
    dialogue.answered("weather", {"error": "no satellite"})
    dialogue.answered("opening_hours", "seven to six")

    assert dialogue.reply().text == f"{FAILED} seven to six. {ANYTHING_ELSE}"


def test_an_answer_is_not_lost_when_the_caller_speaks_meanwhile() -> None:
    """It is read before what they asked next."""
    dialogue = agent(CLOCK, asked=1)
    dialogue.heard(1.0)
    dialogue.answered("opening_hours", "seven to six")

    reply = dialogue.reply()

    assert reply == Reply("seven to six.", (Use("opening_hours", {"day": "Sunday"}),))
    assert not dialogue.waits_for_reply


def test_a_failed_hang_up_is_apologised_for() -> None:
    """A successful one needs no words."""
    dialogue = agent(ENDING)
    dialogue.answered("hang_up", {"error": "busy"})

    assert dialogue.reply() == Reply(FAILED)


def test_notes_and_its_own_words_are_no_turns() -> None:
    """Only the caller takes turns; what they type counts as one."""
    dialogue = agent(greeted=True)
    dialogue.told("system", "The caller is called Ada.")
    dialogue.told("assistant", "I said so.")
    turns = dialogue.memory.turns
    dialogue.told("user", "What is this?")

    assert turns == 0
    assert dialogue.memory.turns == 1
    assert dialogue.waits_for_reply
