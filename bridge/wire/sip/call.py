"""
One call over SIP: first somebody calls (`Incoming`, `Outgoing`), then there is a `Talk`.

Rule: nothing is told of a call after its Ended, and Ended is told once, in whatever order
messages, wishes and time come in.
"""

from __future__ import annotations

from bridge.errors import Ending, Fault
from bridge.wire.sip.actions import (
    Ask,
    CallAction,
    Ended,
    Established,
    Reply,
    Send,
)
from bridge.wire.sip.dialogs import Dialog
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.incoming import Incoming
from bridge.wire.sip.login import Account, Login
from bridge.wire.sip.messages import Body, Request, Response
from bridge.wire.sip.outgoing import Outgoing, Plan
from bridge.wire.sip.places import Place
from bridge.wire.sip.responses import refuse, respond
from bridge.wire.sip.session_timer import agree, learn
from bridge.wire.sip.talk import FINISHED, Talk

__all__ = ["Call"]

_CANCELLED = Ending(Fault.CALLER, "cancelled", "the caller hung up before we answered")
_REJECTED = Ending(Fault.NOBODY, "rejected")
_UNANSWERED = Ending(Fault.BRIDGE, "unanswered", "nobody here answered the call")
_NO_ANSWER = Ending(Fault.CALLER, "no_answer")
_UNREACHABLE = Ending(Fault.CARRIER, "unreachable", "nothing answered our INVITE")
_REFUSALS = {
    **dict.fromkeys((486, 600), Ending(Fault.CALLER, "busy")),
    **dict.fromkeys((408, 480, 487), _NO_ANSWER),
    **dict.fromkeys((404, 410, 484, 604), Ending(Fault.CALLER, "unknown_number")),
    **dict.fromkeys((401, 403, 407), Ending(Fault.OPERATOR, "forbidden")),
    **dict.fromkeys((488, 606), Ending(Fault.CARRIER, "no_common_codec")),
    603: Ending(Fault.CALLER, "declined"),
}
_FAILED = Ending(Fault.CARRIER, "carrier_refused")


class Call:
    """`key` is our tag: it is in every message of the call that comes in."""

    def __init__(
        self, key: str, identity: Identity, setup: Incoming | Outgoing, login: Login
    ) -> None:
        self.key = key
        self._identity = identity
        self._setup = setup
        self._login = login
        self._talk: Talk | None = None
        self._ended = False
        self._gone = False

    @classmethod
    def comes(
        cls, key: str, identity: Identity, invite: Request, source: Place, now: float
    ) -> Call:
        incoming = Incoming(identity, invite, source, key, now)
        return cls(key, identity, incoming, Login(None, identity.random))

    @classmethod
    def goes(
        cls, key: str, identity: Identity, plan: Plan, account: Account | None, now: float
    ) -> Call:
        login = Login(account, identity.random)
        return cls(key, identity, Outgoing(key, identity, login, plan, now), login)

    @property
    def gone(self) -> bool:
        """Whether nothing more can come of it."""
        return self._gone or (self._talk is not None and self._talk.gone)

    @property
    def invite(self) -> Request:
        return self._setup.invite

    @property
    def deadline(self) -> float | None:
        if self._talk is not None:
            return self._talk.deadline
        return None if self._ended else self._setup.deadline

    # Wishes

    def begin(self) -> list[CallAction]:
        return self._tell(self._setup.begin())

    def ring(self, status: int = 180, body: Body | None = None) -> list[CallAction]:
        """The caller hears that we ring, or early media."""
        if self._talk is not None or self._ended or not isinstance(self._setup, Incoming):
            return []
        return self._tell(self._setup.ring(status, body))

    def answer(self, body: Body | None, now: float) -> list[CallAction]:
        """Take the call, or what was offered within it."""
        if self._talk is not None:
            return self._tell(self._talk.answer(body, now))
        if self._ended or not isinstance(self._setup, Incoming):
            return []
        invite = self._setup.invite
        talk = self._begin_talk(self._setup.dialog, called=False)
        return self._tell(talk.begin(invite, body, agree(invite), now))

    def reject(self, status: int, retry_after: int | None = None) -> list[CallAction]:
        """Refuse the call, or what was offered within it."""
        if self._talk is not None:
            return self._tell(self._talk.reject(status))
        if self._ended or not isinstance(self._setup, Incoming):
            return []
        self._gone = True
        refusal = self._setup.refuse(status, retry_after)
        return self._tell([*refusal, Ended(self.key, _REJECTED, status, retry_after)])

    def offer(self, body: Body) -> list[CallAction]:
        """Change the session."""
        return [] if self._talk is None else self._tell(self._talk.offer(body))

    def transfer(self, target: str, now: float) -> list[CallAction]:
        """Send the peer to another number: `target` is a SIP or tel URI."""
        return [] if self._talk is None else self._tell(self._talk.transfer(target, now))

    def hangup(self, ending: Ending = FINISHED) -> list[CallAction]:
        """End the call, however far it is."""
        if self._talk is not None:
            return self._tell(self._talk.hangup(ending))
        if self._ended:
            return []
        if isinstance(self._setup, Outgoing):
            return self._tell([*self._setup.cancel(), Ended(self.key, ending)])
        self._gone = True
        return self._tell([*self._setup.refuse(480), Ended(self.key, ending)])

    # What comes in

    def owns(self, request: Request) -> bool:
        """Whether a request with our tag is really of this call."""
        if self._talk is not None:
            return self._talk.dialog.owns(request)
        same = request.call_id == self._setup.invite.call_id
        return same and isinstance(self._setup, Incoming) and self._setup.dialog.owns(request)

    def receive(self, request: Request, source: Place, now: float) -> list[CallAction]:
        """A request within the call."""
        if self._talk is not None:
            return self._tell(self._talk.receive(request, source, now))
        if not isinstance(self._setup, Incoming) or self._ended:
            return [Reply(request, refuse(request, 481))] if request.method != "ACK" else []
        actions = self._setup.receive(request)
        if request.method == "BYE":
            self._gone = True
            actions.append(Ended(self.key, _CANCELLED))
        return self._tell(actions)

    def cancelled(self, cancel: Request) -> list[CallAction]:
        """The peer does not want to wait any more. After our answer that changes nothing."""
        actions: list[CallAction] = [Reply(cancel, respond(cancel, 200, tag=self.key))]
        if self._talk is not None:
            actions += self._talk.cancelled()
        elif isinstance(self._setup, Incoming) and not self._ended:
            self._gone = True
            actions += [*self._setup.refuse(487), Ended(self.key, _CANCELLED, 487)]
        return self._tell(actions)

    def responded(
        self, request: Request, response: Response, source: Place, now: float
    ) -> list[CallAction]:
        """An answer to a request of ours."""
        setup = self._setup
        if isinstance(setup, Outgoing) and request.cseq == setup.invite.cseq:
            return self._tell(self._on_answer(setup, request, response, source, now))
        if self._talk is None or not self._talk.dialog.sent(request):
            return []
        return self._tell(self._talk.responded(request, response, source, now))

    def silent(self, request: Request) -> list[CallAction]:
        """A request of ours was not answered in time, or cannot be sent."""
        setup = self._setup
        if isinstance(setup, Outgoing) and request.cseq == setup.invite.cseq:
            self._gone = self._gone or self._talk is None
            return self._tell([Ended(self.key, _UNREACHABLE, 408)])
        if self._talk is None or not self._talk.dialog.sent(request):
            return []
        return self._tell(self._talk.silent(request))

    def time_is_up(self, now: float) -> list[CallAction]:
        if self._talk is not None:
            return self._tell(self._talk.time_is_up(now))
        if self._ended or self._setup.deadline is None or now < self._setup.deadline:
            return []
        if isinstance(self._setup, Outgoing):
            return self._tell([*self._setup.cancel(), Ended(self.key, _NO_ANSWER, 408)])
        self._gone = True
        return self._tell([*self._setup.refuse(480), Ended(self.key, _UNANSWERED, 480)])

    # How

    def _begin_talk(self, dialog: Dialog, *, called: bool) -> Talk:
        self._talk = Talk(self.key, self._identity, dialog, self._login, called=called)
        return self._talk

    def _on_answer(
        self, setup: Outgoing, request: Request, response: Response, source: Place, now: float
    ) -> list[CallAction]:
        if not response.final:
            return setup.provisional(response)
        if not response.good:
            return self._on_refusal(setup, request, response)
        dialog, actions = setup.answered(response, source)
        if dialog is None:
            self._gone = self._gone or self._talk is None
            return actions
        talk = self._begin_talk(dialog, called=True)
        talk.offers.local = request.content
        talk.offers.learn_of(response)
        talk.offers.timer.start(learn(response), now)
        return [*actions, Established(self.key, response.content)]

    def _on_refusal(
        self, setup: Outgoing, request: Request, response: Response
    ) -> list[CallAction]:
        if again := setup.again(request, response):
            return again
        self._gone = self._talk is None
        ending = _REFUSALS.get(response.status, _FAILED)
        seconds = (response.first("Retry-After") or "").split("(")[0].split(";")[0].strip()
        retry_after = int(seconds) if seconds.isascii() and seconds.isdigit() else None
        return [Ended(self.key, ending, response.status, retry_after)]

    def _tell(self, actions: list[CallAction]) -> list[CallAction]:
        """What is sent goes out; what is told ends with Ended."""
        told: list[CallAction] = []
        for action in actions:
            if isinstance(action, Send | Reply | Ask):
                told.append(action)
            elif not self._ended:
                self._ended = isinstance(action, Ended)
                told.append(action)
        return told
