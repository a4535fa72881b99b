"""Masks: whatever a document or a view holds, a viewer sees what the allow list names, and nothing else."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.api.routes import CALLS
from worker.core import masks
from worker.core.masks import (
    MASK,
    MOST_BODY_CHARACTERS,
    ClientFields,
    Word,
    document,
    for_viewer,
    mask_path,
)
from worker.store.listing_contacts import ContactView, FetchView
from worker.store.listing_history import ActionEntry
from worker.store.listing_requests import RequestView
from worker.store.operating_bulk import Bulk
from worker.store.summary import System
from worker.vendors.tables import vocabulary

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KNOWN = vocabulary()

PERSONAL = (
    "Marleen Verbruggen",
    "Verbruggen",
    "verbruggen",
    "Geheimstraat 77",
    "0475123456",
    "+32 475 12 34 56",
    "+32 470 12 34 56",
    "06 12 34 56 78",
    "012/34.56.78",
    "12.05.80",
    "123.456.789",
    "id 470",
    32475123456,
    "85.07.30-033.28",
    85073003328,
    "1985-07-30",
    "BE68539007547034",
    "BE0403170701",
    "an.peeters@delinde.example",
    "echtscheiding",
    51.0543,
    "GKCCBEBB",
    "https://delinde.example",
)


# -------------------------------------------------------------------------------------------------------- documents
names = st.one_of(st.text(max_size=20), st.sampled_from(sorted(KNOWN.names)), st.sampled_from(list(map(str, PERSONAL))))
leaves = st.one_of(st.sampled_from(PERSONAL), st.none(), st.booleans(), st.just(""))
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5), max_leaves=25
)


def leaves_of(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves_of(inner)
    else:
        yield value


def names_of(value: Any) -> Iterator[str]:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    if isinstance(value, Mapping):
        yield from value
    for one in inner:
        yield from names_of(one)


@given(documents)
@settings(max_examples=300)
def test_of_a_random_document_no_personal_value_comes_through(value: Any) -> None:
    shown = document(value, KNOWN)

    assert set(map(repr, leaves_of(shown))) <= {repr(one) for one in (MASK, None, True, False, "")}
    assert all(KNOWN.knows(name) or name.startswith(MASK) for name in names_of(shown))
    assert not set(map(str, PERSONAL)) & set(names_of(shown))


@given(documents)
def test_a_mask_keeps_the_shape(value: Any) -> None:
    shown = document(value, KNOWN)

    assert len(list(leaves_of(shown))) == len(list(leaves_of(value)))
    assert document(shown, KNOWN) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"id": 1834, "logicId": "C-9"}, {"id": 1834, "logicId": MASK}),
        ({"id": "0475123456"}, {"id": MASK}),
        ({"id": 85073003328}, {"id": MASK}),
        (
            {"createdAt": "2026-03-02T09:00:00Z", "dateValue": "1985-07-30"},
            {"createdAt": "2026-03-02T09:00:00Z", "dateValue": MASK},
        ),
        (
            {"totalItems": 2, "items": [{"id": 1, "name": "De Els"}]},
            {"totalItems": 2, "items": [{"id": 1, "name": MASK}]},
        ),
        (
            {"language": "nl-BE", "currency": "EUR", "country": "BE"},
            {"language": "nl-BE", "currency": "EUR", "country": MASK},
        ),
        ({"error": {"status": 422, "message": "Jan has it"}}, {"error": {"status": 422, "message": MASK}}),
        (
            {"path": "address.city", "rule": "Robaws owns this field", "ours": "Gent"},
            {"path": "address.city", "rule": "Robaws owns this field", "ours": MASK},
        ),
        ({"rule": "Jan says so", "label": "Jan", "action": "write"}, {"rule": MASK, "label": MASK, "action": "write"}),
        ({"is_individual": True, "type": "1"}, {"is_individual": True, "type": "1"}),
        ({"Jan Stranger": 1, "An Peeters": 2, "naam": 3}, {MASK: MASK, f"{MASK} 2": MASK, "naam": MASK}),
        ({"+32 470 12 34 56": "is taken", "06.12.34.56.78": 1}, {MASK: MASK, f"{MASK} 2": MASK}),
        ({"field": "+32 470 12 34 56", "path": "12.05.80"}, {"field": MASK, "path": MASK}),
        ({"field": "persons.3.email", "path": "contact[name]"}, {"field": "persons.3.email", "path": "contact[name]"}),
        ("Jan Stranger", MASK),
        (475123456, MASK),
    ],
)
def test_what_the_allow_list_names_stays_readable(value: Any, shown: Any) -> None:
    assert document(value, KNOWN) == shown


def test_a_name_too_long_to_be_one_is_hidden_and_not_remembered() -> None:
    remembered = []

    for letter in "xy":
        assert document({letter * 100_000: 1, letter + "." * 300: 2}, KNOWN) == {MASK: MASK, f"{MASK} 2": MASK}
        remembered.append(masks._split.cache_info().currsize)

    assert remembered[0] == remembered[1]


def test_a_deep_document_ends_in_a_mask_and_not_in_an_error() -> None:
    value: Any = "x"
    for _ in range(500):
        value = [value]

    assert MASK in str(document(value, KNOWN))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/clients/1834?include=contacts", "/clients/1834?include=contacts"),
        ("/companies/44/contacts?search[q]=De+Linde&page=2", f"/companies/44/contacts?search[q]={MASK}&page=2"),
        ("/contacts?search%5Bvat_number%5D=0403170701", f"/contacts?search%5Bvat_number%5D={MASK}"),
        ("/klanten?id%3E=62", f"/klanten?id%3E={MASK}"),
        ("/klanten/De Linde", f"/klanten/{MASK}"),
        ("/klanten/0475123456", f"/klanten/{MASK}"),
        ("/klanten/0475.12.34.56", f"/klanten/{MASK}"),
        ("/klanten/475.123.456", f"/klanten/{MASK}"),
        ("/clients?limit=000000475123456", f"/clients?limit={MASK}"),
        ("/clients?page=0475123456&Jan=1", f"/clients?page={MASK}&{MASK}={MASK}"),
        ("/clients?include=Jan+Stranger", f"/clients?include={MASK}"),
    ],
)
def test_of_a_path_its_ids_and_the_words_of_the_address_are_shown(path: str, shown: str) -> None:
    assert mask_path(path, KNOWN) == shown


# ------------------------------------------------------------------------------------------------------------ views
class Planted:
    """Fills any view: a secret of its own in each text, wherever one can stand."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self._number = count(1)

    def secret(self) -> str:
        self.secrets.append(f"Geheim {next(self._number)} Verbruggen")
        return self.secrets[-1]

    def of(self, hint: Any, bound: Mapping[Any, Any]) -> Any:
        hint = bound.get(hint, hint)
        origin, args = get_origin(hint), get_args(hint)
        if hasattr(hint, "__metadata__"):
            return self.of(args[0], bound)
        if origin in (Union, types.UnionType):
            return self.of(next(one for one in args if one is not type(None)), bound)
        if origin is Literal:
            return args[0]
        if hint is str:
            return self.secret()
        if hint in (int, float, bool):
            return hint(7)
        if hint is datetime:
            return NOW
        if origin is list:
            alternatives = get_args(args[0]) if get_origin(args[0]) in (Union, types.UnionType) else args
            return [self.of(one, bound) for one in alternatives]
        if hint is Any:
            return {"name": self.secret(), "id": self.secret(), self.secret(): [self.secret()]}
        if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
            return {"rompslomp": self.of(args[1], bound), self.secret(): self.of(args[1], bound)}
        kind: Any = origin or hint
        bound = dict(zip(getattr(kind, "__parameters__", ()), args, strict=True)) if args else bound
        hints = get_type_hints(kind, include_extras=True)
        return kind(**{one.name: self.of(hints[one.name], bound) for one in dataclasses.fields(kind) if one.init})


@pytest.mark.parametrize("call", [call for call in CALLS if call.method == "GET"], ids=lambda call: call.path)
def test_of_no_answer_of_the_api_does_a_text_come_through_that_somebody_wrote(call: Any) -> None:
    planted = Planted()
    view = planted.of(call.answer, {})

    shown = orjson.dumps(for_viewer(view, KNOWN)).decode()

    assert [secret for secret in planted.secrets if secret in orjson.dumps(view).decode()] == planted.secrets
    assert [secret for secret in planted.secrets if secret in shown] == []
    assert type(for_viewer(view, KNOWN)) is type(view)


@dataclasses.dataclass(frozen=True)
class Newcomer:
    """A view that somebody adds: what has no type of its own is hidden."""

    state: Word
    remark: str
    remarks: list[str]
    extra: dict[str, Any]
    day: date
    count: int
    at: datetime
    fields: ClientFields | None = None


def test_a_member_whose_type_does_not_say_how_it_is_shown_is_hidden() -> None:
    shown = for_viewer(Newcomer("due", "x", ["y"], {"id": 1, "z": "w"}, date(1985, 7, 30), 3, NOW), KNOWN)

    assert vars(shown) == {
        "state": "due",
        "remark": MASK,
        "remarks": [MASK],
        "extra": {"id": 1, MASK: MASK},
        "day": MASK,
        "count": 3,
        "at": NOW,
        "fields": None,
    }


def client(name: str | None, kind: str | None) -> ContactView:
    fetch = FetchView("fetch-1", "idle", 0, None, None, None, None, False)
    return ContactView("1834", name, kind, 3, NOW, None, None, True, fetch, [])


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("organisation", "De Linde"), ("person", MASK), (None, MASK)],
    ids=["organisation", "person", "?"],
)
def test_a_name_is_shown_of_an_organisation_only(kind: str | None, shown: str) -> None:
    assert for_viewer(client("De Linde", kind), KNOWN).name == shown
    assert for_viewer(client(None, kind), KNOWN).name is None
    assert for_viewer([client("De Linde", kind)], KNOWN)[0].source_id == "1834"


def test_a_reason_that_a_person_typed_is_hidden_even_where_it_is_one_word() -> None:
    action = ActionEntry(NOW, "action", "discard", "jan", "link-12", "verbruggen")
    bulk = Bulk(
        "1", "done", "retry", {"state": "dead", "query": "verbruggen"}, "verbruggen", "jan", 2, 2, NOW, None, []
    )

    shown = for_viewer(action, KNOWN), for_viewer(bulk, KNOWN)

    assert (shown[0].action, shown[0].target, shown[0].actor, shown[0].reason) == ("discard", "link-12", MASK, MASK)
    assert (shown[1].filter, shown[1].reason, shown[1].actor) == ({"state": "dead", "query": MASK}, MASK, MASK)


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        ("paused", "verbruggen", MASK),
        ("paused", "Your key sandbox-key is refused", MASK),
        ("broken", "server_error", "server_error"),
        ("running", "the subscription of An Peeters is full", MASK),
        ("running", "the day's quota of calls is used up until 2026-03-03 00:00 UTC", None),
        ("running", "rate_limited: it refused 3 calls since 09:00:00 UTC; one client at a time is tried", None),
    ],
)
def test_the_reason_of_a_system_is_shown_where_it_is_ours(state: str, reason: str, shown: str | None) -> None:
    assert for_viewer(System(state, reason, 0, 0, None), KNOWN).reason == (shown or reason)


def request(**more: Any) -> RequestView:
    values: dict[str, Any] = dict.fromkeys(one.name for one in dataclasses.fields(RequestView))
    return RequestView(**{**values, "at": NOW, "path": "/clients/1834", "duration_ms": 41, **more})


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ('{"id": 7, "naam": "De Els"}', '{"id":7,"naam":"•••"}'),
        ('[{"id": 7}, {"duplicate": {"naam": "Jan"}}]', '[{"id":7},{"duplicate":{"naam":"•••"}}]'),
        ('{"id": 7, "naam": "De', MASK),
        ("<h1>Jan Stranger</h1>", MASK),
        ("", ""),
        (orjson.dumps({"id": 7, "x": "a" * MOST_BODY_CHARACTERS}).decode(), MASK),
    ],
    ids=["a record", "a list", "cut short", "no JSON", "empty", "very long"],
)
def test_an_answer_shows_its_shape(answer: str, shown: str) -> None:
    assert for_viewer(request(answer=answer), KNOWN).answer == shown
