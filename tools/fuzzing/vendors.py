"""
The answer readers of the five vendors: each call of each client, answered by what a document says.

A document is `{"call": "read", "answers": [{"status", "headers", "body"}, …]}`. What a target's answers give is used
as flows use it: matched, planned from, written and read back, so that a value that is wrong further on is found too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

from tools.fuzzing import documents
from tools.fuzzing.scripted import CREDENTIAL, Scripted, check_error, check_exchanges, check_value, drained
from worker.config.vendors import RecrasSettings, RobawsSettings, RompslompSettings, RoutixSettings, WorkspaceSettings
from worker.core import contact as canonical
from worker.core.contact import Json
from worker.core.matching import decide
from worker.core.persons import settle_persons
from worker.core.planning import Create, Snapshot, Update, agree, plan_create, plan_update
from worker.errors import ConfigurationError, SyncError
from worker.vendors.contract import KNOWN, Intent, Record, Target, build
from worker.vendors.transport import Session

for _name in KNOWN:
    # The registry imports a vendor when it is first wanted, and the fuzzer only sees what is imported with this module.
    import_module(f"worker.vendors.{_name}.client")

Call = Callable[[Any, Session], Any]

SETTINGS: Final[Mapping[str, Any]] = {
    "robaws": RobawsSettings.model_validate({"username": "api", "password": CREDENTIAL}),
    "rompslomp": RompslompSettings.model_validate({"token": CREDENTIAL, "company_id": "1"}),
    "recras": RecrasSettings.model_validate({"base_url": "https://recras.example/api2", "api_key": CREDENTIAL}),
    "workspace": WorkspaceSettings.model_validate({"token": CREDENTIAL}),
    "routix": RoutixSettings.model_validate(
        {"client_id": "7a1e", "client_secret": CREDENTIAL, "branches": ["RS2RDH3B"]}
    ),
}

PERSON: Final = {"key": "7", "main": True, "first_name": "An", "last_name": "Peeters", "email": "an@delinde.example"}
CONTACT: Final[Json] = canonical.build(
    {
        "kind": "organisation",
        "name": "Dakwerken De Linde",
        "vat_number": "BE 0000.000.097",
        "email": "info@delinde.example",
        "phone": "+32 9 000 00 00",
        "address.line1": "Kerkstraat 12",
        "address.postal_code": "9000",
        "address.city": "Gent",
        "address.country": "België",
        "persons": [PERSON, {**PERSON, "key": "8", "main": False, "first_name": "Bo", "email": "bo@delinde.example"}],
        "references.robaws_id": "1834",
    }
)


# ------------------------------------------------------------------------------------------------------------ targets
def _intent(client: Target) -> Intent:
    ours = client.mapping.outward(CONTACT)
    plan = plan_create(client.mapping, ours, client.mapping.owners({}))
    fields = plan.fields if isinstance(plan, Create) else {path: v for path, v in ours.fields.items() if v}
    persons = tuple({"key": one.key, "main": one.main, "fields": dict(one.fields)} for one in ours.persons)
    return Intent("key-1", client.reference_for(CONTACT), fields, persons, "3")


def _create(client: Target, session: Session) -> Any:
    return client.create(session, _intent(client), client.mapping.outward(CONTACT))


def _deliver(client: Target, session: Session) -> Any:
    """A first link's read and write, as `flows.updating` does it."""
    record = client.read(session, "83")
    ours, owners = client.mapping.outward(CONTACT), client.mapping.owners({})
    plan = plan_update(client.mapping, ours, owners, None, record.fields, their_persons=record.persons or ())
    after: Record | None = record
    if isinstance(plan, Update):
        after = client.update(session, "83", plan.patch, plan.persons, record, "key-2") or client.read(session, "83")
    table, persons = client.mapping.persons, None
    if table is not None and plan.persons is not None and after is not None and after.persons is not None:
        persons = settle_persons(table, ours.persons, None, after.persons, plan.persons.absent)
    main = plan.persons.main if plan.persons else None
    held = after.fields if after else None
    snapshot = agree(ours, None, plan.decisions, held, persons, main).to_json()
    return [snapshot, plan, Snapshot.from_json(snapshot)]


def _patch(client: Target, session: Session) -> Any:
    """A change without a read before it."""
    patch = {
        row.vendor: value for row in client.mapping.rows if (value := row.value(CONTACT)) and row.direction != "in"
    }
    return client.update(session, "83", patch, None, None, "key-3")


def _match(client: Target, session: Session) -> Any:
    reference = client.reference_for(CONTACT)
    found = [client.candidate(record) for record in client.search(session, CONTACT, reference)]
    return decide(CONTACT, found, reference=reference, reference_is_unique=client.capabilities.reference_is_unique)


TARGET_CALLS: Final[Mapping[str, Call]] = {
    "read": lambda client, session: _looked_at(client, client.read(session, "83")),
    "list": lambda client, session: [_looked_at(client, one) for one in drained(client.list_records(session))],
    "match": _match,
    "find_created": lambda client, session: client.find_created(session, _intent(client)),
    "mark": lambda client, session: client.mark(session),
    "create": _create,
    "deliver": _deliver,
    "patch": _patch,
    "check": lambda client, session: client.check(session),
}


def _looked_at(client: Target, record: Record) -> Any:
    assert record.external_id, "a record without an id"
    return [record, client.candidate(record)]


# ------------------------------------------------------------------------------------------------------------ sources
ROBAWS_CALLS: Final[Mapping[str, Call]] = {
    "fetch": lambda client, session: client.fetch(session, "1834"),
    "list": lambda client, session: drained(client.list_ids(session)),
    "list_since": lambda client, session: drained(client.list_ids(session, "2025-01-01T00:00:00Z")),
    "patch": lambda client, session: client.patch_client(session, "1834", {"tel": "1"}, "key-1"),
    "write_back": lambda client, session: client.write_back(session, "1834", {"Recras-id": "71", "x": None}, "key-2"),
    "create": lambda client, session: client.create_client(session, {"name": "De Linde"}, "key-3"),
    "webhooks": lambda client, session: client.list_webhooks(session),
    "register": lambda client, session: client.register_webhook(
        session, "https://hub.example/webhooks/robaws", "key-4"
    ),
    "remove": lambda client, session: client.remove_webhook(session, "7c1f"),
    "check": lambda client, session: client.check(session),
}

ROUTIX_CALLS: Final[Mapping[str, Call]] = {
    "fetch": lambda client, session: client.fetch(session, "a-1"),
    "list": lambda client, session: drained(client.list_ids(session)),
    "canonical": lambda client, session: [client.canonical(one) for one in client.sweep(session).accounts.values()],
    "check": lambda client, session: client.check(session),
}

CALLS: Final[Mapping[str, Mapping[str, Call]]] = {
    "robaws": ROBAWS_CALLS,
    "rompslomp": TARGET_CALLS,
    "recras": TARGET_CALLS,
    "workspace": TARGET_CALLS,
    "routix": ROUTIX_CALLS,
}

ALSO: Final[Mapping[str, tuple[type[SyncError], ...]]] = {"register": (ConfigurationError,)}
"""A second registration is refused as such: the answer was no wrong one."""


def try_answers(system: str, data: bytes) -> None:
    """
    Read one document's answers. Nothing may come of them but a value that can be stored, or an error by name.

    AssertionError, or whatever the client raised, where it is otherwise.
    """
    document = documents.read(data)
    calls = CALLS[system]
    name = document.get("call")
    call = calls[name] if isinstance(name, str) and name in calls else next(iter(calls.values()))
    session = Scripted(system, document)
    try:
        check_value(call(build(system, SETTINGS[system], **_more(system)), session))
    except SyncError as error:
        check_error(error, session, ALSO.get(str(name), ()))
    check_exchanges(session.exchanges)


def _more(system: str) -> dict[str, Any]:
    return {"private_status": ("particulier",), "person_kinds": {"Soort": ("P",)}} if system == "robaws" else {}


def readers() -> dict[str, Callable[[bytes], None]]:
    """One reader of documents for each vendor."""
    return {system: partial(try_answers, system) for system in CALLS}
