"""
The service: what all calls of one worker share, and how a call comes in.

A call that comes in is expected first: its record goes into the store, and the model is
dialled while the carrier is still connecting. When the leg is there, the call is claimed
and attended to.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bridge.agent.agent import Agent
from bridge.call.patience import CallRules
from bridge.call.reception import apologise
from bridge.call.switchboard import Switchboard
from bridge.config import Config
from bridge.errors import Ending, Fault, StoreError
from bridge.ports import leg
from bridge.ports.mail import ChangeWish, Posted
from bridge.ports.model import RealtimeModel
from bridge.ports.store import CallRecord, CallState, CallStore, Claim, Standing
from bridge.telemetry.metrics import Metrics
from bridge.wire import ticket
from bridge.wiring.attendant import Attendant
from bridge.wiring.departure import PACE, Departures
from bridge.wiring.formats import AudioPath
from bridge.wiring.postman import Postman
from bridge.wiring.tallies import Tallies
from bridge.wiring.watchman import Watchman

__all__ = ["EXPECTED_SECONDS", "Service"]

EXPECTED_SECONDS = 6.0  # for which a dialled model waits for its caller
FAREWELL_SECONDS = 3.0  # in which calls that are ended for a shutdown let go
LINGER_SECONDS = 1.0  # after the last call, for the carrier to ask what comes next

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Expected:
    attendant: Attendant
    timer: asyncio.TimerHandle


class Service:
    """Everything that a call needs and that is there once for all of them."""

    def __init__(
        self,
        config: Config,
        agent: Agent,
        model: RealtimeModel,
        store: CallStore,
        path: AudioPath,
        *,
        metrics: Metrics | None = None,
        expected_seconds: float = EXPECTED_SECONDS,
    ) -> None:
        self.config = config
        self.agent = agent
        self.model = model
        self.store = store
        self.metrics = metrics or Metrics()
        self.tallies = Tallies()
        self.switchboard = Switchboard(config.max_calls)
        self.watchman: Watchman | None = None
        """Who looks after calls that were lost."""
        self.worker = uuid.uuid4().hex[:12]
        self.rules = CallRules(
            greeting=agent.greeting,
            silence_seconds=agent.silence_prompt_seconds,
            longest_seconds=agent.max_call_seconds,
            fallback=config.fallback_number,
            interruptible=agent.vad is None or agent.vad.interrupt_response is not False,
        )
        keys = [key.reveal().encode() for key in config.secret_keys]
        self.ticket_keys: Sequence[bytes] = keys or (os.urandom(32),)
        """They sign what a media stream shows; without the operator's, one for this run."""
        self.public_url = config.public_url or f"http://127.0.0.1:{config.port}"
        self._path = path
        self._expected_seconds = expected_seconds
        self._expected: dict[str, _Expected] = {}
        self._fences: dict[str, int] = {}
        """Under which fence the calls in progress here are held."""
        self._asked_at: dict[str, float] = {}
        """When claims were asked for that nobody attends to yet."""
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def refusal(self) -> str | None:
        """Why a new call is not welcome: draining, full or overloaded. None: it is."""
        return self.switchboard.refusal(len(self._expected))

    def loop_lagged(self, seconds: float) -> None:
        """The event loop was so late just now. In the loop's own thread."""
        self.metrics.loop_lagged(seconds)
        now = asyncio.get_running_loop().time()
        self.switchboard.strain.saw(seconds, time.thread_time(), now)

    # A call comes in

    async def standing(self, call_id: str, *, leg_ended: bool) -> Standing:
        """How the call stands; without the store, as far as this worker knows it."""
        try:
            return await self.store.standing(call_id, leg_ended=leg_ended)
        except StoreError as exc:
            _log.debug("the store does not answer; the call is taken without it: %s", exc)
            fence = self._fences.get(call_id)
            return Standing(CallState.NEW if fence is None else CallState.LIVE, fence or 0)

    def knows(self, call_id: str) -> bool:
        """Whether the call has been let in here before."""
        return call_id in self._expected or self.switchboard.find(call_id) is not None

    async def expect(self, record: CallRecord) -> None:
        """A call has come in. Twice is the same as once. Never raises for the store's sake."""
        if not self.knows(record.call_id):
            self._dial(record)
        try:
            await self.store.expect(record)
        except StoreError as exc:
            _log.debug("a new call could not be stored: %s", exc)

    def new_record(
        self,
        call_id: str,
        *,
        carrier: str,
        account_id: str = "",
        caller: str = "",
        called: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> CallRecord:
        """A call without a past."""
        return CallRecord(
            call_id,
            account_id=account_id,
            carrier=carrier,
            agent=self.agent.name,
            caller=caller,
            called=called,
            parameters=parameters or {},
            started_at=time.time(),
        )

    def issue_ticket(self, call_id: str, account_id: str, fence: int) -> str:
        """What a media stream has to show to be this call's."""
        expires_at = time.time() + ticket.LIFE_SECONDS
        named = ticket.Ticket(call_id, account_id, fence, expires_at)
        return ticket.issue(named, self.ticket_keys, os.urandom(ticket.NONCE_SIZE))

    # Its leg is there

    async def claim(self, call_id: str, fence: int) -> Claim | None:
        """
        Take the call for this worker; an older leg of it here lets go first.

        None where the ticket with this fence was used. A store that does not answer cannot
        tell, and the caller is not to suffer from that.
        """
        asked_at = asyncio.get_running_loop().time()
        if not await self._clear_the_way(call_id, fence):
            return None
        claim = await self._claim(call_id, fence)
        if claim is not None:
            self._asked_at[claim.claim_id] = asked_at
        return claim

    async def attend(
        self, caller: leg.Leg, claim: Claim, record: CallRecord, *, returns: bool = True
    ) -> Ending:
        """
        Conduct the call until it is over on this leg; returns why. `record` is for a call
        without one; `returns`: whether its carrier brings it back when this leg is lost.
        """
        if claim.resumed:
            # Somebody else has held it meanwhile: whom we dialled for a call without a past
            # does not know what was said since.
            self._never_came(claim.call_id)
        expected = self._expected.pop(claim.call_id, None)
        if expected is not None:
            expected.timer.cancel()
            attendant = expected.attendant
        else:
            attendant = Attendant(self, self._path, claim.record or record)
        self._fences[claim.call_id] = claim.fence
        try:
            since = self._asked_at.pop(claim.claim_id, asyncio.get_running_loop().time())
            return await attendant.attend(caller, claim, since, returns=returns)
        finally:
            if self._fences.get(claim.call_id) == claim.fence:
                del self._fences[claim.call_id]

    # Its end

    async def end(self, call_id: str, ending: Ending, verdict: leg.Verdict) -> None:
        """The call is over, whoever says so. Never raises for the store's sake."""
        self._never_came(call_id)
        try:
            await self.store.end(call_id, verdict)
        except StoreError as exc:
            _log.debug("the end of a call could not be stored: %s", exc)
        live = self.switchboard.find(call_id)
        if live is not None:
            live.end(ending, verdict)

    async def change(self, call_id: str, wish: ChangeWish) -> str | None:
        """
        Change the session of a call on any worker. What became of it: applied, or queued for
        its holder, or whoever holds it next; None: no such call. Raises RealtimeError where
        the model refuses, and StoreError.
        """
        live = self.switchboard.find(call_id)
        if live is not None:
            return await live.change(wish.change, wish.bridge_message)
        posted = await self.store.mailbox.post(call_id, uuid.uuid4().hex, wish)
        return "queued" if posted is Posted.LEFT else None

    async def hang_up(self, call_id: str) -> bool:
        """
        End a call on any worker, at the operator's wish. False: no such call. Raises
        StoreError where only the store could tell.
        """
        live = self.switchboard.find(call_id)
        if live is not None:
            live.end(Ending(Fault.OPERATOR, "hung_up"), leg.Hangup())
            return True
        standing = await self.store.standing(call_id)
        if standing.state in (CallState.NEW, CallState.ENDED):
            return False
        # Its holder finds that it is over, and the carrier, which then asks, hangs up.
        await self.store.end(call_id, leg.Hangup())
        await self.store.mailbox.alert(call_id)
        return True

    async def drain(self) -> None:
        """
        Take no new calls; return when those in progress are over and their carriers know.

        Other workers go on with them, if the store is theirs, too. What is left after
        BRIDGE_DRAIN_SECONDS ends with an apology. May be cancelled.
        """
        board = self.switchboard
        board.draining = True
        if not self._busy:
            return
        _log.info("draining: %d calls are in progress", len(board))
        if self.store.shared:
            await self._hand_over()
        else:
            await self._idle(self.config.drain_seconds)
        self._expect_nobody()
        for call in board:
            call.end(Ending(Fault.OPERATOR, "drained"), apologise(self.config.fallback_number))
        await self._idle(FAREWELL_SECONDS)
        await asyncio.sleep(LINGER_SECONDS)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """What a worker does besides its calls, for as long as this lasts."""
        postman = Postman(self.store.mailbox, self.worker, self.switchboard.find)
        rounds = asyncio.create_task(postman.run(), name="postman")
        if self.watchman is not None:
            self.watchman.start()
        try:
            yield
        finally:
            rounds.cancel()
            await asyncio.gather(rounds, return_exceptions=True)
            if self.watchman is not None:
                await self.watchman.close()

    async def close(self) -> None:
        """Let go of what was expected, and of the store."""
        self._expect_nobody()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self.store.close()

    def _dial(self, record: CallRecord) -> None:
        attendant = Attendant(self, self._path, record)
        attendant.dial()
        timer = asyncio.get_running_loop().call_later(
            self._expected_seconds, self._never_came, record.call_id
        )
        self._expected[record.call_id] = _Expected(attendant, timer)

    async def _claim(self, call_id: str, fence: int) -> Claim | None:
        claim_id = uuid.uuid4().hex
        try:
            return await self.store.claim(
                call_id, fence=fence, claim_id=claim_id, worker=self.worker
            )
        except StoreError as exc:
            _log.debug("the store does not answer; the call is taken without it: %s", exc)
            return Claim(call_id, fence + 1, claim_id, None, resumed=fence > 0)

    async def _clear_the_way(self, call_id: str, fence: int) -> bool:
        older = self.switchboard.find(call_id)
        if older is None:
            return True
        # What it heard last has to be in the record that the claim will give us, but a
        # ticket that was used before must not disturb it.
        if fence < self._fences.get(call_id, 0):
            return False
        older.step_aside()
        await older.gone()
        return True

    def _expect_nobody(self) -> None:
        for call_id in tuple(self._expected):
            self._never_came(call_id)

    def _never_came(self, call_id: str) -> None:
        expected = self._expected.pop(call_id, None)
        if expected is None:
            return
        expected.timer.cancel()
        task = asyncio.create_task(expected.attendant.abandon(), name="abandon")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _hand_over(self) -> None:
        """Give the calls to other workers; return when they are gone, or the time is up."""
        board = self.switchboard
        departures = Departures(lambda: board, asyncio.get_running_loop().time)
        leaving = asyncio.create_task(departures.run(self.config.drain_seconds), name="leaving")
        try:
            # However short the time is, everybody is let go at the pace.
            await self._idle(max(self.config.drain_seconds, len(board) / PACE + FAREWELL_SECONDS))
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    @property
    def _busy(self) -> bool:
        return bool(len(self.switchboard) or self._expected)

    async def _idle(self, seconds: float) -> None:
        """Return when no call is in progress or expected, or after so long."""
        try:
            async with asyncio.timeout(seconds):
                while self._busy:
                    await self.switchboard.empty()
                    await asyncio.sleep(0.1 if self._expected else 0)
        except TimeoutError:
            pass
