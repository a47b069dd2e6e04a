"""Whether there is room for another call, by what was measured."""

from __future__ import annotations

import itertools

import pytest

from bridge.call.strain import Strain

STEP = 0.1  # seconds between two looks


class Worker:
    """Told of a worker's second by second; a clock, and a processor's."""

    def __init__(self) -> None:
        self.strain = Strain()
        self.now = 1_000.0
        self.cpu = 5.0

    def works(self, seconds: float, *, busy: float, late: float = 0.001) -> bool:
        """So long, with this share of a core and each timer so late; whether that is too much."""
        until = self.now + seconds
        while self.now < until:
            self.now += STEP + late
            self.cpu += (STEP + late) * busy
            self.strain.saw(late, self.cpu, self.now)
        return self.strain.overloaded


def test_a_worker_with_time_to_spare() -> None:
    """And one of which nothing is known yet."""
    assert not Strain().overloaded
    assert not Worker().works(10, busy=0.6)


def test_a_loop_that_is_late_again_and_again() -> None:
    """Whatever keeps it: here the processor is somebody else's."""
    worker = Worker()

    assert worker.works(2, busy=0.4, late=0.03)


def test_a_processor_that_is_nearly_full() -> None:
    worker = Worker()

    assert worker.works(2, busy=0.85)


def test_a_short_hiccup_is_none() -> None:
    """A garbage collection, or a file: nobody is turned away for that."""
    worker = Worker()
    worker.works(2, busy=0.5)

    assert not worker.works(0.1, busy=1.0, late=0.08)


def test_a_loop_that_was_blocked() -> None:
    """For half a second at once; a second later that is forgotten."""
    worker = Worker()
    worker.works(2, busy=0.3)

    blocked = worker.works(0.1, busy=0.0, late=0.5)
    still = worker.works(0.5, busy=0.3)
    later = worker.works(1, busy=0.3)

    assert (blocked, still, later) == (True, True, False)


def test_the_beginning_of_a_process_is_no_strain() -> None:
    """It has used a second of the processor before anybody looked, and some in the first moment."""
    worker = Worker()

    assert not worker.works(0.5, busy=1.0)


def test_room_again_only_well_below() -> None:
    """Else every call that ends would let in one too many."""
    worker = Worker()
    told = [worker.works(2, busy=busy) for busy in (0.75, 0.85, 0.75, 0.7, 0.6, 0.75)]

    assert told == [False, True, True, True, False, False]


@pytest.mark.parametrize("step", [0.01, 0.25, 3.0])
def test_looks_may_be_seldom(step: float) -> None:
    """Or frequent: what counts are the seconds between them."""
    strain = Strain()
    told = []
    for number in itertools.count():
        now = number * step
        strain.saw(0.0, now * 0.9, now)
        told.append(strain.overloaded)
        if now >= 6:
            break

    assert told[-1]
    assert len(told) == int(6 / step) + 1
