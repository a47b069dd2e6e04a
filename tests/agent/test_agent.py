from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import DigitPressed
from bridge.agent.tools import tool
from bridge.config import Config
from bridge.errors import ConfigError
from bridge.ports.session import RealtimeConfig, TranscriptionConfig, VadConfig
from tests.agent.control import RememberingControl

SMALLEST = '''
from bridge.agent.agent import Agent

agent = Agent(instructions="You answer for a bakery.", voice="marin")

@agent.tool
async def opening_hours(day: str) -> str:
    """When the bakery is open on a day of the week."""
    return "seven to six"
'''


def names(agent: Agent) -> list[str]:
    return [each.definition.name for each in agent.tools]


async def test_the_smallest_agent() -> None:
    """An agent with a tool takes no more than fifteen lines."""
    space: dict[str, object] = {}
    exec(SMALLEST, space)
    agent = space["agent"]

    assert len(SMALLEST.splitlines()) <= 15
    assert isinstance(agent, Agent)
    context = agent.context("CA1", RememberingControl())
    assert await agent.tools[-1].call({"day": "monday"}, context) == "seven to six"


def test_tools() -> None:
    """Built-in tools come first, then those given, then those declared; functions stay so."""

    @tool
    def given(day: str) -> str:
        return day

    agent = Agent("You help.", tools=[given], transfer_targets={"baker": "+14155550100"})

    @agent.tool
    def bare(day: str) -> str:
        return day

    @agent.tool(
        name="named", timeout=1.0, idempotent=True, needs_journal=True, description="Named."
    )
    def any_name(day: str) -> str:
        return day

    assert names(agent) == ["hang_up", "transfer", "given", "bare", "named"]
    assert bare("x") == any_name("x") == "x"
    assert (agent.tools[-1].timeout, agent.tools[-1].idempotent) == (1.0, True)
    assert agent.tools[-1].needs_journal
    assert agent.tools[-1].definition.description == "Named."


def test_a_tool_for_two_agents() -> None:
    """A tool that is one already may be given to any agent."""

    @tool
    def shared(day: str) -> str:
        return day

    agents = [Agent("You help."), Agent("You help, too.")]

    for agent in agents:
        assert agent.tool(shared) is shared
        assert names(agent) == ["hang_up", "shared"]


def test_tools_that_an_agent_does_without() -> None:
    """Nobody is transferred without targets, and hanging up may be left to the caller."""
    assert names(Agent("You help.")) == ["hang_up"]
    assert names(Agent("You help.", can_hang_up=False)) == []


def test_two_tools_of_one_name() -> None:
    """The second is refused, wherever it comes from, and the first stays."""
    agent = Agent("You help.")

    @agent.tool
    def find() -> None: ...

    for name in ("find", "hang_up"):
        with pytest.raises(ConfigError, match=f"tools: '{name}' is there twice"):
            agent.tool(name=name)(find)
    assert names(agent) == ["hang_up", "find"]

    own = tool(name="hang_up")(find)
    with pytest.raises(ConfigError, match="tools: 'hang_up' is there twice"):
        Agent("You help.", tools=[own])
    assert names(Agent("You help.", tools=[own], can_hang_up=False)) == ["hang_up"]


def test_hooks() -> None:
    """A hook is known by its event and stays as it is."""
    agent = Agent("You help.")

    @agent.on("digit")
    async def pressed(event: DigitPressed, call: CallContext) -> None: ...

    assert agent.hooks.of(DigitPressed("1")) == (pressed,)
    with pytest.raises(ConfigError, match="no event 'digits'"):
        agent.on("digits")(pressed)


def test_the_session() -> None:
    """What the agent is becomes what the session is asked to be."""
    agent = Agent(
        "You help.",
        "marin",
        language="de",
        vad=VadConfig.semantic_vad(),
        temperature=0.8,
        extra={"speed": 1.1},
    )

    assert agent.config() == RealtimeConfig(
        instruction="You help.",
        voice="marin",
        turn_detection=VadConfig.semantic_vad(),
        tools=tuple(each.definition for each in agent.tools),
        input_audio_transcription=TranscriptionConfig(language="de"),
        temperature=0.8,
        extra={"speed": 1.1},
    )


def test_a_call() -> None:
    """A call's context knows the agent and whom it may transfer to."""
    agent = Agent("You help.", name="help", transfer_targets={"baker": "sip:baker@example.com"})

    context = agent.context("CA1", RememberingControl(), caller="+14155550111")

    assert context.agent_name == "help"
    assert context.caller == "+14155550111"
    assert context.transfer_targets == {"baker": "sip:baker@example.com"}
    assert context.started_at.tzinfo is not None


@pytest.mark.parametrize("use", ["config", "context"])
def test_an_agent_in_use_stays_as_it_is(use: str) -> None:
    """After its first call nothing is added, for that call would not know it."""
    agent = Agent("You help.")
    if use == "config":
        agent.config()
    else:
        agent.context("CA1", RememberingControl())

    with pytest.raises(ConfigError, match="answers calls already"):
        agent.tool(test_hooks)
    with pytest.raises(ConfigError, match="answers calls already"):
        agent.on("digit")(lambda event, call: None)


def test_an_agent_cannot_be_rewritten() -> None:
    """What was checked stays what it is."""
    agent = Agent("You help.", transfer_targets={"baker": "+14155550100"})

    with pytest.raises(FrozenInstanceError):
        agent.voice = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        agent.transfer_targets["x"] = "+14155550199"  # type: ignore[index]


def test_everything_wrong_at_once() -> None:
    """Whoever makes an agent learns all that is wrong with it in one go."""
    with pytest.raises(ConfigError) as raised:
        Agent(
            " ",
            "",
            name="",
            greeting=" ",
            tools=[print],  # type: ignore[list-item]
            transfer_targets={"": "+14155550100", "baker": "0800", "boss": 7},  # type: ignore[dict-item]
            silence_prompt_seconds=0,
            max_call_seconds=-1,
        )

    text = str(raised.value)
    for told in (
        "instructions: must say",
        "voice: leave it out",
        "name: must not be empty",
        "greeting: leave it out",
        "tools: print is no tool",
        "transfer_targets: each name has",
        "transfer_targets: 'baker' needs a number",
        "transfer_targets: 'boss' needs a number",
        "silence_prompt_seconds: must be more than 0",
        "max_call_seconds: must be more than 0",
    ):
        assert told in text
    assert "0800" not in text


def test_private_words_do_not_print_themselves() -> None:
    """An agent in a log shows neither its instructions nor anybody's number."""
    shown = repr(Agent("You know a secret.", transfer_targets={"baker": "+14155550100"}))

    assert "secret" not in shown
    assert "+1415" not in shown


def test_the_agent_without_code() -> None:
    """The environment makes an agent, too."""
    environ = {"BRIDGE_INSTRUCTIONS": "You help.", "BRIDGE_VOICE": "ash", "BRIDGE_GREETING": "Hi!"}

    agent = Agent.from_config(Config.from_environ(environ))

    assert (agent.instructions, agent.voice, agent.greeting) == ("You help.", "ash", "Hi!")
    assert names(agent) == ["hang_up"]
    assert Agent.from_config(Config.from_environ({})).greeting is None
