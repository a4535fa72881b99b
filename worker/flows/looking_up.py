"""
Look up one record in a system for a person who names it, before anything is written down.

No transaction is open meanwhile, and the call goes through the system's budget and its gate like every other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import NotReachable, RecordGone, SyncError
from worker.flows.outcome import judge
from worker.store import attempts
from worker.store.attempts import AttemptContext
from worker.store.refusals import Unfit

if TYPE_CHECKING:
    from worker.flows.gate import Gate
    from worker.runtime import Runtime
    from worker.vendors.contract import Record

OPERATION = "look_up"


def look_up(runtime: Runtime, gate: Gate, system: str, external_id: str) -> Record:
    """
    The record as it stands there. Unfit where there is none.

    NotReachable where the system cannot be asked now: it is held back, has no turn soon enough, or does not answer.
    """
    until = gate.view(system, fresh=True).blocked_until(runtime.now())
    if until is not None:
        raise NotReachable(f"{system} cannot be asked at this moment, as it is held back; nothing was changed")
    session = runtime.session(system)
    try:
        record: Record = runtime.client(system).read(session, external_id)
    except RecordGone as gone:
        raise Unfit(f"there is no record {external_id} in {system}: {gone.message}") from gone
    except SyncError as error:
        now = runtime.now()
        error = gate.excused(error, session)
        outcome = judge(
            error, system=system, operation=OPERATION, attempts=0, policy=runtime.policy, now=now, draw=runtime.draw()
        )
        gate.learn(system, outcome, now)
        raise NotReachable(f"{system} could not be asked, and nothing was changed: {error.message}") from error
    finally:
        if session.exchanges:
            with runtime.engine.begin() as connection:
                attempts.add(connection, session.exchanges, AttemptContext())
    gate.succeeded(system)
    return record
