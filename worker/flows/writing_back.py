"""Tell Robaws which record its client is elsewhere: the other systems' ids into extra fields, by merge patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.core.planning import Snapshot
from worker.flows.delivery import Delivery, Ended
from worker.store import source_link


def decide(
    fields: Mapping[Any, str], known: Mapping[str, str], base: Snapshot
) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """What the extra fields should hold, and which of it is not there yet; `fields` by system, as in the settings."""
    wanted = {
        field: known.get(system)
        for system, field in fields.items()
        if system in known or base.ours.get(field) is not None
    }
    return wanted, {field: value for field, value in wanted.items() if base.ours.get(field) != value}


def write_back(delivery: Delivery) -> Ended:
    """
    Write the ids that are not there yet, and empty those of records that are no longer this client's. One merge patch
    under one idempotency key; a repeat writes the same, and an id that comes back later goes out under another key.

    The webhook event that it causes finds an unchanged contact and ends as an echo. A value that the answer does not
    show as kept (an extra field that the tenant does not have) is remembered as not accepted and not tried again.
    """
    delivery.operation = "write_back"
    claim = delivery.claim
    with delivery.runtime.engine.connect() as connection:
        known = source_link.external_ids(connection, claim.contact_id)
    base = delivery.base or Snapshot()
    wanted, patch = decide(delivery.runtime.settings.systems.robaws.write_back, known, base)
    held = dict(base.theirs)
    if patch:
        key = delivery.key("write_back", {"turn": claim.wanted, "patch": patch})
        kept = delivery.client.write_back(delivery.session, claim.source_id, patch, key)
        held.update({field: value for field, value in patch.items() if kept is None or kept.get(field) == value})
    snapshot = replace(base, ours={**base.ours, **wanted}, theirs=held)
    lost = sorted(field for field in wanted if held.get(field) != wanted[field])
    message = f"Robaws did not keep {', '.join(lost)}: does the extra field exist there?" if lost else None
    return delivery.end(
        "synced",
        snapshot=snapshot,
        reason="not_accepted" if lost else None,
        message=message,
    )
