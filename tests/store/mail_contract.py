"""
What every mailbox promises, whatever it is made of.

Whoever stands behind the door inherits MailContract and has a fixture `store`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.ports import leg
from bridge.ports.mail import ChangeWish, Letter, Posted
from bridge.ports.session import RealtimeConfig
from bridge.ports.store import CallStore
from tests.store.contract import claimed, new_id, record_of

__all__ = ["MailContract", "wish"]


def wish(text: str) -> ChangeWish:
    return ChangeWish(RealtimeConfig(instruction=text), f"You are told: {text}")


def told(letters: Sequence[Letter] | None) -> list[ChangeWish]:
    assert letters is not None
    return [letter.wish for letter in letters]


class MailContract:
    async def test_letters_are_read_in_order(self, store: CallStore) -> None:
        """And as often as one likes, until they are acknowledged."""
        call_id = new_id()
        claim = await claimed(store, call_id)
        for text in "abc":
            assert await store.mailbox.post(call_id, text, wish(text)) is Posted.LEFT

        first = await store.mailbox.read(claim)

        assert told(first) == [wish("a"), wish("b"), wish("c")]
        assert await store.mailbox.read(claim) == first

    async def test_what_is_acknowledged_is_gone(self, store: CallStore) -> None:
        """Up to the letter that is named; what came later stays. Twice is the same as once."""
        call_id = new_id()
        claim = await claimed(store, call_id)
        for text in "abc":
            await store.mailbox.post(call_id, text, wish(text))
        letters = await store.mailbox.read(claim)
        assert letters is not None

        for _ in range(2):
            await store.mailbox.acknowledge(claim, letters[1].place)

            assert told(await store.mailbox.read(claim)) == [wish("c")]

    async def test_the_same_letter_twice_is_one(self, store: CallStore) -> None:
        """Also after it has been read: whoever sent it may not know that it arrived."""
        call_id = new_id()
        claim = await claimed(store, call_id)
        for _ in range(2):
            assert await store.mailbox.post(call_id, "a", wish("a")) is Posted.LEFT
        letters = await store.mailbox.read(claim)
        assert letters is not None
        [letter] = letters
        await store.mailbox.acknowledge(claim, letter.place)

        assert await store.mailbox.post(call_id, "a", wish("a")) is Posted.LEFT
        assert told(await store.mailbox.read(claim)) == []

    async def test_the_next_holder_reads_what_is_left(self, store: CallStore) -> None:
        """The one before may have died; it reads and acknowledges nothing any more."""
        call_id = new_id()
        older = await claimed(store, call_id, "w1")
        await store.mailbox.post(call_id, "a", wish("a"))
        await store.mailbox.read(older)
        await store.release(older, record_of(call_id))
        newer = await claimed(store, call_id, "w2")

        letters = await store.mailbox.read(newer)
        assert letters is not None
        [letter] = letters

        assert letter.wish == wish("a")
        assert await store.mailbox.read(older) is None
        await store.mailbox.acknowledge(older, letter.place)
        assert told(await store.mailbox.read(newer)) == [wish("a")]

    async def test_a_call_that_nobody_holds(self, store: CallStore) -> None:
        """Its mail waits for whoever comes."""
        call_id = new_id()
        await store.expect(record_of(call_id))
        assert await store.mailbox.post(call_id, "a", wish("a")) is Posted.LEFT

        assert told(await store.mailbox.read(await claimed(store, call_id))) == [wish("a")]

    async def test_there_is_nobody_to_read_it(self, store: CallStore) -> None:
        ended = new_id()
        claim = await claimed(store, ended)
        await store.mailbox.post(ended, "a", wish("a"))
        await store.end(ended, leg.Hangup())

        assert await store.mailbox.post(ended, "b", wish("b")) is Posted.ENDED
        assert await store.mailbox.post(new_id(), "a", wish("a")) is Posted.UNKNOWN
        assert await store.mailbox.read(claim) is None

    async def test_the_holder_is_alerted(self, store: CallStore) -> None:
        """Of a letter, and of whatever else happened; each worker of its own calls, once."""
        mine, other, ended = new_id(), new_id(), new_id()
        for call_id in (mine, other, ended):
            await claimed(store, call_id, "w1")
        await store.mailbox.post(mine, "a", wish("a"))
        await store.mailbox.post(mine, "b", wish("b"))
        await store.end(ended, leg.Hangup())
        await store.mailbox.alert(ended)
        await store.mailbox.alert(new_id())

        alerts = await store.mailbox.alerts("w1")

        assert set(alerts) >= {mine, ended}
        assert other not in alerts
        assert len(alerts) == len(set(alerts))
        assert list(await store.mailbox.alerts("w1")) == []

    def test_a_letter_does_not_show_its_words(self) -> None:
        assert "secret" not in repr(Letter(wish("secret"), "1-0"))
