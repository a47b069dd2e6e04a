"""
What the offline agent says and does next.

Rule: pure. It understands keys and the bridge's own sentences; of what a caller says it
knows only that, and how long, they spoke. It says so, or lets the agent's tools answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.ports import phrases
from bridge.ports.conversation import read_pressed
from bridge.ports.session import ToolDefinition
from bridge.providers.offline.answers import aloud, failed
from bridge.providers.offline.arguments import arguments
from bridge.providers.offline.remembered import REMEMBER, Remembered
from bridge.providers.offline.script import Script
from bridge.providers.offline.wording import cardinal

__all__ = ["BUILT_IN", "Dialogue", "Reply", "Use"]

HANG_UP, TRANSFER = "hang_up", "transfer"
BUILT_IN = frozenset({HANG_UP, TRANSFER})

GOODBYE = "Thank you for calling. Goodbye."
ANYTHING_ELSE = "Is there anything else you would like to know?"
_LISTENING = "Go on, please. I am listening."
_ORDINALS = ("first", "second", "third", "fourth")
_TOLD = {
    phrases.ASK_AGAIN: "I am sorry. I did not hear that. Could you say that again, please?",
    phrases.STILL_THERE: "Hello? Are you still there?",
    phrases.GOODBYE_SILENCE: "I cannot hear you any more. Goodbye.",
    phrases.GOODBYE_TIME: f"Our time is up. {GOODBYE}",
}
_LATE = re.compile(r"The tool (\S+) answered meanwhile: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Use:
    """Call this tool."""

    name: str
    arguments: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """Say `text`, which may be empty, then call the tools."""

    text: str = field(default="", repr=False)
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spoke:
    seconds: float | None


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    name: str
    output: Any = field(repr=False)


class Dialogue:
    """Gathers what happens in a call until `reply` is asked for."""

    def __init__(
        self,
        script: Script,
        tools: Sequence[ToolDefinition] = (),
        memory: Remembered | None = None,
        *,
        can_say: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.script = script
        self.tools = tuple(tools)
        self.memory = memory or Remembered()
        self._can_say = can_say
        self._turn: _Spoke | _Keys | None = None
        self._answers: list[_Answer] = []
        self._wish: str | None = None

    @property
    def waits_for_reply(self) -> bool:
        """Whether the caller has taken a turn that was not answered."""
        return self._turn is not None

    def heard(self, seconds: float | None = None) -> None:
        """The caller spoke for so long, or wrote."""
        self.memory = self.memory.spoke()
        self._turn = _Spoke(seconds)

    def told(self, role: str, text: str) -> None:
        """A message entered the conversation."""
        keys = read_pressed(text)
        if keys is not None:
            self._turn = _Keys(keys)
        elif late := _LATE.fullmatch(text):
            self._answers.append(_Answer(late[1], late[2]))
        elif role == "user":
            self.heard()
        elif role == "system" and self._as_told(text):
            self._wish = text

    def answered(self, name: str, output: Any) -> None:
        """A tool of ours has answered."""
        self._answers.append(_Answer(name, output))

    def was_heard(self, text: str) -> None:
        """Of its last words the caller heard only these."""
        self.memory = self.memory.said(text)

    def reply(self, instructions: str | None = None) -> Reply:
        """What to say and do now; what had gathered is done with."""
        wish, self._wish = instructions or self._wish, None
        answers, self._answers = self._answers, []
        turn, self._turn = self._turn, None
        if wish and (told := self._as_told(wish)):
            reply = Reply(told)
        elif answers and turn is None:
            reply = self._read(answers)
        else:
            reply = self._take_turn(turn, told_to=bool(wish))
            reply = Reply(f"{_in_words(answers)} {reply.text}".strip(), reply.uses)
        self.memory = self.memory.said(reply.text)
        return reply

    # What it was told to say

    def _as_told(self, wish: str) -> str:
        if wish in _TOLD:
            return _TOLD[wish]
        if wish == phrases.GO_ON:
            return f"We were cut off. {self.memory.last or _LISTENING}"
        text = phrases.read_say(wish)
        if text is None:
            return ""
        return text if self._can_say(text) else self.script.greeting

    # The caller's turns

    def _take_turn(self, turn: _Spoke | _Keys | None, *, told_to: bool) -> Reply:
        match turn:
            case _Spoke(seconds):
                return self._answer_speech(seconds)
            case _Keys(keys):
                return self._answer_keys(keys)
            case None if self.memory.greeted:
                return Reply(f"Hello again. {_LISTENING}" if told_to else _LISTENING)
            case None:
                return Reply(self.script.greeting)

    def _answer_speech(self, seconds: float | None) -> Reply:
        after = self.script.goodbye_after
        if 0 < after <= self.memory.spoken and self._has(HANG_UP):
            return self._goodbye()
        if self._own:
            first = self.memory.asked == 0
            return Reply("One moment, please." if first else "", (self._use(self._own[0]),))
        return Reply(f"{_noticed(seconds)} {ANYTHING_ELSE}")

    def _answer_keys(self, keys: str) -> Reply:
        awaited = self.memory.awaits_code
        self.memory = self.memory.keyed(keys)
        digits = keys.rstrip("#")
        if digits.startswith(REMEMBER) or (awaited and digits):
            return self._answer_code()
        match digits:
            case "7":
                return Reply(self._recite())
            case "9":
                return self._goodbye()
            case "0" if tool := self._has(TRANSFER):
                return Reply("I am transferring you now.", (self._use(tool),))
            case "0":
                return Reply("I cannot transfer you.")
            case "*":
                return Reply(self._menu())
            case _ if digits.isdecimal() and 0 < int(digits) <= len(self._own):
                return Reply(uses=(self._use(self._own[int(digits) - 1]),))
            case _:
                return Reply(f"You pressed {_spelt(keys)}. That key does nothing here.")

    def _answer_code(self) -> Reply:
        if self.memory.awaits_code:
            return Reply("Please press the digits of your code.")
        return Reply("Thank you. I will remember it.")

    def _recite(self) -> str:
        code = self.memory.code
        known = f"Your code is {_spelt(code)}." if code else "I do not know a code yet."
        times = self.memory.turns
        often = "once in this call" if times == 1 else f"{cardinal(times)} times in this call"
        return f"{known} You have spoken {often}."

    def _goodbye(self) -> Reply:
        tool = self._has(HANG_UP)
        return Reply(GOODBYE, (self._use(tool),) if tool else ())

    def _menu(self) -> str:
        lines = [
            f"To ask my {ordinal} tool, press {cardinal(number)}."
            for number, (ordinal, _) in enumerate(zip(_ORDINALS, self._own, strict=False), 1)
        ]
        lines.append("To hear your code again, press seven. To leave a code, press eight.")
        lines.append("To say goodbye, press nine.")
        if self._has(TRANSFER):
            lines.append("To be transferred, press zero.")
        return " ".join(lines)

    # Tools

    @property
    def _own(self) -> list[ToolDefinition]:
        return [tool for tool in self.tools if tool.name not in BUILT_IN]

    def _has(self, name: str) -> ToolDefinition | None:
        return next((tool for tool in self.tools if tool.name == name), None)

    def _use(self, tool: ToolDefinition) -> Use:
        use = Use(tool.name, arguments(tool.parameters, self.memory.asked))
        if tool.name not in BUILT_IN:
            self.memory = self.memory.used()
        return use

    def _read(self, answers: Sequence[_Answer]) -> Reply:
        if said := _in_words(answers):
            return Reply(f"{said} {ANYTHING_ELSE}")
        # The call is over or being transferred, unless that went wrong.
        return Reply(aloud({"error": True}) if any(failed(a.output) for a in answers) else "")


def _in_words(answers: Sequence[_Answer]) -> str:
    return " ".join(aloud(answer.output) for answer in answers if answer.name not in BUILT_IN)


def _noticed(seconds: float | None) -> str:
    if seconds is None:
        return "Thank you."
    whole = round(seconds)
    if whole < 1:
        return "I heard you speak for less than a second."
    return f"I heard you speak for {cardinal(whole)} {'second' if whole == 1 else 'seconds'}."


def _spelt(keys: str) -> str:
    names = {"*": "star", "#": "pound"}
    return ", ".join(names.get(key, key) for key in keys)
