"""Who is started, replaced and told to end; the time is an argument, the processes are played."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator

import pytest

from bridge.serving.fleet import CLOSING_SECONDS, HURRY_SECONDS, START_SECONDS, Fleet
from bridge.serving.process import Process
from bridge.serving.watchdog import ALARM
from tests.serving.parts import PlayedWorker, Players

TERM, INT, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGKILL


class Company:
    """A fleet, and who plays its workers."""

    def __init__(self, players: Players, count: int = 2) -> None:
        self.players = players
        self.fleet = Fleet(count, players.start)

    @property
    def begun(self) -> list[PlayedWorker]:
        return self.players.begun

    @property
    def numbers(self) -> list[int]:
        return sorted(worker.number for worker in self.fleet)

    def tend(self, now: float) -> list[socket.socket]:
        """Time goes on, and what was reported is heard."""
        for worker in self.fleet:
            worker.listen(now)
        return self.fleet.tend(now)

    def at_work(self, now: float = 0.0) -> list[PlayedWorker]:
        """All are there and ready."""
        self.tend(now)
        self.begun[0].report()
        self.tend(now)
        self.report(now)
        return list(self.begun)

    def report(self, now: float) -> None:
        """Who lives reports."""
        for player in self.begun:
            if player.process.code is None:
                player.report()
        self.tend(now)

    def close(self) -> None:
        for worker in self.fleet:
            worker.hang_up()
        self.players.close()


@pytest.fixture
def company(players: Players) -> Iterator[Company]:
    company = Company(players)
    yield company
    company.close()


def test_the_first_proves_that_one_can_begin(company: Company) -> None:
    """The others begin when it is ready."""
    company.tend(0.0)
    company.tend(1.0)
    assert company.numbers == [0]
    company.begun[0].report()
    company.tend(1.5)

    assert company.numbers == [0, 1]


@pytest.mark.parametrize("code", [1, 2])
def test_where_the_first_cannot_begin_nothing_is_supervised(company: Company, code: int) -> None:
    """Its settings are wrong: it has said so, and trying again would not help."""
    company.tend(0.0)
    company.begun[0].die(code)
    company.tend(0.1)

    assert company.fleet.over
    assert company.fleet.exit_code == code
    assert len(company.begun) == 1


def test_a_first_that_was_killed_begins_again(company: Company) -> None:
    """That says nothing about its settings."""
    company.tend(0.0)
    company.begun[0].die(-9)
    company.tend(0.1)

    assert not company.fleet.over
    assert company.numbers == [0]
    assert len(company.begun) == 2


def test_who_dies_is_replaced_when_the_others_have_its_calls(company: Company) -> None:
    """A start costs a core for most of a second, which those calls need first."""
    company.at_work()
    company.begun[1].die()
    company.tend(20.0)
    company.tend(20.9)
    too_soon = company.numbers
    company.tend(21.0)

    assert (too_soon, company.numbers) == ([0], [0, 1])
    assert len(company.begun) == 3


def test_where_nobody_is_left_it_is_replaced_at_once(company: Company) -> None:
    for player in company.at_work():
        player.die()
    company.tend(20.0)
    company.tend(20.0)

    assert company.numbers == [0, 1]


def test_who_dies_again_and_again_is_replaced_later_and_later(players: Players) -> None:
    company = Company(players, 1)
    company.tend(0.0)
    company.begun[0].die()
    company.tend(1.0)
    company.tend(1.0)
    company.begun[1].die()
    company.tend(2.0)
    at_once = company.numbers
    company.tend(2.05)
    too_soon = company.numbers
    company.tend(2.15)

    assert (at_once, too_soon, company.numbers) == ([], [], [0])
    company.close()


def test_who_is_silent_shows_its_stacks_and_is_killed(company: Company) -> None:
    """A hung event loop does not report; the others do, and are left alone."""
    one, other = company.at_work()
    for now in (1.0, 2.0, 2.9):
        one.report()
        company.tend(now)
    assert other.process.signals == []
    one.report()
    company.tend(3.1)
    company.tend(3.3)

    assert other.process.signals == [ALARM, KILL]
    assert one.process.signals == []


def test_a_supervisor_that_stood_still_blames_nobody(company: Company) -> None:
    one, other = company.at_work()
    company.fleet.excuse(60.0)
    company.tend(60.1)

    assert one.process.signals == other.process.signals == []


def test_who_never_becomes_ready_is_killed(company: Company) -> None:
    company.tend(0.0)
    company.tend(START_SECONDS - 1)
    patient = list(company.begun[0].process.signals)
    company.tend(START_SECONDS + 1)

    assert patient == []
    assert company.begun[0].process.signals == [ALARM]


def test_who_takes_no_more_has_to_be_gone_in_time(company: Company) -> None:
    """A process that has ended its work and does not end."""
    one, _ = company.at_work()
    one.report(final=True)
    company.tend(0.1)
    company.fleet.stop(0.2)
    company.tend(CLOSING_SECONDS)
    patient = list(one.process.signals)
    company.tend(CLOSING_SECONDS + 1)

    assert patient == [TERM]
    assert one.process.signals == [TERM, ALARM]


def test_a_signal_ends_all_and_nobody_is_replaced(company: Company) -> None:
    """It is over when all are gone."""
    one, other = company.at_work()
    company.fleet.stop(1.0)
    one.die(0)
    company.tend(1.1)
    before = company.fleet.over
    other.die(-9)
    company.tend(1.2)

    assert not before
    assert (one.process.signals, other.process.signals) == ([TERM], [TERM])
    assert company.fleet.over
    assert company.fleet.exit_code == 0
    assert len(company.begun) == 2


def test_a_second_signal_hurries_and_a_third_kills(company: Company) -> None:
    """To a worker the second is another one: the first may come to it twice."""
    one, _ = company.at_work()
    for now in (1.0, 2.0, 3.0):
        company.fleet.stop(now)

    assert one.process.signals == [TERM, INT, KILL]


def test_who_does_not_hurry_is_killed(company: Company) -> None:
    one, _ = company.at_work()
    company.fleet.stop(1.0)
    company.fleet.stop(2.0)
    for now in (4.0, 6.0, 8.0, 10.0, 1.9 + HURRY_SECONDS):
        company.report(now)
    patient = list(one.process.signals)
    company.report(2.0 + HURRY_SECONDS)

    assert patient == [TERM, INT]
    assert one.process.signals == [TERM, INT, KILL]


def test_workers_are_replaced_one_after_the_other(company: Company) -> None:
    """The new one is ready before the old one goes, and the next waits until that is gone."""
    first, second = company.at_work()
    company.fleet.renew()
    company.report(10.1)
    assert company.numbers == [0, 1, 2]
    third = company.begun[2]
    assert [worker.outdated for worker in company.fleet] == [True, True, False]
    assert first.process.signals == []
    company.report(10.2)
    company.report(10.3)
    assert (first.process.signals, second.process.signals) == ([TERM], [])
    assert len(company.begun) == 3
    first.die(0)
    company.report(10.4)
    company.report(10.5)
    company.report(10.6)
    assert second.process.signals == [TERM]
    second.die(0)
    company.report(10.7)
    company.report(10.8)

    assert company.numbers == [0, 2]
    assert len(company.begun) == 4
    assert third.process.signals == company.begun[3].process.signals == []


def test_a_new_worker_that_cannot_begin_calls_it_off(company: Company) -> None:
    """The old ones, which can, go on."""
    first, second = company.at_work()
    company.fleet.renew()
    company.tend(1.1)
    company.begun[2].die(2)
    for now in (1.2, 1.3, 1.4, 4.0):
        company.report(now)

    assert company.numbers == [0, 1]
    assert len(company.begun) == 3
    assert first.process.signals == second.process.signals == []
    assert not any(worker.outdated for worker in company.fleet)


def test_who_dies_during_a_replacement_is_replaced_by_the_new_one(company: Company) -> None:
    """There are never more workers than one too many, and never too few for long."""
    first, second = company.at_work()
    company.fleet.renew()
    company.tend(1.1)
    first.die()
    for now in (1.2, 1.3, 1.4, 1.5):
        company.report(now)
    assert second.process.signals == [TERM]
    second.die(0)
    for now in (1.6, 1.7, 1.8):
        company.report(now)

    assert len(company.numbers) == 2
    assert len(company.begun) == 4


def test_a_system_without_room_for_a_process(players: Players) -> None:
    """It is tried again, later and later."""
    tried: list[int] = []

    def start(number: int, channel: socket.socket) -> Process:
        tried.append(number)
        if len(tried) < 3:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return players.start(number, channel)

    fleet = Fleet(2, start)
    for now in (0.0, 0.01, 0.02, 0.2):
        fleet.tend(now)

    assert tried == [0, 0, 0]
    for worker in fleet:
        worker.hang_up()
