"""What `contactsync check` says of the receiver: its port, when the last event came, and what was refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from worker.vendors.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.config import Settings
    from worker.flows.checking import Checked
    from worker.store.arrivals import Arrivals

MOST_REASONS: Final = 5
PAGE: Final = "docs/nothing-arrives.md"


def receiver(settings: Settings) -> Iterator[Checked]:
    """The port, before urls of running servers are filled in; nothing where a free one is taken at the start."""
    from worker.embedded.servers import connect_existing
    from worker.errors import ConfigurationError
    from worker.flows.checking import Checked
    from worker.processes.listening import receiver_answers, require_port

    host, port = settings.receiver.host, settings.receiver.port
    if not port:
        return
    bundled = settings.database.url is None or settings.redis.url is None
    runs = connect_existing(Path(settings.home)) is not None if bundled else None
    at = f"{host} port {port}"
    if receiver_answers(host, port):
        found = Finding("port", True, f"a receiver answers at {at}")
        if runs is False:
            step = "end it, or choose another port with receiver.port"
            found = Finding("port", False, f"the receiver of another installation answers at {at}", step)
    else:
        found = Finding("port", True, f"{at} is free")
        try:
            require_port(host, port)
        except ConfigurationError as error:
            what, _, step = error.message.partition(": ")
            found = Finding("port", False, what, step)
        if runs:
            found = Finding("port", False, f"no receiver answers at {at}", f"see {settings.home}/logs/receiver.log")
    yield Checked("receiver", (found,))


def arrivals(database_url: str) -> Iterator[Checked]:
    """When the last event came and what was refused, from a database that has its tables."""
    from worker.flows.checking import Checked
    from worker.store import arrivals
    from worker.store.clock import database_time
    from worker.store.engine import make_engine

    engine = make_engine(database_url, pool_size=1, application_name="check")
    try:
        with engine.connect() as connection:
            found = arrivals.read(connection, database_time(connection))
    finally:
        engine.dispose()
    yield Checked("receiver", tuple(_lines(found)))


def _lines(found: Arrivals) -> Iterator[Finding]:
    from worker.cli.arrivals_text import refusal
    from worker.cli.asking import span
    from worker.core.refused import reason

    if found.last_event_seconds is None:
        step = f"change a client in Robaws, or: contactsync webhooks test ({PAGE} leads on)"
        yield Finding("last event", True, "none has come yet", step)
    else:
        yield Finding("last event", True, f"came {span(found.last_event_seconds)} ago")
    obstacle = found.obstacle
    for one in found.refused[:MOST_REASONS]:
        known = reason(one.reason)
        wrong = obstacle is not None and one.reason == obstacle.reason
        after = "; none got in since" if wrong else "; others got in since" if known.setup else ""
        text = f"{refusal(one)}{after}"
        then = "contactsync webhooks test" if known.tested else "save a client in Robaws; its event settles this"
        step = f"{known.next_step}; then: {then}" if wrong else known.next_step
        yield Finding("refused", not wrong, text, step if known.setup else "")
