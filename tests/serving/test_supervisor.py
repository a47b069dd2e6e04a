"""
The supervisor with real processes and real signals.

Its workers are small: they greet whoever is connected to them with their process id, and
hold the connection for as long as the other side does.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from bridge.serving.listeners import listen
from bridge.serving.supervisor import Supervisor
from tests.fakes.programs import until
from tests.serving.parts import STREAM, WEBHOOK
from tests.serving.programs import program

SECONDS = 20.0  # that a slow machine may take for anything

WORKER = program(
    """
import os, select, signal, socket, sys
handoff = load("handoff")
channel = socket.socket(fileno=int(sys.argv[1]))
channel.setblocking(False)
mode, taken, open_, streams, final = sys.argv[2], 0, [], set(), []
signal.signal(signal.SIGTERM, lambda *_: final.append(1))
signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
if mode == "wrong":
    sys.exit(2)
while True:
    ready, _, _ = select.select([channel, *open_], [], [], 0.02)
    for end in [end for end in ready if end is not channel]:
        try:
            gone = not end.recv(4096)
        except OSError:
            gone = True
        if gone:
            open_.remove(end)
            streams.discard(end)
            end.close()
    while mode != "deaf":
        delivery = handoff.receive(channel)
        taken += delivery.count
        open_ += delivery.connections
        streams |= set(delivery.connections) if delivery.stream else set()
        for each in delivery.connections:
            each.sendall(b"%d\\n" % os.getpid())
        if delivery.over:
            sys.exit(0 if final else 3)
        if not delivery.count:
            break
    over = bool(final) and mode != "lingers"
    report = handoff.Report(taken, len(open_), len(streams), not final, over)
    channel.send(handoff.write_report(report))
"""
)


class House:
    """A supervisor at work, as its callers and its operator know it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._callers: list[socket.socket] = []

    def call(self, words: bytes = STREAM) -> int:
        """Call and stay; the process that answers."""
        caller = socket.create_connection(self._address, timeout=SECONDS)
        caller.sendall(words)
        self._callers.append(caller)
        return int(caller.makefile().readline())

    def silent_call(self, words: bytes = STREAM) -> socket.socket:
        """Somebody who does not wait for the answer."""
        caller = socket.create_connection(self._address, timeout=SECONDS)
        caller.sendall(words)
        self._callers.append(caller)
        return caller

    def workers(self, count: int = 2) -> set[int]:
        """Call until so many have answered."""
        found: set[int] = set()
        while len(found) < count:
            found.add(self.call())
            time.sleep(0.005)
        self.hang_up()
        return found

    def hang_up_first(self, count: int, after: int = 0) -> None:
        """Some of those who called, but not those who called before."""
        for caller in self._callers[after : after + count]:
            caller.close()
        del self._callers[after : after + count]

    def hang_up(self) -> None:
        while self._callers:
            self._callers.pop().close()


def tell(number: signal.Signals) -> None:
    """Send a signal to the supervisor, which is in this process."""
    os.kill(os.getpid(), number)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def supervise(script: Callable[[House], None], *modes: str, workers: int = 2) -> int:
    """Run a supervisor until the script is over. Workers begin in these modes, then in "good"."""
    listeners = listen("127.0.0.1", 0)
    house = House(listeners[0].getsockname())
    processes: list[subprocess.Popen[bytes]] = []

    def start(number: int, channel: socket.socket) -> subprocess.Popen[bytes]:
        mode = modes[len(processes)] if len(processes) < len(modes) else "good"
        command = [*WORKER, str(channel.fileno()), mode]
        processes.append(subprocess.Popen(command, pass_fds=[channel.fileno()], process_group=0))
        return processes[-1]

    with acting(script, house):
        code = Supervisor(listeners, workers, start).run()
    assert all(process.returncode is not None for process in processes)
    return code


@contextmanager
def acting(script: Callable[[House], None], house: House) -> Iterator[None]:
    """In a thread, for the supervisor has the main one; what fails there fails here."""
    failed: list[BaseException] = []

    def act() -> None:
        try:
            until(lambda: signal.getsignal(signal.SIGTERM) is not nothing, SECONDS)
            script(house)
        except BaseException as exc:
            failed.append(exc)
        finally:
            house.hang_up()
            tell(signal.SIGTERM)

    def nothing(number: int, frame: FrameType | None) -> None:
        """What comes when the supervisor's own handlers are gone must not end the tests."""

    before = signal.signal(signal.SIGTERM, nothing)
    actor = threading.Thread(target=act)
    actor.start()
    try:
        yield
        actor.join(SECONDS)
    finally:
        signal.signal(signal.SIGTERM, before)
    if failed:
        raise failed[0]


def test_calls_are_shared_out_evenly() -> None:
    """
    A call is a webhook that is over soon and a stream that stays; only streams are to be even.

    In a burst, all webhooks come first, and their connections stay open for a while. On a
    busy machine a worker may be late, and is rightly passed over then: there are three tries.
    """
    figures: list[Counter[int]] = []

    def script(house: House) -> None:
        house.workers()
        answers(house, 20, WEBHOOK)
        house.hang_up_first(20)
        figures.append(Counter(answers(house, 20)))
        house.hang_up()
        time.sleep(0.2)
        one_by_one: Counter[int] = Counter()
        for count in range(20):
            house.call(WEBHOOK)
            house.hang_up_first(1, after=count)
            one_by_one[house.call()] += 1
        figures.append(one_by_one)

    def even() -> bool:
        return all(8 <= count <= 12 for each in figures for count in each.values())

    for _ in range(3):
        figures.clear()
        assert supervise(script) == 0
        print(f"20 in a burst, and 20 one by one: {[sorted(each.values()) for each in figures]}")
        assert [sum(each.values()) for each in figures] == [20, 20]
        if even():
            break
    assert even(), figures


def answers(house: House, count: int, words: bytes = STREAM) -> list[int]:
    """Of so many callers who come at once."""
    callers = [house.silent_call(words) for _ in range(count)]
    return [int(caller.makefile().readline()) for caller in callers]


def test_who_is_killed_is_replaced_and_the_others_go_on() -> None:
    def script(house: House) -> None:
        before = house.workers()
        victim, other = before
        os.kill(victim, signal.SIGKILL)
        until(lambda: house.call() not in before, SECONDS)

        assert not is_gone(other)

    assert supervise(script) == 0


def test_who_is_stopped_is_killed_and_what_it_did_not_take_is_answered() -> None:
    """It holds up nobody but those who were just given to it, and those for seconds only."""

    def script(house: House) -> None:
        victim, other = house.workers()
        os.kill(victim, signal.SIGSTOP)
        began = time.monotonic()
        callers = [house.silent_call() for _ in range(6)]
        answers = {int(caller.makefile().readline()) for caller in callers}
        took = time.monotonic() - began
        until(lambda: is_gone(victim), SECONDS)

        assert victim not in answers
        assert other in answers
        assert took < 10.0

    assert supervise(script) == 0


def test_who_takes_nothing_gets_no_more_than_its_share() -> None:
    """It reports, but leaves its connections lying: those on their way count."""
    answered: list[int] = []

    def script(house: House) -> None:
        answered.append(house.call())
        house.silent_call()
        while len(answered) < 30:
            caller = house.silent_call()
            caller.settimeout(0.3)
            try:
                answered.append(int(caller.makefile().readline()))
            except TimeoutError:
                caller.close()

    supervise(script, "good", "deaf")

    assert len(set(answered)) == 1


def test_connections_are_answered_while_workers_end() -> None:
    """Carriers have to be told what comes next, for as long as somebody is there."""

    def script(house: House) -> None:
        pids = house.workers()
        tell(signal.SIGTERM)
        answers = {house.call() for _ in range(10)}
        tell(signal.SIGTERM)

        assert answers <= pids

    assert supervise(script, "lingers", "lingers") == 0


def test_a_third_signal_waits_for_nobody() -> None:
    def script(house: House) -> None:
        victim, _ = house.workers()
        os.kill(victim, signal.SIGSTOP)
        for _ in range(3):
            tell(signal.SIGTERM)
            time.sleep(0.05)

    began = time.monotonic()
    code = supervise(script)

    assert code == 0
    assert time.monotonic() - began < SECONDS / 2


def test_replacing_all_loses_no_connection() -> None:
    """Somebody calls all the time, and is always answered: by the old ones, then by new ones."""

    def script(house: House) -> None:
        before = house.workers()
        tell(signal.SIGHUP)
        until(lambda: house.call() not in before and all(map(is_gone, before)), SECONDS)

        assert not house.workers() & before

    assert supervise(script) == 0


def test_where_the_first_cannot_begin_it_ends_with_its_code() -> None:
    """Settings that are wrong are told once, and not for ever."""

    def script(house: House) -> None:
        time.sleep(1.0)

    assert supervise(script, "wrong") == 2


def test_the_port_is_free_afterwards() -> None:
    ports: list[int] = []

    def script(house: House) -> None:
        house.call()
        ports.append(house._address[1])

    supervise(script)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", ports[0]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_its_handlers_are_gone_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    supervise(lambda house: None)

    assert signal.getsignal(number) == before
