"""The mail of calls in Redis."""

from __future__ import annotations

from bridge.store.redis.keys import Keys, alerts_key
from bridge.store.redis.mailbox import LONGEST_ALERTS, LONGEST_MAIL
from bridge.store.redis.store import RedisStore
from tests.fakes.redis_server import RedisServer
from tests.store.contract import claimed
from tests.store.mail_contract import MailContract, wish


class TestRedisMailbox(MailContract):
    """It keeps every promise of the door."""


async def test_each_worker_has_its_own_alerts(store: RedisStore) -> None:
    await claimed(store, "CA1", "w1")
    await claimed(store, "CA2", "w2")
    for call_id in ("CA1", "CA2"):
        await store.mailbox.post(call_id, "a", wish("a"))

    assert await store.mailbox.alerts("w2") == ("CA2",)
    assert await store.mailbox.alerts("w1") == ("CA1",)


async def test_a_box_is_not_endless(server: RedisServer, store: RedisStore) -> None:
    """Nobody reads it: the oldest letters go."""
    claim = await claimed(store, "CA1")
    for number in range(LONGEST_MAIL + 3):
        await store.mailbox.post("CA1", f"{number}", wish(f"{number}"))

    letters = await store.mailbox.read(claim)

    assert letters is not None
    assert len(letters) == LONGEST_MAIL
    assert letters[0].wish == wish("3")
    assert server.raw("XLEN", Keys.of("CA1").mail) == LONGEST_MAIL


async def test_alerts_of_a_worker_that_is_gone_do_not_pile_up(
    server: RedisServer, store: RedisStore
) -> None:
    await claimed(store, "CA1", "w1")
    server.raw("RPUSH", alerts_key("w1"), *("CA0" for _ in range(LONGEST_ALERTS)))

    await store.mailbox.alert("CA1")

    assert server.raw("LLEN", alerts_key("w1")) == LONGEST_ALERTS
    assert 0 < server.raw("PTTL", alerts_key("w1")) <= 600_000
