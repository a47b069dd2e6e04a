"""What others want of a call reaches whoever holds it, now or next."""

from __future__ import annotations

from bridge.ports import leg
from bridge.ports.store import Saved
from bridge.store.redis.keys import Keys
from bridge.store.redis.mailbox import LONGEST_MAIL, Message, Posted
from bridge.store.redis.store import RedisStore
from tests.fakes.redis_server import RedisServer
from tests.store.contract import claimed, record_of


def told(messages: tuple[Message, ...]) -> list[tuple[str, bytes]]:
    return [(message.message_id, message.text) for message in messages]


async def test_messages_are_read_in_order(store: RedisStore) -> None:
    """And as often as one likes, until they are acknowledged."""
    claim = await claimed(store, "CA1")
    for number in range(3):
        posted = await store.mailbox.post("CA1", f"m{number}", b"text %d" % number)
        assert posted is Posted.LEFT

    first = await store.mailbox.read(claim)
    second = await store.mailbox.read(claim)

    assert told(first) == [("m0", b"text 0"), ("m1", b"text 1"), ("m2", b"text 2")]
    assert second == first


async def test_what_is_acknowledged_is_gone(store: RedisStore) -> None:
    """Up to the message that is named; what came later stays."""
    claim = await claimed(store, "CA1")
    for number in range(3):
        await store.mailbox.post("CA1", f"m{number}", b"text")
    _, second, _ = await store.mailbox.read(claim)

    assert await store.mailbox.acknowledge(claim, second.place) is Saved.OK
    assert await store.mailbox.acknowledge(claim, second.place) is Saved.OK

    assert told(await store.mailbox.read(claim)) == [("m2", b"text")]


async def test_the_same_message_twice_is_one(store: RedisStore) -> None:
    """Also after it has been read: whoever sent it may not know that it arrived."""
    claim = await claimed(store, "CA1")
    await store.mailbox.post("CA1", "m1", b"text")
    assert await store.mailbox.post("CA1", "m1", b"text") is Posted.LEFT
    [message] = await store.mailbox.read(claim)
    await store.mailbox.acknowledge(claim, message.place)

    assert await store.mailbox.post("CA1", "m1", b"text") is Posted.LEFT
    assert await store.mailbox.read(claim) == ()


async def test_the_next_holder_reads_what_is_left(store: RedisStore) -> None:
    """The one before may have died; it reads nothing any more."""
    older = await claimed(store, "CA1", "w1")
    await store.mailbox.post("CA1", "m1", b"text")
    await store.mailbox.read(older)
    await store.release(older, record_of("CA1"))
    newer = await claimed(store, "CA1", "w2")

    [message] = await store.mailbox.read(newer)

    assert message.text == b"text"
    assert await store.mailbox.read(older) == ()
    assert await store.mailbox.acknowledge(older, message.place) is Saved.FENCED
    assert told(await store.mailbox.read(newer)) == [("m1", b"text")]


async def test_a_call_that_nobody_holds(store: RedisStore) -> None:
    """Its mail waits for whoever comes."""
    await store.expect(record_of("CA1"))
    await store.mailbox.post("CA1", "m1", b"text")

    assert told(await store.mailbox.read(await claimed(store, "CA1"))) == [("m1", b"text")]


async def test_there_is_nobody_to_read_it(store: RedisStore) -> None:
    await store.end("CA1", leg.Hangup())

    assert await store.mailbox.post("CA1", "m1", b"text") is Posted.ENDED
    assert await store.mailbox.post("CA2", "m1", b"text") is Posted.UNKNOWN


async def test_a_box_is_not_endless(server: RedisServer, store: RedisStore) -> None:
    """Nobody reads it: the oldest messages go."""
    claim = await claimed(store, "CA1")
    for number in range(LONGEST_MAIL + 3):
        await store.mailbox.post("CA1", f"m{number}", b"text")

    messages = await store.mailbox.read(claim)

    assert len(messages) == LONGEST_MAIL
    assert messages[0].message_id == "m3"
    assert server.raw("XLEN", Keys.of("CA1").mail) == LONGEST_MAIL


def test_a_message_does_not_show_its_text() -> None:
    assert "secret" not in repr(Message("m1", b"secret", "1-0"))
