"""What every journey over SIP needs: a bridge that answers SIP, and what was said on its calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import signal

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import CallEnded, CallStarted, DigitPressed
from bridge.ports.server_events import AudioDelta
from bridge.wire.sip.places import Transport
from bridge.wiring.sip import SipFront
from tests.journeys import sound
from tests.journeys.stage import INSTRUCTIONS, QUICK, Stage, on_stage
from tests.journeys.stamps import StampedBridge

__all__ = ["HOST", "SCENARIOS", "SIP", "Bakery", "SipStage", "on_sip_stage", "recognised"]

HOST = "127.0.0.1"
GREETING = "Hello."
PIECE = 800  # samples
LOUD = 200.0  # on the average, of 32,767
ALIKE = 0.99  # 20 dB above all else
SCENARIOS = Path(__file__).parent / "scenarios"
SIP = {
    "BRIDGE_PROVIDER": "offline",
    "BRIDGE_SIP_LISTEN": f"udp://{HOST}:0,tcp://{HOST}:0",
    "BRIDGE_SIP_PEERS": f"{HOST}/32",
    "BRIDGE_MAX_CALLS": "400",
}


class SipStage:
    """A bridge at work in this process, that SIP reaches on `port`."""

    def __init__(self, stage: Stage, bridge: StampedBridge) -> None:
        self.stage = stage
        self.bridge = bridge

    @property
    def front(self) -> SipFront:
        assert self.bridge.sip is not None
        return self.bridge.sip

    @property
    def port(self) -> int:
        return self.front.carrier.ports[Transport.UDP]

    @property
    def uri(self) -> str:
        return f"sip:agent@{HOST}:{self.port}"

    @property
    def calls(self) -> int:
        """Those in progress."""
        return len(self.front.carrier.legs)

    @property
    def fed(self) -> bytes:
        """The callers' audio, as the model was given it, mu-law."""
        return bytes(self.bridge.fed)

    @property
    def greeting(self) -> bytes:
        """What the model said first, mu-law."""
        deltas = [event for _, event in self.bridge.told if isinstance(event, AudioDelta)]
        return b"".join(event.delta for event in deltas if event.item_id == deltas[0].item_id)

    async def hang_up(self) -> None:
        """The operator ends all calls."""
        for call in (await self.stage.ask("GET", "/calls")).json()["calls"]:
            await self.stage.ask("DELETE", f"/calls/{call['call']}")

    async def metric(self, name: str, *labels: str) -> float:
        return await self.stage.metric(name, *labels)


@dataclass
class Bakery:
    """An agent that greets and lets a caller speak, and what it was told of its calls."""

    transfers_to: str = "sip:desk@bakery.example"
    calls: list[CallContext] = field(default_factory=list)
    digits: dict[str, str] = field(default_factory=dict)
    """By call."""
    endings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.agent = Agent(
            INSTRUCTIONS,
            name="bakery",
            greeting=GREETING,
            vad=QUICK,
            transfer_targets={"desk": self.transfers_to},
        )
        self.agent.on("call_started")(self._started)
        self.agent.on("digit")(self._pressed)
        self.agent.on("call_ended")(self._ended)

    def _started(self, event: CallStarted, call: CallContext) -> None:
        self.calls.append(call)

    def _pressed(self, event: DigitPressed, call: CallContext) -> None:
        self.digits[call.call_id] = self.digits.get(call.call_id, "") + event.digit

    def _ended(self, event: CallEnded, call: CallContext) -> None:
        self.endings.append(f"{event.ending.fault.value}: {event.ending.reason}")


@asynccontextmanager
async def on_sip_stage(bakery: Bakery | None = None, **settings: str) -> AsyncIterator[SipStage]:
    """With the offline model, whose ends are remembered. Settings go before the usual ones."""
    async with on_stage(
        (bakery or Bakery()).agent, {**SIP, **settings}, make=StampedBridge
    ) as stage:
        bridge = stage.bridge
        assert isinstance(bridge, StampedBridge)
        yield SipStage(stage, bridge)


def recognised(ulaw: bytes, recording: sound.Samples) -> float:
    """
    The share of what was said that is in a recording, and nearly nothing else in its place.

    It is sought in pieces of a tenth of a second: telephones and the bridge alike leave out or
    make up a little, when a busy machine is late.
    """
    said = sound.samples_of_ulaw(ulaw)
    pieces = [said[at : at + PIECE] for at in range(0, len(said) - PIECE + 1, PIECE)]
    loud = [piece for piece in pieces if abs(piece).mean() > LOUD]
    found = [_likeness(piece, recording) > ALIKE for piece in loud]
    return found.count(True) / len(found)


def _likeness(piece: sound.Samples, recording: sound.Samples) -> float:
    """How much of the power of the likest place in a recording is the piece's: 1 is all."""
    if len(recording) < len(piece):
        return 0.0
    power = signal.fftconvolve(recording**2, np.ones(len(piece)), mode="valid")
    shared = signal.correlate(recording, piece, mode="valid", method="fft")
    return float(np.max(shared**2 / (np.maximum(power, len(piece)) * np.sum(piece**2))))
