"""
Threads with a baton: many workers, of which exactly one runs at a time.

A task is a real thread, since the flows are written for threads. It runs until it parks at a boundary of I/O; then
the director, who holds the baton meanwhile, chooses who goes on. So every interleaving comes from the seed, and none
from the machine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context

DEADLOCK_SECONDS = 60.0


class Crash(BaseException):
    """The process ends here, as by SIGKILL: nothing after this point runs."""


class Stuck(RuntimeError):
    """A task did not give the baton back: it waits for something that only another task could give."""


class Task:
    """One thread of one simulated process. `wake_at` is the true time from which it may go on."""

    def __init__(self, name: str, owner: object, work: Callable[[], object]) -> None:
        self.name = name
        self.owner = owner
        self.work = work
        self.wake_at = 0.0
        self.where = "start"
        self.doomed = False
        self.done = False
        self.error: BaseException | None = None
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._context = copy_context()
        self._thread = threading.Thread(target=self._body, name=name, daemon=True)
        self._started = False

    def resume(self) -> None:
        """Hand over the baton, and wait until it comes back."""
        if not self._started:
            self._started = True
            if self.doomed:
                self.done = True
                return
            self._thread.start()
        self._go.release()
        if not self._back.acquire(timeout=DEADLOCK_SECONDS):
            raise Stuck(f"{self.name} did not come back from {self.where}")
        if self.done:
            self._thread.join()

    def park(self, where: str, wake_at: float = 0.0) -> None:
        """Give the baton back; returns when this task may go on. Crash where its process was killed meanwhile."""
        self.where, self.wake_at = where, wake_at
        self._back.release()
        self._go.acquire()
        if self.doomed:
            raise Crash(where)

    def _body(self) -> None:
        self._go.acquire()
        _here.task = self
        try:
            self._context.run(self.work)
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001 - the director raises it again where the story is told
            self.error = error
        finally:
            self.done = True
            self._back.release()


_here = threading.local()


def current() -> Task | None:
    """The task that this code runs in; None in the director's own thread."""
    return getattr(_here, "task", None)
