"""What stored answers of Rompslomp mean, without sending anything (Rompslomp sheets 4 and 7)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.rompslomp.stored import FOLDER, answer
from worker.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    QuotaReached,
    RateLimited,
    RecordGone,
    SyncError,
    VendorBroken,
    VendorRejected,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.rompslomp import rules
from worker.vendors.transport import Response

REFUSALS = [
    ("400_malformed_json", "create", VendorRejected, "malformed_json"),
    ("400_unpermitted_parameters", "create", VendorRejected, "unpermitted_parameters"),
    ("401_invalid_token", "read", CredentialsRejected, "credentials"),
    ("403_invalid_scope", "read", CredentialsRejected, "missing_scope"),
    ("403_access_denied", "read", CredentialsRejected, "access_denied"),
    ("404_resource", "read", RecordGone, "gone"),
    ("404_resource", "update", RecordGone, "gone"),
    ("404_resource", "list", WrongAddress, "wrong_address"),
    ("404_endpoint", "update", WrongAddress, "wrong_address"),
    ("404_endpoint", "create", WrongAddress, "wrong_address"),
    ("422_validation", "create", VendorRejected, "validation"),
    ("422_number_taken", "create", VendorRejected, "validation"),
    ("422_quota_reached", "create", QuotaReached, "quota_reached"),
    ("429_with_retry_after", "update", RateLimited, "rate_limited"),
    ("500_server", "read", VendorUnavailable, "server_error"),
    ("500_server", "create", OutcomeUnknown, "server_error"),
    ("503_html", "update", VendorUnavailable, "server_error"),
    ("503_html", "create", OutcomeUnknown, "server_error"),
    ("200_html", "read", VendorBroken, "broken_answer"),
    ("200_html", "update", VendorBroken, "broken_answer"),
    ("200_html", "create", OutcomeUnknown, "outcome_unknown"),
    ("200_wrong_types", "read", VendorBroken, "broken_answer"),
    ("200_wrong_types", "create", OutcomeUnknown, "outcome_unknown"),
]


@pytest.mark.parametrize(("name", "operation", "kind", "word"), REFUSALS)
def test_each_refusal_is_its_own_error(name: str, operation: str, kind: type[SyncError], word: str) -> None:
    with pytest.raises(kind) as raised:
        rules.contact_of(answer(name, operation))

    assert type(raised.value) is kind
    assert raised.value.word == word


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[345]*.json")), ids=lambda path: path.stem)
def test_every_refusal_keeps_status_and_the_vendors_own_words(path: Path) -> None:
    stored = answer(path.stem)

    error = rules.refusal(stored)

    assert error.status == stored.status
    assert error.excerpt == stored.excerpt


def test_a_404_that_is_not_the_vendors_own_never_means_that_the_contact_is_gone() -> None:
    proxy = replace(answer("503_html"), status=404)

    assert type(rules.refusal(proxy)) is WrongAddress


def test_a_403_of_no_known_type_pauses_the_system_all_the_same() -> None:
    error = rules.refusal(replace(answer("503_html"), status=403))

    assert type(error) is CredentialsRejected
    assert error.word == "credentials"


def test_the_next_step_differs_between_the_three_ways_to_be_kept_out() -> None:
    names = ("401_invalid_token", "403_invalid_scope", "403_access_denied")
    steps = [rules.refusal(answer(name)).message.partition(": ")[2] for name in names]

    assert steps == [rules.CREDENTIALS_STEP, rules.SCOPE_STEP, rules.ACCESS_STEP]


@pytest.mark.parametrize(
    ("name", "seconds"), [("429_with_retry_after", 30.0), ("429_without_retry_after", rules.UNTOLD_WAIT_SECONDS)]
)
def test_a_429_waits_as_told_and_a_minute_when_nothing_is_told(name: str, seconds: float) -> None:
    error = rules.refusal(answer(name))

    assert isinstance(error, RateLimited)
    assert error.retry_after_seconds == seconds


def test_each_fault_is_a_sentence_and_is_read_by_member() -> None:
    error = rules.refusal(answer("422_validation_several", "create"))

    assert error.fields == {
        "company_name": "moet opgegeven zijn",
        "contact_person_email_address": "is ongeldig, of te lang",
        "country_code": "is ongeldig. moet opgegeven zijn",
    }


def test_a_sentence_that_names_no_member_is_kept_as_it_is() -> None:
    stored = answer("422_validation")
    other = replace(stored, body=stored.body.replace(b"Company name", b"Bedrijfsnaam"))

    error = rules.refusal(other)

    assert error.fields == {}
    assert error.message == "Contact is invalid: Bedrijfsnaam moet opgegeven zijn."


def test_a_page_of_contacts_is_read_with_its_total() -> None:
    page = rules.page_of(answer("contacts_page"), "contacts")

    assert [contact["contact_number"] for contact in page.items] == ["K00001", "RB-1834", "K00002"]
    assert page.total == 3


def _page(total: str | None, count: int) -> rules.Page:
    stored = answer("contacts_page")
    contact = json.loads(stored.body)["contacts"][0]
    body = json.dumps({"contacts": [{**contact, "id": number} for number in range(1, count + 1)]}).encode()
    headers = {"content-type": "application/json"} | ({} if total is None else {"x-total": total})
    return rules.page_of(Response(200, headers, body, stored.request), "contacts")


@pytest.mark.parametrize(
    ("total", "count", "seen", "fresh", "last"),
    [
        ("3", 3, 3, 3, True),
        ("5", 3, 3, 3, False),  # the vendor gives shorter pages than were asked for
        ("200", 100, 200, 100, True),
        (None, 100, 100, 100, False),
        (None, 99, 99, 99, True),
        ("soon", 99, 99, 99, True),
        ("500", 0, 100, 0, True),  # the total moved
        ("500", 100, 200, 0, True),  # the vendor does not look at `page`
    ],
)
def test_a_list_ends_by_its_total_and_without_one_by_a_short_page(
    total: str | None, count: int, seen: int, fresh: int, last: bool
) -> None:
    assert rules.is_last(_page(total, count), seen, fresh) is last


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"contacts": {}}', b'{"contacts": [1]}', b'{"contacts": [{}]}', b"{"])
def test_a_list_of_another_shape_is_vendor_trouble(body: bytes) -> None:
    with pytest.raises(VendorBroken):
        rules.page_of(replace(answer("contacts_page", "list"), body=body), "contacts")


@pytest.mark.parametrize(
    ("patch", "held", "sent"),
    [
        ({"city": "Gentbrugge", "phone": None}, None, {"city": "Gentbrugge", "phone": None}),
        ({"contact_number": None}, None, {}),
        (
            {"is_individual": True, "company_name": None},
            {"contact_person_name": "An Peeters"},
            {"is_individual": True, "company_name": None, "contact_person_name": "An Peeters"},
        ),
        (
            {"is_individual": True, "contact_person_name": "Bo Claes"},
            {"contact_person_name": "An Peeters"},
            {"is_individual": True, "contact_person_name": "Bo Claes"},
        ),
        ({"is_individual": False}, {"company_name": "De Linde"}, {"is_individual": False, "company_name": "De Linde"}),
    ],
    ids=["as it is", "no blank number", "name carried along", "name given", "back to an organisation"],
)
def test_a_patch_is_sent_as_the_vendor_wants_it(
    patch: dict[str, object], held: dict[str, object] | None, sent: dict[str, object]
) -> None:
    assert rules.patch_members(patch, held) == sent


def test_an_id_that_is_no_number_never_becomes_part_of_an_address() -> None:
    requests = rules.Requests("440923104", "/companies/{company_id}/{resource}", "token")

    with pytest.raises(VendorRejected):
        requests.read("1/../../me")


def test_the_token_is_not_shown_where_the_requests_are_printed() -> None:
    requests = rules.Requests("440923104", "/companies/{company_id}/{resource}", "very-secret")

    assert "very-secret" not in repr(requests)
    assert "very-secret" not in repr(requests.read("1"))


# -------------------------------------------------------------------------------------------------- whatever may come
_NUMBERS = st.sampled_from(["9" * 5_000, "²", "-1", "12", 12, 1.5, True])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | _NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_CONTACTS = _VALUES | st.fixed_dictionaries({"id": _NUMBERS}, optional={"city": _VALUES, "is_supplier": _VALUES})
_ERRORS = _VALUES | st.fixed_dictionaries({}, optional={"type": _VALUES, "message": _VALUES})
_ANSWERS = _VALUES | st.fixed_dictionaries(
    {}, optional={"contact": _CONTACTS, "contacts": st.lists(_CONTACTS, max_size=3), "error": _ERRORS}
)
_BODIES = st.binary(max_size=40) | _ANSWERS.map(lambda value: json.dumps(value).encode())


@given(
    status=st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 405, 409, 415, 422, 429, 500, 503]),
    operation=st.sampled_from(["read", "list", "create", "update"]),
    headers=st.fixed_dictionaries(
        {"content-type": st.sampled_from(["application/json", "text/html", ""])},
        optional={"retry-after": st.text(max_size=6), "x-total": st.sampled_from(["9" * 5_000, "²", "-1", "3"])},
    ),
    body=_BODIES,
)
def test_no_answer_at_all_crashes_its_reader(status: int, operation: str, headers: dict[str, str], body: bytes) -> None:
    request = answer("contact", operation).request
    response = Response(status, headers, body, request)

    for reader in (rules.contact_of, lambda answered: rules.page_of(answered, "contacts")):
        with suppress(SyncError):
            reader(response)
