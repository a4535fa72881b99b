"""The access token of one process, shared by its threads: asked for once, renewed when it ends or is refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from worker.vendors.routix import answers, calls

if TYPE_CHECKING:
    from worker.vendors.routix.answers import Token
    from worker.vendors.transport import Session


class Tokens:
    """
    One token for all threads. Thirty may be asked for in a minute, so it is never asked for by task (Routix sheet 5
    and trap 8).
    """

    def __init__(self, access: calls.Access) -> None:
        self.access = access
        self._lock = threading.Lock()
        self._held: Token | None = None

    def get(self, session: Session, refused: str | None = None) -> tuple[str, bool]:
        """
        A token, and whether it was asked for just now. `refused` is one that a 401 has shown to be worthless.

        While one thread asks, the others wait for its answer instead of asking too.
        """
        with self._lock:
            held = self._held
            if held is not None and held.value != refused and session.clock() < held.good_until:
                return held.value, False
            self._held = None
            asked_at = session.clock()
            self._held = answers.token(session.send(calls.token(self.access)), asked_at)
            return self._held.value, True

    def drop(self, refused: str) -> None:
        """Forget a token that was refused, so that the next call asks for a new one."""
        with self._lock:
            if self._held is not None and self._held.value == refused:
                self._held = None
