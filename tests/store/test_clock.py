"""The database's clock in each process: measured now and then, counted on in between, and never led astray."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from worker.store.clock import MEASURE_SECONDS, DatabaseClock, Reading, database_time, elapsed

T = 1_800_000_000.0


class Machine:
    """A machine with a clock and a counter of its own, some way from a database."""

    def __init__(self) -> None:
        self.counter = 50.0
        self.ahead = T
        self.wall_ahead = 0.0
        self.way = (0.0005, 0.0005)
        self.away = False
        self.asked = 0
        self.clock = DatabaseClock(read=self.read, counter=lambda: self.counter, wall=lambda: self.wall)

    @property
    def wall(self) -> float:
        return self.counter + self.wall_ahead

    @property
    def true(self) -> float:
        return self.counter + self.ahead

    def read(self) -> Reading:
        self.asked += 1
        if self.away:
            raise OperationalError("SELECT", {}, Exception("away"))
        begun = self.counter
        self.counter += self.way[0]
        at = self.true
        self.counter += self.way[1]
        return Reading(at, begun, self.counter)

    def now(self) -> float:
        return self.clock.now().timestamp()


def test_the_time_is_the_databases_whatever_the_machines_own_clock_says() -> None:
    machine = Machine()
    machine.wall_ahead = -86_400.0

    first = machine.now()
    machine.wall_ahead = 7_200.0
    machine.counter += 1

    assert first == pytest.approx(machine.true - 1, abs=0.002)
    assert machine.now() == pytest.approx(machine.true, abs=0.002)


def test_the_database_is_asked_every_few_seconds_and_not_in_between() -> None:
    machine = Machine()

    for _ in range(1_000):
        machine.now()
        machine.counter += 0.01

    assert machine.asked <= 1_000 * 0.01 / MEASURE_SECONDS + 1


def test_a_pause_of_the_process_is_part_of_the_time_at_once() -> None:
    machine = Machine()
    machine.now()

    machine.counter += 300
    machine.away = True

    assert machine.now() == pytest.approx(machine.true, abs=0.002)


def test_a_machine_whose_counter_stood_still_is_told_by_its_clock() -> None:
    machine = Machine()
    machine.now()

    machine.ahead += 900  # the host took the machine off its processor and put its clock right afterwards
    machine.wall_ahead += 900

    assert machine.now() == pytest.approx(machine.true, abs=0.002)


def test_a_measurement_that_fails_keeps_what_was_known() -> None:
    machine = Machine()
    machine.now()
    machine.away = True

    for _ in range(100):
        machine.counter += 0.1
        assert machine.now() == pytest.approx(machine.true, abs=0.002)

    assert machine.asked < 15


def test_without_any_measurement_there_is_no_time() -> None:
    machine = Machine()
    machine.away = True

    with pytest.raises(OperationalError):
        machine.now()

    machine.away = False
    assert machine.now() == pytest.approx(machine.true, abs=0.002)


def test_a_slow_answer_moves_the_time_by_no_more_than_it_proves() -> None:
    machine = Machine()
    machine.now()

    machine.counter += 10
    machine.way = (0.0, 20.0)

    assert machine.now() == pytest.approx(machine.true, abs=0.002)


def test_a_small_correction_never_turns_the_time_back() -> None:
    machine = Machine()
    machine.now()
    machine.counter += 10
    before = machine.now()

    machine.ahead -= 0.3
    machine.counter += MEASURE_SECONDS
    told = [machine.now()]
    machine.ahead -= 0.2
    machine.counter += MEASURE_SECONDS
    for _ in range(10):
        told.append(machine.now())
        machine.counter += 0.1

    assert told == sorted(told)
    assert told[0] > before
    assert told[-1] == pytest.approx(machine.true - 0.1, abs=0.01)


def test_a_clock_of_the_database_that_was_wrong_is_followed_back() -> None:
    machine = Machine()
    machine.ahead += 86_400
    machine.now()

    machine.ahead -= 86_400
    machine.counter += MEASURE_SECONDS

    assert machine.now() == pytest.approx(machine.true, abs=0.002)


def test_two_machines_whose_clocks_differ_agree() -> None:
    here, there = Machine(), Machine()
    there.wall_ahead, there.counter = 200.0, 9_000.0
    there.ahead = here.true - there.counter

    assert here.now() == pytest.approx(there.now(), abs=0.01)


def test_it_is_measured_on_a_real_database_in_one_statement(engine: Engine) -> None:
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    clock = DatabaseClock(engine)

    told = [clock.now() for _ in range(50)]

    with engine.connect() as connection:
        assert abs((database_time(connection) - told[-1]).total_seconds()) < 0.5
    assert sum("clock_timestamp" in one for one in sent) == 2
    assert told == sorted(told)


def test_threads_that_start_together_share_one_measurement() -> None:
    asked: list[int] = []

    def read() -> Reading:
        asked.append(1)
        begun = elapsed()
        time.sleep(0.05)
        return Reading(T, begun, elapsed())

    clock = DatabaseClock(read=read)
    told: list[datetime] = []
    threads = [threading.Thread(target=lambda: told.append(clock.now())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(told) == 8
    assert len(asked) == 1
    assert all(abs(one.timestamp() - T) < 1 for one in told)
    assert told[0].tzinfo is UTC
