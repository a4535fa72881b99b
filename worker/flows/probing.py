"""Try a system that is held back and to which nothing is due: without a trial it would be held for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from worker.errors import SyncError
from worker.flows.outcome import judge
from worker.runtime import SOURCE
from worker.store import held
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from worker.flows.gate import Gate
    from worker.runtime import Runtime
    from worker.vendors.transport import Session

log = structlog.get_logger()


def probe(runtime: Runtime, gate: Gate, system: str) -> None:
    """
    One read, behind live traffic; for whoever won the probe (`Gate.way`) and found no work to do.

    An answer lifts the breaker or the pause, as that of a delivery would. Another failure sets the next probe, for
    Robaws's block further away each time.
    """
    session = runtime.session(system, "background")
    now = runtime.now()
    try:
        _read(runtime, session, system)
    except SyncError as error:
        outcome = judge(
            gate.excused(error, session),
            system=system,
            operation="probe",
            attempts=0,
            own_failures=0,
            policy=runtime.policy,
            now=now,
            draw=runtime.draw(),
        )
        gate.learn(system, outcome, now)
        log.info("probe.failed", system=system, reason=outcome.reason, fingerprint=outcome.fingerprint)
    else:
        gate.succeeded(system)
        log.info("probe.done", system=system)


def _read(runtime: Runtime, session: Session, system: str) -> None:
    """A record that we know; of the source, and where none is known yet, the beginning of a list."""
    client = runtime.client(system)
    if system == SOURCE:
        next(client.list_ids(session), None)
        return
    with runtime.engine.connect() as connection:
        known = held.any_external_id(connection, system)
    if known is not None and id_shape(system).fits(known):
        client.read(session, known)
    else:
        next(client.list_records(session), None)
