"""What stored answers of Workspace mean, without sending anything (Workspace sheets 3, 4 and 6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.workspace.stored import FOLDER, answer
from worker.errors import (
    CredentialsRejected,
    MaybeRejected,
    OutcomeUnknown,
    RateLimited,
    RecordGone,
    SyncError,
    VendorBroken,
    VendorRejected,
    VendorUnavailable,
    WrongAddress,
)
from worker.vendors.transport import Response
from worker.vendors.workspace import rules


def listed(response: Response) -> tuple[dict[str, Any], ...]:
    """The contacts of a list, whatever could not be read."""
    return rules.contacts_of(response, [])


REFUSALS = [
    ("400_saving", "create", MaybeRejected, "rejected_unclear"),
    ("400_saving", "update", MaybeRejected, "rejected_unclear"),
    ("200_with_code_400", "create", MaybeRejected, "rejected_unclear"),
    ("200_with_code_400", "update", MaybeRejected, "rejected_unclear"),
    ("200_with_exception", "update", VendorBroken, "broken_answer"),
    ("200_with_exception", "create", OutcomeUnknown, "outcome_unknown"),
    ("200_html_login", "read", VendorBroken, "broken_answer"),
    ("200_html_login", "update", VendorBroken, "broken_answer"),
    ("200_html_login", "create", OutcomeUnknown, "outcome_unknown"),
    ("200_without_envelope", "read", VendorBroken, "broken_answer"),
    ("contact_without_id", "read", VendorBroken, "broken_answer"),
    ("401_envelope", "read", CredentialsRejected, "credentials"),
    ("401_html", "read", CredentialsRejected, "credentials"),
    ("403", "update", CredentialsRejected, "access_denied"),
    ("404_contact", "read", RecordGone, "gone"),
    ("404_contact", "update", RecordGone, "gone"),
    ("404_contact", "create", WrongAddress, "wrong_address"),
    ("404_cakephp", "read", WrongAddress, "wrong_address"),
    ("404_cakephp", "create", WrongAddress, "wrong_address"),
    ("429", "update", RateLimited, "rate_limited"),
    ("500_cakephp", "update", VendorUnavailable, "server_error"),
    ("500_html", "create", OutcomeUnknown, "server_error"),
]


@pytest.mark.parametrize(("name", "operation", "kind", "word"), REFUSALS)
def test_each_refusal_is_its_own_error(name: str, operation: str, kind: type[SyncError], word: str) -> None:
    reader: Callable[[Response], Any] = rules.contact_of if operation == "read" else rules.contact_if_shown

    with pytest.raises(kind) as raised:
        reader(answer(name, operation))

    assert type(raised.value) is kind
    assert raised.value.word == word


@pytest.mark.parametrize("name", ["404_contact", "404_cakephp"])
def test_a_404_on_the_list_in_other_words_than_the_page_gives_is_a_wrong_address(name: str) -> None:
    with pytest.raises(WrongAddress):
        listed(answer(name, "list"))


@pytest.mark.parametrize("name", ["contacts_empty_404", "contacts_empty_200"])
def test_a_list_without_contacts_is_empty(name: str) -> None:
    assert listed(answer(name, "list")) == ()


@pytest.mark.parametrize("name", ["200_html_login", "200_without_envelope", "200_with_exception"])
def test_a_list_that_is_none_is_never_taken_for_an_empty_one(name: str) -> None:
    with pytest.raises(VendorBroken):
        listed(answer(name, "list"))


def test_one_odd_contact_does_not_hide_the_others() -> None:
    entries = [{"Contact": {"id": "1", "name": ["De", "Linde"], "kvk": {}}}, {"Contact": {"id": "2", "name": "Y"}}]
    body = json.dumps({"response": {"code": 200, "data": {"Contacts": entries}}}).encode()
    remarks: list[str] = []

    contacts = rules.contacts_of(replace(answer("contacts", "list"), body=body), remarks)

    assert contacts == ({"id": "1", "name": "De Linde", "kvk": None}, {"id": "2", "name": "Y"})
    assert remarks == ["contact 1: name, kvk cannot be read"]


def test_an_odd_contact_is_vendor_trouble_where_it_is_read_and_a_success_where_it_was_written() -> None:
    odd = replace(answer("contact"), body=answer("contact").body.replace(b'"Algemeen"', b'{"name": "Algemeen"}'))

    with pytest.raises(VendorBroken, match="group of contact 536"):
        rules.contact_of(odd)
    assert rules.contact_if_shown(odd) == {"id": "536"}


def test_a_list_with_gaps_comes_as_an_object_of_its_places() -> None:
    """PHP writes an array whose places do not follow each other so."""
    places = {"10": {"Contact": {"id": "2"}}, "2": {"Contact": {"id": "1"}}}
    body = json.dumps({"response": {"code": 200, "data": {"Contacts": places}}})

    contacts = listed(replace(answer("contacts", "list"), body=body.encode()))

    assert [contact["id"] for contact in contacts] == ["1", "2"]


@pytest.mark.parametrize(
    "body",
    [
        '{"response": {"code": 200, "data": {"Contacts": [{"Contact": {"id": "1"}}, {"Contact": []}]}}}',
        '{"response": {"code": 200, "data": {"Contacts": {"0": 1}}}}',
        '{"response": {"code": 200, "data": [1]}}',
        '{"response": {"code": "soon", "data": []}}',
        '{"response": {"code": 200, "data": {"Contacts": {"0": {"Contact": {"id": "1"}}, "next": null}}}}',
        '{"response": {"code": 200, "data": {"Cont',
    ],
    ids=["entry", "list", "data", "code", "object", "cut off"],
)
def test_a_list_of_another_shape_is_vendor_trouble_as_a_whole(body: str) -> None:
    with pytest.raises(VendorBroken):
        listed(replace(answer("contacts", "list"), body=body.encode()))


def test_a_list_is_read_whatever_its_count_says() -> None:
    contacts = listed(answer("contacts", "list"))

    assert [(contact["id"], contact["type"]) for contact in contacts] == [("514", "2"), ("536", "1")]


def test_numbers_are_read_as_the_texts_that_the_page_shows() -> None:
    stored = answer("contact")
    other = replace(stored, body=stored.body.replace(b'"id": "536"', b'"id": 536').replace(b'"14"', b"14"))

    contact = rules.contact_of(other)

    assert (contact["id"], contact["payment_term"]) == ("536", "14")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_bank_data_is_quoted_nowhere(path: Any) -> None:
    stored = answer(path.stem)

    assert "NL00TEST0123456789" not in stored.excerpt
    assert "Voorbeeldbank" not in stored.excerpt


def test_bank_data_is_dropped_where_an_answer_is_read() -> None:
    contacts = listed(answer("contacts", "list"))

    assert not any(member in contact for contact in contacts for member in rules.BANK_MEMBERS)


@pytest.mark.parametrize(
    ("name", "shown"), [("contact", "536"), ("created_id_only", "536"), ("created_empty", None)], ids=str
)
def test_a_write_may_show_its_contact_or_not(name: str, shown: str | None) -> None:
    contact = rules.contact_if_shown(answer(name, "create"))

    assert (contact["id"] if contact else None) == shown


def test_the_vendors_exception_is_part_of_the_message() -> None:
    stored = answer("400_saving", "create")
    other = replace(stored, body=stored.body.replace(b'"exception": []', b'"exception": ["Validation of phone"]'))

    with pytest.raises(MaybeRejected) as raised:
        rules.contact_if_shown(other)

    assert raised.value.message == "Something went wrong while saving the data.; Validation of phone"


def test_a_429_without_a_word_waits_a_minute() -> None:
    with pytest.raises(RateLimited) as raised:
        rules.contact_of(answer("429"))

    assert raised.value.retry_after_seconds == rules.UNTOLD_WAIT_SECONDS


# --------------------------------------------------------------------------------------------------------- requests
MEMBERS = {"name": "Café & Zoon = één", "location_city": "’s-Gravenhage", "website": None, "payment_term": 14}


@pytest.mark.parametrize(
    ("style", "key"), [("flat", "name"), ("data", "data[Contact][name]"), ("model", "Contact[name]")]
)
def test_a_form_survives_its_encoding_in_every_style(style: rules.FormStyle, key: str) -> None:
    body = rules.form_body(MEMBERS, style)

    pairs = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
    assert pairs[key] == "Café & Zoon = één"
    assert sorted(pairs.values()) == sorted(["Café & Zoon = één", "’s-Gravenhage", "", "14"])


def _requests(authorization: str = "Basic secret") -> rules.Requests:
    return rules.Requests("/contacts.json", "/contacts/{id}.json", "flat", 60.0, authorization)


def test_bank_data_is_neither_sent_nor_logged() -> None:
    request = _requests().update("536", {"name": "De Linde", "bank_nr": "NL00TEST0123456789"})

    assert request.body == b"name=De+Linde"
    assert request.logged == {"name": "De Linde"}


def test_a_create_may_make_a_record_and_a_change_may_be_repeated() -> None:
    create, update = _requests().create({}), _requests().update("536", {})

    assert (create.method, create.creates, create.writes) == ("POST", True, True)
    assert (update.method, update.creates, update.writes) == ("POST", False, True)


def test_an_id_that_is_no_number_never_becomes_part_of_an_address() -> None:
    with pytest.raises(VendorRejected):
        _requests().read("1/../securepage")


@pytest.mark.parametrize(
    ("auth", "username", "expected"),
    [("token", None, "token:t0ken"), ("token", "ops", "token:t0ken"), ("basic", "ops", "ops:t0ken")],
)
def test_basic_carries_the_user_name_that_the_settings_want(auth: Any, username: str | None, expected: str) -> None:
    kind, _, value = rules.authorization(auth, username, "t0ken").partition(" ")

    assert (kind, base64.b64decode(value).decode()) == ("Basic", expected)


def test_a_bearer_token_can_be_chosen() -> None:
    assert rules.authorization("bearer", None, "t0ken") == "Bearer t0ken"


def test_the_token_is_not_shown_where_the_requests_are_printed() -> None:
    requests = _requests("Basic very-secret")

    assert "very-secret" not in repr(requests)
    assert "very-secret" not in repr(requests.read("1"))


# -------------------------------------------------------------------------------------------------- whatever may come
_NUMBERS = st.sampled_from(["9" * 5_000, "²", "-1", "200", 200, 1.5, True])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | _NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_ENTRIES = _VALUES | st.fixed_dictionaries(
    {"Contact": _VALUES | st.fixed_dictionaries({"id": _NUMBERS}, optional={"name": _VALUES, "trashed": _VALUES})}
)
_DATA = _ENTRIES | st.fixed_dictionaries({"Contacts": st.lists(_ENTRIES, max_size=3), "count": _VALUES})
_ENVELOPES = st.fixed_dictionaries(
    {}, optional={"code": _NUMBERS, "message": _VALUES, "exception": _VALUES, "data": _DATA}
)
_ANSWERS = _VALUES | st.fixed_dictionaries({"response": _ENVELOPES})
_BODIES = st.binary(max_size=40) | _ANSWERS.map(lambda value: json.dumps(value).encode())


@given(
    status=st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 405, 409, 415, 422, 429, 500, 503]),
    operation=st.sampled_from(["read", "list", "create", "update"]),
    headers=st.fixed_dictionaries(
        {"content-type": st.sampled_from(["application/json", "text/html", ""])},
        optional={"retry-after": st.text(max_size=6)},
    ),
    body=_BODIES,
)
def test_no_answer_at_all_crashes_its_reader(status: int, operation: str, headers: dict[str, str], body: bytes) -> None:
    request = answer("contact", operation).request
    response = Response(status, headers, body, request)

    for reader in (rules.contact_of, listed, rules.contact_if_shown):
        with suppress(SyncError):
            reader(response)
