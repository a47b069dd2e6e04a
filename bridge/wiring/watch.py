"""
Who looks after lost calls, as the settings have it.

Rule: Redis's room is entered only when it is the one, and the way to the carrier's REST API
only when the first call was lost.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from importlib.metadata import version

from bridge.call.reception import apologise
from bridge.call.rescue import RescueTimes
from bridge.carriers.twilio import CARRIER
from bridge.config import Config
from bridge.ports.exchange import Exchange
from bridge.ports.fleet import Fleet, Pulse
from bridge.ports.store import CallStore
from bridge.store.fleet import MemoryFleet
from bridge.store.memory import MemoryStore
from bridge.wiring.later import LaterExchange
from bridge.wiring.rescuer import Rescuer
from bridge.wiring.service import Service
from bridge.wiring.watchman import Watchman

__all__ = ["watchman_of"]

BUILD = version("telephony-bridge")

_log = logging.getLogger(__name__)


def watchman_of(service: Service, times: RescueTimes | None = None) -> Watchman | None:
    """
    Inside a running loop; `start` it. None where nobody could tell how the calls are held,
    because the store is one of the user's own.
    """
    fleet = _fleet_of(service.config, service.store)
    if fleet is None:
        return None
    exchange, rescuer = _exchange_of(service), None
    if exchange is None:
        _log.info(
            "TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is not set: calls that are lost, and that "
            "the carrier does not ask about, are not brought back"
        )
    else:
        rescuer = Rescuer(
            fleet,
            exchange,
            end=service.end,
            farewell=apologise(service.config.fallback_number),
            carrier=CARRIER,
            count=service.metrics.rescued,
        )
    return Watchman(fleet, exchange, rescuer, lambda: _pulse(service), service.metrics, times=times)


def _fleet_of(config: Config, store: CallStore) -> Fleet | None:
    if isinstance(store, MemoryStore):
        return MemoryFleet(store, asyncio.get_running_loop().time)
    if config.redis_url is not None:
        from bridge.store.redis.fleet import RedisFleet

        return RedisFleet.at(config.redis_url.reveal())
    return None


def _exchange_of(service: Service) -> Exchange | None:
    twilio = service.config.twilio
    if not twilio.account_sid or not twilio.auth_tokens:
        return None
    token = twilio.auth_tokens[0].reveal()

    def enter() -> Exchange:
        from bridge.carriers.twilio_exchange import TwilioExchange
        from bridge.carriers.twilio_rest import TwilioRest

        rest = TwilioRest(twilio.account_sid, token, twilio.api_base_url)
        return TwilioExchange(rest, service.public_url)

    return LaterExchange(enter)


def _pulse(service: Service) -> Pulse:
    board = service.switchboard
    return Pulse(
        service.worker,
        host=socket.gethostname(),
        pid=os.getpid(),
        build=BUILD,
        draining=board.draining,
        calls=len(board),
        capacity=board.max_calls or 0,
    )
