"""
What the offline agent does next.

Rule: pure. It understands keys and hears that somebody speaks, but not what they say; so
it does on a spoken turn what is most likely wanted: it asks the first tool of the agent's
own. All that it remembers is a value that can be written down and read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bridge.ports import phrases
from bridge.ports.conversation import (
    AgentSaid,
    CallerSaid,
    HistoryItem,
    Note,
    ToolUsed,
    read_pressed,
)
from bridge.ports.session import ToolDefinition

__all__ = ["Dialogue", "Reply", "heard"]

BUILT_IN = ("hang_up", "transfer")
LAST_TURN = 3  # spoken turns after which a caller has, as a rule, said all they wanted
DAYS = ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

GREETING = "Hello. This is the bridge's offline agent. Ask me something or press a key."
GOODBYE = "Thank you for calling, goodbye."
_HEARD = "(speech, {:.1f} s)"


@dataclass(frozen=True, slots=True)
class Reply:
    """What it says, and the tools that it calls with that."""

    text: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(slots=True)
class Memory:
    """What it knows of the call."""

    spoken: int = 0
    turns: int = 0
    code: str = field(default="", repr=False)
    awaits_code: bool = False


def heard(seconds: float) -> str:
    """The honest transcript of a turn that was heard and not understood."""
    return _HEARD.format(seconds)


class Dialogue:
    """One conversation. `tools` are what the session was offered."""

    def __init__(self, tools: Sequence[ToolDefinition], last_turn: int = LAST_TURN) -> None:
        self.tools = tools
        self._last_turn = last_turn
        self._memory = Memory()

    # What it remembers

    def write(self) -> str:
        """Its memory, to go on from in another process."""
        return json.dumps(asdict(self._memory))

    def read(self, text: str) -> None:
        """Raises ValueError where it was not written by `write`."""
        try:
            self._memory = Memory(**json.loads(text))
        except TypeError as exc:
            raise ValueError("not a memory of ours") from exc

    def recall(self, history: Iterable[HistoryItem]) -> None:
        """Remember a conversation that somebody else had."""
        for item in history:
            match item:
                case CallerSaid(text):
                    self._memory.turns += 1
                    pressed = read_pressed(text)
                    if pressed is None:
                        self._memory.spoken += 1
                    else:
                        self._keys(pressed)
                case AgentSaid() | ToolUsed() | Note():
                    pass

    # What happens

    def spoken(self, seconds: float) -> Reply:
        """The caller has said something."""
        memory = self._memory
        memory.turns += 1
        memory.spoken += 1
        own = self._own_tools()
        if memory.spoken >= self._last_turn:
            return self._goodbye()
        if own:
            return Reply(calls=((own[0].name, self._arguments(own[0])),))
        return Reply(f"I heard you speak for {max(round(seconds), 1)} seconds.")

    def told(self, text: str) -> Reply:
        """A message, from the caller's keys or from elsewhere."""
        pressed = read_pressed(text)
        if pressed is None:
            return Reply("Thank you.")
        self._memory.turns += 1
        return self._keys(pressed)

    def asked(self, instructions: str | None) -> Reply:
        """It is to speak, perhaps by an instruction."""
        if instructions is None:
            return Reply("Is there anything else you would like to know?")
        if (words := phrases.read_say(instructions)) is not None:
            return Reply(words)
        return Reply(_ANSWERS.get(instructions, "Go on please, I am listening."))

    def answered(self, name: str, output: Any) -> Reply:
        """A tool has answered."""
        if name in BUILT_IN:
            return Reply()
        if isinstance(output, Mapping):
            if "error" in output:
                return Reply("I am sorry. That did not work.")
            output = " ".join(str(value) for value in output.values())
        return Reply(str(output) or "There is no answer.")

    # How it does it

    def _keys(self, keys: str) -> Reply:
        memory = self._memory
        if memory.awaits_code:
            memory.awaits_code, memory.code = False, keys.rstrip("#")
            return Reply("Thank you. I will remember it.")
        match keys[0], keys[1:].rstrip("#"):
            case "8", "":
                memory.awaits_code = True
                return Reply("Please press the digits of your code.")
            case "8", code:
                memory.code = code
                return Reply("Thank you. I will remember it.")
            case "7", _:
                return Reply(f"{self._code()} You have spoken {memory.spoken} times in this call.")
            case "9", _:
                return self._goodbye()
            case "0", _:
                return self._transfer()
            case "*", _:
                return Reply(self._menu())
            case digit, _ if digit.isdigit() and int(digit) <= len(self._own_tools()):
                tool = self._own_tools()[int(digit) - 1]
                return Reply("One moment please.", ((tool.name, self._arguments(tool)),))
            case _:
                return Reply("That key does nothing here.")

    def _code(self) -> str:
        code = self._memory.code
        return f"Your code is {' '.join(code)}." if code else "I do not know a code yet."

    def _goodbye(self) -> Reply:
        return Reply(GOODBYE, (("hang_up", {}),) if self._has("hang_up") else ())

    def _transfer(self) -> Reply:
        for tool in self.tools:
            if tool.name == "transfer":
                return Reply("I am transferring you now.", ((tool.name, self._arguments(tool)),))
        return Reply("I cannot transfer you.")

    def _menu(self) -> str:
        numbers = ("first", "one"), ("second", "two"), ("third", "three"), ("fourth", "four")
        own = numbers[: len(self._own_tools())]
        lines = [f"To ask my {nth} tool, press {key}." for nth, key in own]
        lines += ["To leave a code, press eight.", "To hear your code again, press seven."]
        if self._has("transfer"):
            lines.append("To be transferred, press zero.")
        return " ".join([*lines, "To say goodbye, press nine."])

    def _has(self, name: str) -> bool:
        return any(tool.name == name for tool in self.tools)

    def _own_tools(self) -> list[ToolDefinition]:
        return [tool for tool in self.tools if tool.name not in BUILT_IN]

    def _arguments(self, tool: ToolDefinition) -> Mapping[str, Any]:
        """Something for everything that the tool must be given."""
        schema = tool.parameters or {}
        required = schema.get("required", ())
        properties = schema.get("properties", {})
        return {name: self._value(name, properties.get(name, {})) for name in required}

    def _value(self, name: str, schema: Mapping[str, Any]) -> Any:
        if schema.get("enum"):
            return schema["enum"][0]
        if "default" in schema:
            return schema["default"]
        if name == "day":
            return DAYS[max(self._memory.spoken - 1, 0) % len(DAYS)]
        samples = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}
        return samples.get(schema.get("type", "string"), "something")


_ANSWERS = {
    phrases.STILL_THERE: "Are you still there?",
    phrases.GOODBYE_SILENCE: "I cannot hear you any more. Goodbye.",
    phrases.GOODBYE_TIME: "I am sorry. Our time is up. Goodbye.",
    phrases.GO_ON: "Hello again. We were cut off. Is there anything else you would like to know?",
}
