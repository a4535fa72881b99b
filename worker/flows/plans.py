"""The changes that a delivery planned, with the requests that carried them out: why each said what it said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.core.sent import Planned, entries, members, questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.core.planning import Decision
    from worker.vendors.transport import Session


class Plans:
    """The plans of one delivery, each with the requests of the session that followed it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._planned: list[tuple[int, Planned]] = []

    def add(self, planned: Planned) -> None:
        """What leaves from now on carries this out."""
        self._planned.append((len(self._session.exchanges), planned))

    def sent(self) -> frozenset[str]:
        """The members of the record that stood in the requests of the last plan."""
        since = self._planned[-1][0] if self._planned else 0
        changes = [one.request for one in self._session.exchanges[since:] if one.request.writes]
        return frozenset(path for one in changes if one.person is None for path in members(one.logged))

    def why(self, since: int, decisions: Sequence[Decision] = ()) -> list[list[dict[str, Any]]]:
        """For each request from this one on what it said; the last also tells what those decisions ask a person."""
        told = [self._told(place) for place in range(since, len(self._session.exchanges))]
        if told:
            told[-1] += questions(decisions)
        return told

    def _told(self, place: int) -> list[dict[str, Any]]:
        planned = next((plan for since, plan in reversed(self._planned) if since <= place), None)
        return entries(self._session.exchanges[place].request, planned) if planned is not None else []
